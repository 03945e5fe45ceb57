package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

var wakeSamples = flag.Int("wake.samples", 20, "wake: how often each kind of app is woken")

// wakeBoot is how long the apps boot: longer than the engine's start call, so that both
// parts are seen.
const wakeBoot = "300ms"

// waked are the kinds of apps that are woken: what a visitor asks for, and what that
// needs, by service.
var waked = []struct {
	key   string // of the figure
	app   string
	needs map[string][]string
	mode  string
	api   bool // Traefik has to find the server
}{
	{key: "static_ms_p50", app: "static", mode: "forwardauth"},
	{key: "api_ms_p50", app: "api", mode: "forwardauth", api: true},
	{key: "published_ms_p50", app: "published", mode: "direct"},
	{key: "chain3_overhead_ms", app: "front", mode: "forwardauth", needs: map[string][]string{"front": {"back"}, "back": {"db"}}},
	{key: "fan5_overhead_ms", app: "fan", mode: "forwardauth", needs: map[string][]string{"fan": {"fan1", "fan2", "fan3", "fan4", "fan5"}}},
}

// wake measures the time from a program's request to a sleeping app to the app's 200,
// without what the engine's start calls and the apps' boots take on the critical path.
func wake(ctx context.Context, r *Results) error {
	return onSite(ctx, "bench-wake", func(s *site) error {
		socket, err := listenSocket(filepath.Join(s.dir, "docker.sock"))
		if err != nil {
			return err
		}
		defer socket.close()
		w := &waker{site: s, socket: socket, ids: map[string]string{}}
		if err := w.serve(ctx); err != nil {
			return err
		}
		samples := map[string][]timing{}
		for range *wakeSamples {
			for i, kind := range waked {
				t, err := w.sample(ctx, i)
				if err != nil {
					return fmt.Errorf("%s: %w", kind.key, err)
				}
				samples[kind.key] = append(samples[kind.key], t)
			}
		}
		for key, timings := range samples {
			keepTimings(r, "wake."+key, timings)
		}
		return nil
	})
}

// timing is where the time of a wake went, in milliseconds.
type timing struct {
	// over is all that is neither the engine's nor an app's own.
	over float64
	// order is the part of it before the first start, let the part after the last boot.
	order, let float64
	// total is the whole time that the visitor waited.
	total float64
}

// keepTimings sets a figure, and beside its samples those of its parts.
func keepTimings(r *Results, key string, timings []timing) {
	var over, order, let, total []float64
	for _, t := range timings {
		over, order, let, total = append(over, t.over), append(order, t.order), append(let, t.let), append(total, t.total)
	}
	r.Set(key, median(over))
	r.Samples(key+".samples", over)
	r.Samples(key+".before_start.samples", order)
	r.Samples(key+".after_boot.samples", let)
	r.Samples(key+".total.samples", total)
}

// waker wakes apps and takes the time.
type waker struct {
	*site
	socket  *socket
	visitor *http.Client
	ids     map[string]string // :: service → container ID
}

// serve starts Traefik and Paastis beside apps that sleep.
func (w *waker) serve(ctx context.Context) error {
	w.addTraefik(append(w.byLabels(), w.byPaastis()...)...)
	w.addPaastis(w.socket.path, "PAASTIS_MAX_IDLE_TIME=1s", "PAASTIS_QUIET_TIME=1s", "PAASTIS_STREAM_QUIET_TIME=1s")
	for _, kind := range waked {
		w.addWaked(kind.app, kind.needs, w.routed(kind.app, !kind.api, "paastis.mode="+kind.mode)...)
	}
	if err := w.up(ctx, "paastis", "traefik"); err != nil {
		return err
	}
	for name := range w.services {
		c, err := w.inspect(ctx, name)
		if err != nil {
			return err
		}
		w.ids[name] = c.ID
	}
	var err error
	w.visitor, err = w.site.visitor(ctx)
	return err
}

// addWaked adds an app and all that it needs. Only routes of Paastis's own want to see
// the app's traffic; the others sleep sooner without a look at it.
func (w *waker) addWaked(app string, needs map[string][]string, labels ...string) {
	if app != "published" {
		labels = append(labels, "paastis.traffic_floor=off")
	}
	w.addApp(app, wakeBoot, append(labels, w.links(needs[app])...)...)
	for _, needed := range needs[app] {
		w.addWaked(needed, needs)
	}
}

// links is the label of what an app needs.
func (s *site) links(needs []string) []string {
	if len(needs) == 0 {
		return nil
	}
	names := make([]string, 0, len(needs))
	for _, n := range needs {
		names = append(names, s.container(n))
	}
	return []string{"paastis.linked_apps=" + strings.Join(names, ",")}
}

// sample wakes one kind of app once, when all is quiet.
func (w *waker) sample(ctx context.Context, kind int) (timing, error) {
	k := waked[kind]
	if err := w.asleep(ctx, k.app, time.Minute); err != nil {
		return timing{}, err
	}
	pause(ctx, rand.N(2*time.Second)) // Traefik's throttle and polls must not be at the same point each time
	sent := wall()
	a, err := get(ctx, w.visitor, "http://"+w.host(k.app)+"/")
	done := wall()
	if err != nil {
		return timing{}, err
	}
	if a.status != http.StatusOK || !strings.Contains(a.body, `"name":"`+k.app+`"`) {
		return timing{}, fmt.Errorf("the app's visitor got %d %s", a.status, a.body)
	}
	path, err := w.criticalPath(ctx, k.app, k.needs, sent)
	if err != nil {
		return timing{}, err
	}
	t := timing{
		order: ms(path[0].from.Sub(sent)),
		let:   ms(done.Sub(path[len(path)-1].to)),
		total: ms(done.Sub(sent)),
	}
	t.over = t.total
	for _, own := range path {
		t.over -= ms(own.to.Sub(own.from))
	}
	return t, nil
}

// criticalPath is the time that each of the apps took for itself that a wake had to wait
// for, one after the other: of those that an app needs it is the one that was ready last.
func (w *waker) criticalPath(ctx context.Context, app string, needs map[string][]string, since time.Time) ([]span, error) {
	own, err := w.own(ctx, app, since)
	if err != nil {
		return nil, err
	}
	var before []span
	for _, needed := range needs[app] {
		path, err := w.criticalPath(ctx, needed, needs, since)
		if err != nil {
			return nil, err
		}
		if before == nil || path[len(path)-1].to.After(before[len(before)-1].to) {
			before = path
		}
	}
	return append(before, own), nil
}

// own is the time that an app took for itself: from the order to start it until the
// engine had done so and it listened.
func (w *waker) own(ctx context.Context, app string, since time.Time) (span, error) {
	call, err := w.socket.start(w.ids[app], since)
	if err != nil {
		return span{}, fmt.Errorf("%s: %w", app, err)
	}
	booted, err := w.booted(ctx, app)
	if err != nil {
		return span{}, err
	}
	if booted.After(call.to) {
		call.to = booted
	}
	return call, nil
}

// booted asks an app itself when it had booted.
func (w *waker) booted(ctx context.Context, app string) (time.Time, error) {
	address, err := w.address(ctx, app, "8080")
	if err != nil {
		return time.Time{}, err
	}
	a, err := get(ctx, http.DefaultClient, "http://"+address+"/since")
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339Nano, strings.TrimSpace(a.body))
}

// ms is a time in milliseconds.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
