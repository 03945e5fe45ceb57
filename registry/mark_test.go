package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/dynamic"
)

// poll is a Traefik that fetches the routes when the test says so, and uses them at once.
type poll struct {
	t       *testing.T
	address netip.Addr
	marks   map[string]string // :: route → its mark
}

func newPoll(t *testing.T, address string) *poll {
	return &poll{t: t, address: netip.MustParseAddr(address)}
}

// fetch reports whether the marks are others than before.
func (p *poll) fetch(r *Registry) bool {
	p.t.Helper()
	published := r.publisher.Publish(p.address, self)
	r.publisher.Sends(published.Version)
	r.publisher.Fetched(p.address, self, published.Version)
	was := fmt.Sprint(p.marks)
	p.marks = marksIn(p.t, published.Body)
	return fmt.Sprint(p.marks) != was
}

// marksIn are the marks of a configuration, by route.
func marksIn(t *testing.T, body []byte) map[string]string {
	t.Helper()
	var c struct {
		HTTP struct {
			Middlewares map[string]struct{ AddPrefix struct{ Prefix string } }
		}
	}
	if err := json.Unmarshal(body, &c); err != nil {
		t.Fatal(err)
	}
	marks := map[string]string{}
	for name, m := range c.HTTP.Middlewares {
		if route, ours := strings.CutPrefix(name, "paastis-"); ours {
			marks[route] = strings.TrimPrefix(m.AddPrefix.Prefix, dynamic.PathPrefix)
		}
	}
	return marks
}

// wantTaken fails the test unless requests with the marks of a Traefik are taken.
func wantTaken(t *testing.T, r *Registry, p *poll) {
	t.Helper()
	for route, mark := range p.marks {
		if rt, err := r.publisher.Marked(mark); err != nil || rt.Name != route {
			t.Fatalf("at %s Traefik %s sends a request by %s, and gets %v", time.Now(), p.address, route, err)
		}
	}
}

// wantRefused fails the test unless a mark is refused for a reason.
func wantRefused(t *testing.T, r *Registry, what, mark string, want error) {
	t.Helper()
	if rt, err := r.publisher.Marked(mark); rt != nil || !errors.Is(err, want) {
		t.Errorf("%s: it is %v, %v; want %v", what, rt, err, want)
	}
}

func TestMarksAreRenewedAndNoTraefikIsRefusedForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo(), service("blog", "web").routed("blog.test"))
		often, seldom, hourly := newPoll(t, "10.0.0.2"), newPoll(t, "10.0.0.3"), newPoll(t, "10.0.0.4")
		renewed, first := 0, ""
		for step := range 3 * 24 * 60 * 4 {
			if often.fetch(w.Registry) {
				renewed++
			}
			if step%(4*25) == 7 {
				seldom.fetch(w.Registry)
			}
			if step > 23*60*4 && step%(4*59) == 11 { // the first time little before the keys are renewed
				hourly.fetch(w.Registry)
			}
			if first == "" {
				first = often.marks["solo-web"]
			}
			for _, p := range []*poll{often, seldom, hourly} {
				wantTaken(t, w.Registry, p)
			}
			time.Sleep(15 * time.Second)
		}
		if renewed != 3 { // the first ones, and those of two of three days
			t.Errorf("in three days there were %d sets of marks", renewed)
		}
		wantRefused(t, w.Registry, "the first mark", first, handover.ErrForged)
	})
}

func TestAMarkEndsOnlyOnceEveryTraefikHasTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo())
		quick, stuck := newPoll(t, "10.0.0.2"), newPoll(t, "10.0.0.3")
		old := ""
		for step := range 35 * 60 {
			quick.fetch(w.Registry)
			if step%(6*60) == 0 && step < 24*60 {
				stuck.fetch(w.Registry) // each six hours: it counts as gone after eighteen
				old = stuck.marks["solo-web"]
			}
			wantTaken(t, w.Registry, stuck)
			time.Sleep(time.Minute)
		}
		if old == quick.marks["solo-web"] {
			t.Fatal("the marks are not renewed")
		}
		for range 6 * 60 {
			quick.fetch(w.Registry)
			time.Sleep(time.Minute)
		}
		wantRefused(t, w.Registry, "the mark of one that is gone", old, handover.ErrForged)
	})
}

func TestMarksOutlivePaastisAtAnyMomentIfItsStateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p, restarts := &shelf{}, newPoll(t, "10.0.0.2"), 0
		s.lives(t, newFake(solo()), func(r *Registry) {
			for range 50 * 60 * 4 {
				if p.fetch(r) {
					restarts++
					kept, _ := s.Load(t.Context())
					crashed := &shelf{kept: kept} // it is killed in this moment
					crashed.lives(t, newFake(solo()), func(r *Registry) { wantTaken(t, r, p) })
				}
				time.Sleep(15 * time.Second)
			}
		})
		if restarts != 3 {
			t.Errorf("%d sets of marks", restarts)
		}
		late := newPoll(t, "10.0.0.3")
		s.lives(t, newFake(solo()), func(r *Registry) {
			wantTaken(t, r, p)
			late.fetch(r)
			if late.marks["solo-web"] != p.marks["solo-web"] {
				t.Error("the Paastis after publishes other marks")
			}
		})
	})
}

func TestWithoutAStateTraefikIsToldToComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, other := newPoll(t, "10.0.0.2"), newPoll(t, "10.0.0.3")
		runs(t, newFake(solo()), Options{Settings: settingsFor(t, ""), Log: slog.New(slog.DiscardHandler)}, func(r *Registry) {
			p.fetch(r)
			other.fetch(r)
		})
		runs(t, newFake(solo()), Options{Settings: settingsFor(t, ""), Log: slog.New(slog.DiscardHandler)}, func(r *Registry) {
			before := p.marks["solo-web"]
			wantRefused(t, r, "before anybody came", before, handover.ErrOutdated)
			wantRefused(t, r, "one that nobody has made", "x.solo-web", handover.ErrForged)
			time.Sleep(10 * time.Second)
			p.fetch(r)
			if p.marks["solo-web"] == before {
				t.Error("another Paastis publishes the same marks")
			}
			wantTaken(t, r, p)
			wantRefused(t, r, "before the other came", other.marks["solo-web"], handover.ErrOutdated)
			time.Sleep(20 * time.Second)
			wantRefused(t, r, "when all have come", before, handover.ErrForged)
		})
		runs(t, newFake(solo()), Options{Settings: settingsFor(t, ""), Log: slog.New(slog.DiscardHandler)}, func(r *Registry) {
			time.Sleep(2 * time.Minute)
			wantRefused(t, r, "though nobody came", p.marks["solo-web"], handover.ErrForged)
		})
	})
}

func TestNoRouteIsTakenThatNoTraefikHasFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo(), service("blog", "web").routed("blog.test"))
		time.Sleep(130 * time.Second) // and no audit is under way
		looked := marksIn(t, w.publisher.Publish(netip.MustParseAddr("10.0.0.9"), self).Body)
		wantRefused(t, w.Registry, "somebody has looked at the routes", looked["solo-web"], handover.ErrForged)
		p := newPoll(t, "10.0.0.2")
		p.fetch(w.Registry)
		wantTaken(t, w.Registry, p)
		tag, _, _ := strings.Cut(p.marks["solo-web"], ".")
		for _, forged := range []string{
			tag + ".blog-web", tag, tag + ".", "." + tag, "solo-web", "", ".", ".solo-web", tag[1:] + ".solo-web", "A" + tag + ".solo-web",
			strings.ToLower(tag) + ".solo-web", tag + ".solo-web.", tag + ".Solo-Web", strings.Repeat("A", len(tag)) + ".solo-web", tag + ".nobody",
		} {
			wantRefused(t, w.Registry, forged, forged, handover.ErrForged)
		}
		w.takeAway("solo-web")
		time.Sleep(time.Second)
		wantRefused(t, w.Registry, "the app is gone", p.marks["solo-web"], handover.ErrWithdrawn)
	})
}

func TestAKeyIsPublishedOnlyOnceItIsSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := &shelf{}, newPoll(t, "10.0.0.2")
		s.lives(t, newFake(solo()), func(r *Registry) {
			p.fetch(r)
			first := p.marks["solo-web"]
			s.fail(errors.New("no space"))
			for range 30 * 60 {
				p.fetch(r)
				time.Sleep(time.Minute)
			}
			if p.marks["solo-web"] != first {
				t.Error("the Paastis after this one would not know the mark")
			}
			s.fail(nil)
			time.Sleep(2 * time.Minute)
			p.fetch(r)
			if p.marks["solo-web"] == first {
				t.Error("the mark is not renewed once it can be saved")
			}
			wantTaken(t, r, p)
		})
	})
}

func TestAMarkOpensOnlyWhatItsRouterTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			rule, middlewares string
			lines             []string // GET URL, then headers
			want              bool
		}{
			{"Host(`a.test`)", "", []string{"http://a.test/x"}, true},
			{"Host(`a.test`)", "", []string{"http://A.test:8080/x"}, true},
			{"Host(`a.test`)", "", []string{"http://paastis-infra/x"}, false},
			{"Host(`a.test`)", "auth@file", []string{"http://paastis-infra/x"}, false},
			{"Host(`a.test`)", "", []string{"http://paastis-infra/x", "X-Forwarded-Host: a.test"}, false},
			{"Host(`a.test`) && PathPrefix(`/api`)", "", []string{"http://a.test/admin"}, false},
			{"Host(`a.test`) && PathPrefix(`/api`)", "paastis@docker", []string{"http://a.test/admin"}, false},
			{"Host(`a.test`) && PathPrefix(`/api`)", "", []string{"http://a.test/orders", "X-Forwarded-Prefix: /api"}, true},
			{"Host(`a.test`) && Path(`/api`)", "", []string{"http://a.test/v2", "X-Replaced-Path: /api"}, true},
			{"Host(`a.test`) && PathPrefix(`/api`)", "rewrites@file", []string{"http://a.test/v2/api"}, true},
			{"Host(`a.test`) && PathPrefix(`/api`)", "rewrites@file", []string{"http://b.test/v2/api"}, false},
			{"Host(`a.test`) && ClientIP(`10.0.0.0/8`)", "auth@file", []string{"http://a.test/", "X-Forwarded-For: 203.0.113.7"}, false},
			{"Host(`a.test`) && ClientIP(`10.0.0.0/8`)", "auth@file", []string{"http://a.test/", "X-Forwarded-For: 10.0.0.7"}, true},
			{"Host(`a.test`) && !ClientIP(`10.0.0.0/8`)", "auth@file", []string{"http://a.test/", "X-Forwarded-For: 10.0.0.7"}, false},
			{"Host(`a.test`) && Header(`X-Tenant`, `a`)", "", []string{"http://a.test/"}, true},
			{"Host(`a.test`) && !Header(`X-Tenant`, `a`)", "", []string{"http://a.test/", "X-Tenant: a"}, true},
			{"Host(`a.test`) && Method(`POST`)", "", []string{"http://a.test/"}, false},
			{"Host(`a.test`) && Query(`v`, `2`)", "", []string{"http://a.test/?v=1"}, false},
			{"Host(`a.test`) || Host(`b.test`)", "", []string{"http://b.test/"}, true},
			{"HostRegexp(`^.+\\.a\\.test$`)", "", []string{"http://x.a.test/"}, true},
			{"HostRegexp(`^.+\\.a\\.test$`)", "", []string{"http://x.b.test/"}, false},
			{"PathPrefix(`/api`)", "", []string{"http://any.test/api/1"}, true},
		} {
			a := service("solo", "web").label("paastis.enable", "true").label("traefik.http.routers.r.rule", c.rule).label("paastis.port", "80")
			if c.middlewares != "" {
				a.label("traefik.http.routers.r.middlewares", c.middlewares)
			}
			rt := inventory.Resolve([]inventory.Reported{{Provider: "fake", App: &a.App.App}}, settingsFor(t, "")).Routes["solo-web.r"]
			req := requestOf(t, c.lines)
			if got := rt.Takes(&req); got != c.want {
				t.Errorf("%s (%s) takes %q: %t", c.rule, c.middlewares, c.lines, got)
			}
		}
	})
}

// requestOf is a request to a URL, with headers.
func requestOf(t *testing.T, lines []string) traefik.Request {
	t.Helper()
	req, err := traefik.FromURL(lines[0])
	if err != nil {
		t.Fatal(err)
	}
	req.Header = map[string][]string{}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
		if name == "X-Forwarded-For" {
			req.ClientIP = netip.MustParseAddr(value)
		}
	}
	return req
}
