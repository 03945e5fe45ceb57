package strangers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/server"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
)

// Visitors of every kind come to apps that sleep, the whole way: by a real Traefik, in both
// modes. What Paastis answers has to be what their programs understand when it has passed
// Traefik, and what it lets through has to get to the app.

// village is a Traefik before a Paastis, whose apps are of this process.
type village struct {
	t        *testing.T
	direct   bool
	web      string
	provider *registrytest.Provider
}

// eachMode runs a test with a Traefik that asks Paastis, and with one that fetches its routes.
// The apps are of those names, and asleep; Traefik has more flags.
func eachMode(t *testing.T, flags []string, change func(*registrytest.App), names []string, test func(t *testing.T, v *village)) {
	for _, mode := range []string{"ForwardAuth", "direct mode"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			v := &village{t: t, direct: mode == "direct mode"}
			v.open(flags, change, names)
			test(t, v)
		})
	}
}

// open starts the village.
func (v *village) open(flags []string, change func(*registrytest.App), names []string) {
	v.t.Helper()
	var apps []*registrytest.App
	config := "http:\n  middlewares:\n    paastis: {forwardAuth: {address: 'http://%s/auth', maxResponseBodySize: 4096}}\n  routers:\n"
	services := "  services:\n"
	for _, name := range names {
		at := echoing(v.t, name)
		a := registrytest.NewApp(name).At(name+".test").Label("traefik.docker.allownonrunning", "true").
			Label("traefik.http.routers."+name+".middlewares", "paastis@file").
			Label("traefik.http.services."+name+".loadbalancer.server.url", "http://"+at.String()).Label("paastis.port", fmt.Sprint(at.Port()))
		a.Boot, a.Address = 700*time.Millisecond, at.Addr()
		if change != nil {
			change(a)
		}
		apps = append(apps, a)
		config += fmt.Sprintf("    %[1]s: {rule: 'Host(`%[1]s.test`)', middlewares: [paastis], service: %[1]s}\n", name)
		services += fmt.Sprintf("    %s: {loadBalancer: {servers: [{url: 'http://%s'}]}}\n", name, at)
	}
	v.provider = registrytest.NewProvider(apps...)
	paastis := v.serve(flags)
	if v.direct {
		v.web = runTraefik(v.t, append([]string{"--providers.http.endpoint=http://" + paastis + "/traefik/config", "--providers.http.pollinterval=200ms", "--providers.providersthrottleduration=100ms"}, flags...)...)
	} else {
		path := filepath.Join(v.t.TempDir(), "traefik.yml")
		if err := os.WriteFile(path, []byte(fmt.Sprintf(config, paastis)+services), 0o600); err != nil {
			v.t.Fatal(err)
		}
		v.web = runTraefik(v.t, append([]string{"--providers.file.filename=" + path}, flags...)...)
	}
	await(v.t, "Traefik knows the apps", func() bool {
		code, header, _ := visit(v.t, v.web, names[0]+".test", "/robots.txt")
		return code == http.StatusServiceUnavailable && header.Get("X-Paastis-State") == "asleep"
	})
}

// serve starts the Paastis, which knows the flags of Traefik, and returns its address.
func (v *village) serve(flags []string) string {
	v.t.Helper()
	log := slog.New(slog.NewTextHandler(v.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	static, _ := traefik.ReadStatic(append([]string{"--entrypoints.web.address=:80", "--providers.http"}, flags...), nil)
	reg := registry.New(registry.Options{
		Providers: []provider.Provider{v.provider}, Log: log,
		Probe:    func(context.Context, inventory.Target) error { return nil },
		Settings: inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis", Throttle: 100 * time.Millisecond, Traefik: traefik.Static{EntryPoints: static.EntryPoints}},
	})
	if err := reg.Load(v.t.Context()); err != nil {
		v.t.Fatal(err)
	}
	classifier, err := server.NewClassifier(server.DefaultNeverWake())
	if err != nil {
		v.t.Fatal(err)
	}
	srv := server.New(server.Options{Registry: reg, Classifier: classifier, Log: log, ConfigSources: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		v.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { reg.Run(ctx) })
	parts.Go(func() { _ = srv.Serve(ctx, ln) })
	v.t.Cleanup(func() { cancel(); parts.Wait() })
	return ln.Addr().String()
}

// echoing is an app that says what it was asked, echoes on a WebSocket, and allows others'
// origins what they ask for.
func echoing(t *testing.T, name string) netip.AddrPort {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Upgrade") == "websocket":
			echo(w)
		case r.Method == http.MethodOptions:
			w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			w.Header().Set("Access-Control-Allow-Methods", r.Header.Get("Access-Control-Request-Method"))
			w.WriteHeader(http.StatusNoContent)
		default:
			n, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				n = -1
			}
			fmt.Fprintf(w, "%s: %s %s, %d bytes", name, r.Method, r.Header.Get("X-Forwarded-Proto"), n)
		}
	}))
	t.Cleanup(s.CloseClientConnections)
	return netip.MustParseAddrPort(s.Listener.Addr().String())
}

func echo(w http.ResponseWriter) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	line, _ := buffered.ReadString('\n')
	_, _ = io.WriteString(conn, line)
}

func TestVisitorsOfEveryKindGetToASleepingApp(t *testing.T) {
	const api = "POST https, 5 bytes"
	visits := map[string]struct {
		lines []string
		want  string // of the app; empty: 204
	}{
		"fetch":     {[]string{"Accept: */*", "Sec-Fetch-Mode: cors"}, "GET http, 0 bytes"},
		"preflight": {[]string{"method OPTIONS", "Origin: https://other.test", "Access-Control-Request-Method: PUT"}, ""},
		"htmx":      {[]string{"Accept: text/html, */*", "HX-Request: true"}, "GET http, 0 bytes"},
		"turbo":     {[]string{"Accept: text/html, application/xhtml+xml", "Turbo-Frame: cart"}, "GET http, 0 bytes"},
		"jquery":    {[]string{"Accept: text/html, */*; q=0.01", "X-Requested-With: XMLHttpRequest"}, "GET http, 0 bytes"},
		"form":      {[]string{"method POST", "Accept: text/html", "Content-Type: application/x-www-form-urlencoded", "body a=b&c"}, "POST http, 5 bytes"},
		"purge":     {[]string{"method PURGE"}, "PURGE http, 0 bytes"},
		"query":     {[]string{"method QUERY", "Content-Type: application/sql", "body SELECT"}, "QUERY http, 6 bytes"},
		"webdav":    {[]string{"method PROPFIND", "Depth: 1", "body <propfind/>"}, "PROPFIND http, 11 bytes"},
		"folder":    {[]string{"method MKCOL"}, "MKCOL http, 0 bytes"},
		"grpc":      {[]string{"method POST", "Content-Type: application/grpc", "body 12345"}, "POST http, 5 bytes"},
		"balancer":  {[]string{"method POST", "X-Forwarded-Proto: https", "body 12345"}, api},
	}
	var names []string
	for name := range visits {
		names = append(names, name)
	}
	eachMode(t, []string{"--entrypoints.web.forwardedheaders.insecure=true"}, nil, names, func(t *testing.T, v *village) {
		for name, c := range visits {
			code, header, body := send(t, v.web, name+".test", c.lines...)
			switch {
			case c.want == "" && (code != http.StatusNoContent || header.Get("Access-Control-Allow-Methods") != "PUT"):
				t.Errorf("%s: %d %v %s", name, code, header, body)
			case c.want != "" && (code != http.StatusOK || body != name+": "+c.want):
				t.Errorf("%s: %d %v %s, want %s", name, code, header, body, c.want)
			}
		}
	})
}

// send is visit with a body, in the line "body …".
func send(t *testing.T, base, host string, lines ...string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, base+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	for _, line := range lines {
		if method, is := strings.CutPrefix(line, "method "); is {
			r.Method = method
		} else if body, is := strings.CutPrefix(line, "body "); is {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		} else {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Add(name, value)
		}
	}
	return answerOf(client, r)
}

func answerOf(c *http.Client, r *http.Request) (int, http.Header, string) {
	resp, err := c.Do(r)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	for name, values := range resp.Trailer {
		resp.Header["Trailer:"+name] = values
	}
	return resp.StatusCode, resp.Header, string(text)
}

func TestAWebSocketIsHeldUntilItsAppIsThere(t *testing.T) {
	eachMode(t, nil, nil, []string{"chat"}, func(t *testing.T, v *village) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(v.web, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: chat.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
		from := bufio.NewReader(conn)
		resp, err := http.ReadResponse(from, nil)
		if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("%v %v", resp, err)
		}
		fmt.Fprintln(conn, "hello")
		if line, err := from.ReadString('\n'); line != "hello\n" {
			t.Errorf("the app says %q: %v", line, err)
		}
	})
}

func TestWhatPaastisSaysIsUnderstoodBehindTraefik(t *testing.T) {
	broken := func(a *registrytest.App) { a.Err = errors.New("no") }
	eachMode(t, nil, broken, []string{"api", "call"}, func(t *testing.T, v *village) {
		code, header, body := send(t, v.web, "api.test", "Origin: https://other.test", "Sec-Fetch-Mode: cors")
		for name, want := range map[string]string{"Access-Control-Allow-Origin": "https://other.test", "Content-Type": "application/problem+json", "X-Paastis-State": "failed"} {
			if header.Get(name) != want {
				t.Errorf("%s is %q, want %q", name, header.Get(name), want)
			}
		}
		if code != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !strings.Contains(header.Get("Access-Control-Expose-Headers"), "Retry-After") {
			t.Errorf("%d %v %s", code, header, body)
		}
		if code, header, body = v.call("call.test"); header.Get("Grpc-Status") != "14" || header.Get("Content-Type") != "application/grpc" {
			t.Errorf("a call of gRPC gets %d %v %s", code, header, body)
		}
		if want := map[bool]int{true: http.StatusOK, false: http.StatusServiceUnavailable}[v.direct]; code != want {
			t.Errorf("a call of gRPC gets %d, want %d", code, want)
		}
		if code, header, _ = send(t, v.web, "api.test", "method OPTIONS", "Origin: https://other.test", "Access-Control-Request-Method: PUT"); code < 400 || header.Get("Access-Control-Allow-Methods") != "" {
			t.Errorf("a preflight gets %d %v", code, header)
		}
	})
}

// call is a call of gRPC, over HTTP/2 without TLS.
func (v *village) call(host string) (int, http.Header, string) {
	var two http.Protocols
	two.SetUnencryptedHTTP2(true)
	r, err := http.NewRequest(http.MethodPost, v.web+"/shop.Cart/Get", strings.NewReader("\x00\x00\x00\x00\x00"))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Host = host
	r.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}}
	over := &http.Transport{Protocols: &two}
	defer over.CloseIdleConnections()
	return answerOf(&http.Client{Transport: over, Timeout: time.Minute}, r)
}

func TestAPreviewOfALinkWakesNothing(t *testing.T) {
	eachMode(t, nil, nil, []string{"shop"}, func(t *testing.T, v *village) {
		v.provider.Took()
		for _, agent := range []string{"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "WhatsApp/2.23.20.0 A", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"} {
			code, header, body := send(t, v.web, "shop.test", "Accept: text/html", "User-Agent: "+agent)
			if code != http.StatusServiceUnavailable || header.Get("X-Paastis-State") != "asleep" {
				t.Errorf("%s: %d %v %s", agent, code, header, body)
			}
		}
		if orders := v.provider.Took(); orders != "-" {
			t.Errorf("orders: %s", orders)
		}
	})
}

func TestWhoHasToAskAgainIsSentToTheSchemeThatItUsed(t *testing.T) {
	found := func(a *registrytest.App) {
		delete(a.Labels, "traefik.http.services."+a.Name+".loadbalancer.server.url")
	}
	eachMode(t, []string{"--entrypoints.web.forwardedheaders.insecure=true"}, found, []string{"shop"}, func(t *testing.T, v *village) {
		code, header, body := send(t, v.web, "shop.test", "method PUT", "X-Forwarded-Proto: https", "body 12345")
		if v.direct {
			if code != http.StatusOK || body != "shop: PUT https, 5 bytes" {
				t.Errorf("%d %v %s", code, header, body)
			}
		} else if code != http.StatusTemporaryRedirect || header.Get("Location") != "https://shop.test/" {
			t.Errorf("%d %v %s", code, header, body)
		}
	})
}

// long is an upload that does not fit into the buffers on its way.
const long = 64 << 20

func TestAHeldUploadIsAnsweredBeforeTraefikCutsItOff(t *testing.T) {
	slow := func(a *registrytest.App) { a.Boot = 30 * time.Second }
	flags := []string{"--entrypoints.web.transport.respondingtimeouts.readtimeout=4s"}
	eachMode(t, flags, slow, []string{"shop"}, func(t *testing.T, v *village) {
		began := time.Now()
		code, header, body := v.upload("shop.test", long)
		if took := time.Since(began); code != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || took > 4*time.Second {
			t.Errorf("after %s: %d %v %s", took, code, header, body)
		}
	})
}

func TestAnUploadThatIsHeldForAWhileArrivesWhole(t *testing.T) {
	flags := []string{"--entrypoints.web.transport.respondingtimeouts.readtimeout=8s"}
	later := func(a *registrytest.App) { a.Boot = 3 * time.Second }
	eachMode(t, flags, later, []string{"shop"}, func(t *testing.T, v *village) {
		if code, header, body := v.upload("shop.test", long); code != http.StatusOK || body != fmt.Sprintf("shop: PUT http, %d bytes", long) {
			t.Errorf("%d %v %s", code, header, body)
		}
	})
}

func TestASmallBodyOutlastsTraefiksReadTimeout(t *testing.T) {
	flags := []string{"--entrypoints.web.transport.respondingtimeouts.readtimeout=2s"}
	later := func(a *registrytest.App) { a.Boot = 5 * time.Second }
	eachMode(t, flags, later, []string{"shop"}, func(t *testing.T, v *village) {
		if !v.direct {
			return // Traefik has the body, and does not say how long it is
		}
		if code, header, body := v.upload("shop.test", 32<<10); code != http.StatusOK || body != "shop: PUT http, 32768 bytes" {
			t.Errorf("%d %v %s", code, header, body)
		}
	})
}

// upload sends a body of so many bytes.
func (v *village) upload(host string, size int64) (int, http.Header, string) {
	r, err := http.NewRequest(http.MethodPut, v.web+"/file", io.LimitReader(zeros{}, size))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Host, r.ContentLength = host, size
	return answerOf(client, r)
}

// zeros never end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestTraefiksAPITellsTheTimeoutsOfItsEntryPoints(t *testing.T) {
	port := freePort(t)
	runTraefik(t, "--api.insecure=true", "--api.dashboard=false", "--entrypoints.traefik.address=127.0.0.1:"+port,
		"--entrypoints.web.transport.respondingtimeouts.readtimeout=0", "--entrypoints.web.transport.respondingtimeouts.writetimeout=90")
	client, err := api.New("http://127.0.0.1:" + port)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]traefik.Timeouts{}
	await(t, "the API answers", func() bool {
		all, err := client.EntryPoints(t.Context())
		for _, e := range all {
			got[e.Name] = e.Limits()
		}
		return err == nil
	})
	if got["web"] != (traefik.Timeouts{Write: 90 * time.Second}) || got["traefik"] != (traefik.Timeouts{Read: time.Minute}) {
		t.Errorf("%+v", got)
	}
}
