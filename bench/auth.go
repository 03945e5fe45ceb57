package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server"
)

const (
	// rounds is how often each contender is measured, in turn.
	rounds = 60
	// turn is how long a contender is measured at a time.
	turn = 100 * time.Millisecond
	// hot is how many apps are asked for; the others are there.
	hot = 10
)

// auth compares /auth with a bare Echo handler that answers 200 to the same requests:
// over connections that are kept, which is what Traefik has of it, and as a call without
// any socket, which shows what the handler itself costs. All is CPU time, in which other
// work on the machine hardly shows.
func auth(ctx context.Context, r *Results) error {
	field, err := newField(ctx)
	if err != nil {
		return err
	}
	r.Set("auth_vs_echo.allocs", field.named("apps_10").allocations()-field.named("echo").allocations())
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it is done between the rounds
	us, err := field.overLoopback(ctx)
	if err != nil {
		return err
	}
	field.report(r, us)
	ns, err := field.inProcess(ctx)
	if err != nil {
		return err
	}
	for name, samples := range ns {
		r.Samples("auth_vs_echo.inprocess_"+name+"_ns_samples", samples)
		r.Set("auth_vs_echo.inprocess_"+name+"_ns", median(samples))
	}
	r.Set("auth_vs_echo.inprocess_ratio", median(ratios(ns["echo"], ns["apps_10"])))
	return nil
}

// report sets what each contender costs over the loopback, beside the one with ten apps.
func (f field) report(r *Results, us map[string][]float64) {
	for _, c := range f {
		r.Samples("auth_vs_echo."+c.name+"_us_samples", us[c.name])
		r.Set("auth_vs_echo."+c.name+"_us", median(us[c.name]))
		if c.name != "echo" && c.name != "apps_10" {
			r.Set("auth_vs_echo."+c.name, median(ratios(us[c.name], us["apps_10"])))
		}
	}
	samples := ratios(us["echo"], us["apps_10"])
	r.Samples("auth_vs_echo.samples", samples)
	r.Set("auth_vs_echo.ratio", median(samples))
}

// ratios divides samples that were taken in the same rounds.
func ratios(of, by []float64) []float64 {
	list := make([]float64, 0, len(of))
	for i := range of {
		list = append(list, of[i]/by[i])
	}
	return list
}

// contender is a handler, and how many apps it is asked for.
type contender struct {
	name    string
	handler http.Handler
	asked   int
}

// field is all that are compared.
type field []contender

func newField(ctx context.Context) (field, error) {
	f := field{{"echo", bareEcho(), hot}}
	for _, c := range []struct {
		name        string
		apps, rules int
	}{
		{"apps_10", 10, 1},
		{"apps_1k", 1_000, 1},
		{"apps_100k", many, 1},
		{"rules_1k", 1_000, 1_000},
	} {
		reg, err := newRegistry(ctx, &fleet{size: c.apps, awake: allAwake}, c.rules)
		if err != nil {
			return nil, err
		}
		f = append(f, contender{c.name, newServer(reg), hot})
	}
	f = append(f, contender{"apps_100k_all_asked", f.named("apps_100k").handler, many})
	for _, c := range f {
		if err := c.check(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f field) named(name string) contender {
	return f[slices.IndexFunc(f, func(c contender) bool { return c.name == name })]
}

// bareEcho answers 200 to everything at /auth.
func bareEcho() http.Handler {
	e := echo.New()
	e.Any("/auth", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	return e
}

func newServer(reg *registry.Registry) *server.Server {
	classifier, err := server.NewClassifier(server.DefaultNeverWake())
	if err != nil {
		panic(err) // a test of the server's makes it
	}
	return server.New(server.Options{
		Registry: reg, Classifier: classifier, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
}

// question is ForwardAuth's about a visit with a browser.
func question(app int) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://paastis:3000/auth", nil)
	for name, value := range map[string]string{
		"Accept":                    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
		"Accept-Encoding":           "gzip, deflate, br, zstd",
		"Accept-Language":           "en-GB,en;q=0.9,fr;q=0.8",
		"Cookie":                    "session=6f1c2f6a9d3e4b7f8a0c; theme=dark",
		"Priority":                  "u=0, i",
		"Referer":                   fmt.Sprintf("https://%s/", host(app)),
		"Sec-Ch-Ua":                 `"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"`,
		"Sec-Ch-Ua-Mobile":          "?0",
		"Sec-Ch-Ua-Platform":        `"Linux"`,
		"Sec-Fetch-Dest":            "document",
		"Sec-Fetch-Mode":            "navigate",
		"Sec-Fetch-Site":            "same-origin",
		"Sec-Fetch-User":            "?1",
		"Upgrade-Insecure-Requests": "1",
		"User-Agent":                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
		"X-Forwarded-For":           "203.0.113.7",
		"X-Forwarded-Host":          host(app),
		"X-Forwarded-Method":        http.MethodGet,
		"X-Forwarded-Port":          "443",
		"X-Forwarded-Proto":         "https",
		"X-Forwarded-Server":        "5b3f0c7d8e21",
		"X-Forwarded-Uri":           "/articles/42?page=2",
		"X-Real-Ip":                 "203.0.113.7",
	} {
		r.Header.Set(name, value)
	}
	return r
}

func questions(apps int) []*http.Request {
	list := make([]*http.Request, 0, apps)
	for app := range apps {
		list = append(list, question(app))
	}
	return list
}

// check makes sure that the contender lets its requests through.
func (c contender) check() error {
	for app := range c.asked {
		w := httptest.NewRecorder()
		if c.handler.ServeHTTP(w, question(app)); w.Code != http.StatusOK {
			return fmt.Errorf("%s answers %d for %s: %s", c.name, w.Code, host(app), w.Body)
		}
	}
	return nil
}

// overLoopback is what a request to each contender takes, in microseconds, round by round.
func (f field) overLoopback(ctx context.Context) (map[string][]float64, error) {
	us := map[string][]float64{}
	var stations []*station
	for _, c := range f {
		s, err := c.open(ctx)
		if err != nil {
			return nil, err
		}
		defer s.close()
		stations = append(stations, s)
	}
	for round := range rounds {
		runtime.GC()
		// Each is first in its turn, for the first has a processor that is full of the
		// garbage collector's things.
		for i := range stations {
			next := (round + i) % len(stations)
			took, err := stations[next].drive(ctx, turn)
			if err != nil {
				return nil, err
			}
			us[f[next].name] = append(us[f[next].name], float64(took.Nanoseconds())/1e3)
		}
	}
	return us, nil
}

// inProcess is what a call of each handler takes, in nanoseconds, round by round. Only a
// few apps are asked for: the requests themselves would not fit into the processor.
func (f field) inProcess(ctx context.Context) (map[string][]float64, error) {
	ns, requests := map[string][]float64{}, questions(hot)
	for range rounds {
		for _, c := range f {
			if c.asked == hot {
				ns[c.name] = append(ns[c.name], c.call(requests))
			}
		}
	}
	return ns, ctx.Err()
}

// call calls the handler for a turn and returns the nanoseconds that a call takes.
func (c contender) call(requests []*http.Request) float64 {
	const batch = 1000
	w := &nothing{h: http.Header{}}
	calls := 0
	before, until := cpuTime(), time.Now().Add(turn)
	for time.Now().Before(until) {
		for i := range batch {
			c.handler.ServeHTTP(w, requests[i%hot])
		}
		calls += batch
	}
	return float64((cpuTime() - before).Nanoseconds()) / float64(calls)
}

// allocations are those of a call of the handler.
func (c contender) allocations() float64 {
	const calls = 100_000
	w, requests := &nothing{h: http.Header{}}, questions(hot)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range calls {
		c.handler.ServeHTTP(w, requests[i%hot])
	}
	runtime.ReadMemStats(&after)
	return float64((after.Mallocs - before.Mallocs) / calls)
}

// nothing is a ResponseWriter that costs nothing.
type nothing struct{ h http.Header }

func (w *nothing) Header() http.Header         { return w.h }
func (w *nothing) Write(b []byte) (int, error) { return len(b), nil }
func (w *nothing) WriteHeader(int)             {}
