package registry_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// authority is one that the tests' process trusts.
var authority = registrytest.NewAuthority()

func TestMain(m *testing.M) { os.Exit(authority.RunTrusting(m)) }

const shopURL = "https://shop.osc-fr1.scalingo.io"

// frontDoor is what answers at the URLs of a platform's apps.
type frontDoor struct {
	mu    sync.Mutex
	finds error // what a probe finds there
	asked []inventory.Target
}

func (d *frontDoor) probe(ctx context.Context, t inventory.Target) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, t)
	return d.finds
}

func (d *frontDoor) becomes(finds error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.finds = finds
}

// took are the probes since the last time somebody asked.
func (d *frontDoor) took() []inventory.Target {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := d.asked
	d.asked = nil
	return asked
}

// sampled is a provider that sees how much its apps are used: not at all.
type sampled struct{ *registrytest.Provider }

func (sampled) Measure(context.Context, string, provider.Want) (idle.Usage, error) {
	return idle.Usage{}, nil
}

// hosted runs a registry over apps of a platform, at whose door nobody answers so far.
func hosted(t *testing.T, apps ...*registrytest.App) (*registry.Registry, *registrytest.Provider, *frontDoor, *bytes.Buffer) {
	t.Helper()
	p, door, log := registrytest.NewProvider(apps...), &frontDoor{finds: registry.StatusError{Status: 503}}, &bytes.Buffer{}
	reg := registrytest.Run(t, registry.New(registry.Options{
		Probe: door.probe, Providers: []provider.Provider{sampled{p}}, Log: slog.New(slog.NewTextHandler(log, nil)),
		Settings: inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"},
	}))
	synctest.Wait()
	return reg, p, door, log
}

// shopOf is an app of a platform that is at shopURL. It boots for 10 s.
func shopOf(labels ...string) *registrytest.App {
	a := registrytest.NewApp("shop")
	a.URL = shopURL
	for _, label := range labels {
		key, value, _ := strings.Cut(label, "=")
		a.Label(key, value)
	}
	return a
}

func TestAnAppOfAURLIsReadyOnceItsPlatformSaysSoAndItsURLAnswers(t *testing.T) {
	for _, shop := range []*registrytest.App{shopOf(), shopOf().ToNone()} {
		synctest.Test(t, func(t *testing.T) {
			reg, _, door, _ := hosted(t, shop)
			reg.Wake(reg.Named("shop"), false)
			time.Sleep(9 * time.Second)
			wantView(t, reg, "shop", registry.Starting)
			if asked := door.took(); len(asked) > 0 {
				t.Errorf("asked %d times while its platform says that it boots", len(asked))
			}
			time.Sleep(6 * time.Second)
			wantView(t, reg, "shop", registry.Starting)
			if asked := door.took(); len(asked) < 5 || len(asked) > 12 {
				t.Errorf("asked %d times within 5 s", len(asked))
			}
			door.becomes(nil)
			time.Sleep(time.Second)
			wantView(t, reg, "shop", registry.Ready)
			door.took()
			time.Sleep(time.Minute)
			if asked := door.took(); len(asked) > 0 {
				t.Errorf("asked %d times while it is awake", len(asked))
			}
		})
	}
}

func TestAnAppOfAURLIsAskedForByItsOwnHostUnlessItsOwnerSaysOtherwise(t *testing.T) {
	for labels, want := range map[string]inventory.Target{
		"":                      {Path: "/"},
		"paastis.port=8080":     {Path: "/"},
		"paastis.probe=tcp":     {Path: "/"},
		"paastis.probe=tcp:80":  {Path: "/"},
		"paastis.probe=http:/a": {Path: "/a"},
		"traefik.http.routers.shop.rule=Host(`shop.test`)": {Path: "/"},
		"paastis.probe_host=shop.test":                     {Path: "/", Host: "shop.test"},
		"paastis.probe_scheme=https":                       {Path: "/", VisitorScheme: "https"},
		"paastis.probe_status=200":                         {Path: "/", Accepts: rules.Statuses{{From: 200, To: 200}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			reg, _, door, _ := hosted(t, shopOf(labels))
			reg.Wake(reg.Named("shop"), false)
			time.Sleep(11 * time.Second)
			asked := door.took()
			if len(asked) == 0 {
				t.Fatalf("%s: nobody asks", labels)
			}
			want.Address, want.Scheme, want.ByURL = "shop.osc-fr1.scalingo.io", "https", true
			got := asked[0]
			if got.Address != want.Address || got.Scheme != want.Scheme || got.Path != want.Path || got.Host != want.Host || got.VisitorScheme != want.VisitorScheme ||
				got.Accepts.String() != want.Accepts.String() || (got.Accepts == nil) != (want.Accepts == nil) || !got.ByURL {
				t.Errorf("%s: asked as %+v, want %+v", labels, got, want)
			}
		})
	}
}

func TestAnAppThatItsPlatformSaysIsWellMayAnswer503ItselfInTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*registrytest.App)
		opens  bool
	}{
		"its platform says that it is well":        {nil, true},
		"its platform says nothing":                {func(a *registrytest.App) { a.NoHealth = true }, false},
		"its owner says by what it is to be known": {func(a *registrytest.App) { a.Label("paastis.probe_status", "200") }, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			shop := shopOf()
			if c.change != nil {
				c.change(shop)
			}
			reg, _, _, _ := hosted(t, shop)
			reg.Wake(reg.Named("shop"), false)
			time.Sleep(24 * time.Second)
			wantView(t, reg, "shop", registry.Starting)
			time.Sleep(time.Minute)
			if open := reg.Named("shop").Open(); open != c.opens {
				t.Errorf("%s: open %t", name, open)
			}
		})
	}
}

func TestTheInstancesOfAnAppOfAURLAreAskedForAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := shopOf()
		shop.Replicas = 3
		reg, p, door, _ := hosted(t, shop)
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(15 * time.Second)
		if asked := door.took(); len(asked) < 5 || len(asked) > 12 {
			t.Errorf("asked %d times within 5 s", len(asked))
		}
		door.becomes(nil)
		time.Sleep(time.Second)
		wantView(t, reg, "shop", registry.Ready)
		door.took()
		p.Alter("shop", 0, func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID} })
		p.Told()
		synctest.Wait()
		wantView(t, reg, "shop", registry.Ready)
		if !reg.Named("shop").Open() {
			t.Error("it is closed, though two of three serve at its URL")
		}
	})
}

func TestACertificateThatIsNotTrustedIsTheReasonWhyAnAppFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, _, door, log := hosted(t, shopOf("paastis.start_timeout=1m"))
		door.becomes(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}})
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(59 * time.Second)
		wantView(t, reg, "shop", registry.Starting)
		time.Sleep(2 * time.Second)
		if v := reg.View(reg.Named("shop")); v.State != registry.Failed || v.Reason.Kind != reason.Untrusted {
			t.Errorf("%s for %q", v.State, v.Reason)
		}
		synctest.Wait()
		if told := log.String(); strings.Count(told, "is not trusted, so the app is not opened") != 1 || !strings.Contains(told, shopURL) || !strings.Contains(told, "unknown authority") {
			t.Errorf("the log says\n%s", told)
		}
	})
}

func TestAURLThatMovesOnTheWayUpIsAskedWhereItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, p, door, _ := hosted(t, shopOf())
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(12 * time.Second)
		p.Change("shop", func(a *registrytest.App) { a.URL = "https://store.osc-fr1.scalingo.io" })
		p.Alter("shop", 0, func(*inventory.Instance) {})
		p.Told()
		time.Sleep(time.Second)
		door.took()
		time.Sleep(3 * time.Second)
		asked := door.took()
		for _, a := range asked {
			if a.Address != "store.osc-fr1.scalingo.io" {
				t.Errorf("asked at %s", a.Address)
			}
		}
		if len(asked) < 3 {
			t.Errorf("asked %d times", len(asked))
		}
	})
}

// fetch is the document that a Traefik gets now.
func fetch(reg *registry.Registry) string {
	const self = "http://paastis:3000"
	by := netip.MustParseAddr("10.0.0.2")
	p := reg.Publisher().Publish(by, self)
	reg.Publisher().Fetched(by, self, p.Version)
	return string(p.Body)
}

func TestTraefikIsLedToTheURLOfAnAppWithItsHostWhileItAnswers(t *testing.T) {
	const passing = `"servers":[{"url":"` + shopURL + `"}],"passHostHeader":`
	for label, want := range map[string]string{
		"paastis.rule=Host(`shop.test`)":                                          "false",
		"paastis.host=shop.test":                                                  "false",
		"traefik.http.routers.shop.rule=Host(`shop.test`)":                        "false",
		"traefik.http.services.shop.loadbalancer.server.url=" + shopURL + ":443/": "",
		"traefik.http.services.shop.loadbalancer.passhostheader=true":             "true",
	} {
		synctest.Test(t, func(t *testing.T) {
			shop := shopOf(label)
			if !strings.HasPrefix(label, "paastis") {
				shop.Found("shop.test")
			}
			reg, _, door, _ := hosted(t, shop)
			fetch(reg)
			reg.Wake(reg.Named("shop"), false)
			time.Sleep(15 * time.Second)
			if got := fetch(reg); strings.Contains(got, shopURL) || !strings.Contains(got, "http://paastis:3000") {
				t.Errorf("%s: before it answers Traefik gets %s", label, got)
			}
			door.becomes(nil)
			time.Sleep(time.Second)
			part := passing + want
			if want == "" {
				part = `"servers":[{"url":"` + shopURL + `:443/"}],"passHostHeader":false`
			}
			if got := fetch(reg); !strings.Contains(got, part) {
				t.Errorf("%s: Traefik gets %s, want %s", label, got, part)
			}
			target := reg.Publisher().Target(reg.Inventory().Routes["shop"])
			if target == nil || !target.IsOwn || target.String() != shopURL {
				t.Errorf("%s: requests are carried to %v", label, target)
			}
		})
	}
}

func TestTraefikPassesTheVisitorsHostToAPlatformThatKnowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, _, door, _ := hosted(t, shopOf("paastis.host=shop.test", "paastis.pass_host=true"))
		fetch(reg)
		door.becomes(nil)
		reg.Wake(reg.Named("shop"), false)
		time.Sleep(15 * time.Second)
		if got := fetch(reg); !strings.Contains(got, `"servers":[{"url":"`+shopURL+`"}]`) || strings.Contains(got, "passHostHeader") {
			t.Errorf("Traefik gets %s", got)
		}
		if target := reg.Publisher().Target(reg.Inventory().Routes["shop"]); target == nil || !target.IsOwn || target.KnowsHost {
			t.Errorf("requests are carried to %+v", target)
		}
	})
}

// Somebody who stands before the app asks who its visitors are.
func TestPaastisCarriesNothingToTheURLOfAnAppPastWhoStandsBeforeIt(t *testing.T) {
	for label, leadsTo := range map[string]string{
		"traefik.http.services.shop.loadbalancer.server.url=http://gate:4180": `"url":"http://gate:4180"`,
		"traefik.http.routers.shop.service=gate@file":                         `"service":"gate@file"`,
	} {
		synctest.Test(t, func(t *testing.T) {
			reg, _, door, _ := hosted(t, shopOf("traefik.http.routers.shop.rule=Host(`shop.test`)", label))
			fetch(reg)
			reg.Wake(reg.Named("shop"), false)
			door.becomes(nil)
			time.Sleep(15 * time.Second)
			if got := fetch(reg); !strings.Contains(got, leadsTo) || strings.Contains(got, shopURL) {
				t.Errorf("%s: Traefik gets %s", label, got)
			}
			if target := reg.Publisher().Target(reg.Inventory().Routes["shop"]); target != nil {
				t.Errorf("%s: requests are carried to %v", label, target)
			}
		})
	}
}

// targetOf is what is asked of an app at a URL.
func targetOf(t *testing.T, url string) inventory.Target {
	t.Helper()
	app := inventory.App{Name: "shop", URL: url, Instances: []inventory.Instance{{Status: inventory.Running}}}
	e := inventory.Resolve([]inventory.Reported{{Provider: "played", App: &app}}, inventory.Settings{Defaults: rules.Defaults()}).Named("shop")
	return e.Targets().At(app.Instances[0], e.Port())
}

// localURL is that of a server, by a name that its certificate may have.
func localURL(t *testing.T, raw string) string {
	t.Helper()
	return strings.Replace(raw, "127.0.0.1", "localhost", 1)
}

func TestAnyAnswerAtAURLButThatOfItsPlatformIsASignOfLife(t *testing.T) {
	t.Parallel()
	status, came := http.StatusOK, ""
	s := authority.Serve(t, "localhost", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came = r.Method + " " + r.Host + r.URL.Path + " " + r.UserAgent()
		w.Header().Set("Location", "https://elsewhere.invalid/")
		w.WriteHeader(status)
	}))
	target := targetOf(t, localURL(t, s.URL))
	for code, want := range map[int]bool{200: true, 301: true, 307: true, 401: true, 404: true, 500: true, 501: true, 502: false, 503: false, 504: false} {
		status = code
		if err := registry.Answers(t.Context(), target); (err == nil) != want {
			t.Errorf("%d: %v", code, err)
		}
	}
	if want := "GET " + strings.TrimPrefix(localURL(t, s.URL), "https://") + "/ Paastis"; came != want {
		t.Errorf("asked as %q, want %q", came, want)
	}
	target.Accepts, status = rules.Statuses{{From: 200, To: 299}}, http.StatusNotFound
	if err := registry.Answers(t.Context(), target); !errors.As(err, new(registry.StatusError)) {
		t.Errorf("404, which its owner does not want: %v", err)
	}
}

func TestAnAnswerWithACertificateThatIsNotTrustedIsNone(t *testing.T) {
	t.Parallel()
	fine := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for name, url := range map[string]string{
		"of an authority that nobody knows": registrytest.NewAuthority().Serve(t, "localhost", fine).URL,
		"of another name":                   authority.Serve(t, "shop.example.com", fine).URL,
	} {
		err := registry.Answers(t.Context(), targetOf(t, localURL(t, url)))
		if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); !untrusted {
			t.Errorf("%s: %v", name, err)
		}
	}
}
