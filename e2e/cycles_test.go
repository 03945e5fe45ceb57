package e2e

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// soon is the shortest max_idle_time that means what it says.
const soon = 2 * time.Second

// many is how many apps fall asleep and wake side by side: as many as two cores can
// start and stop all the time.
const (
	many = 16
	few  = 8
)

// dropIdle: connections that Traefik keeps for the next request count as open where they are
// counted; so does a Traefik that lets them go at once.
const dropIdle = "--serverstransport.forwardingtimeouts.idleconntimeout=1s"

func TestCyclesWithAStaticServerAreWithoutOneWrongAnswer(t *testing.T) {
	runCycles(t, "e2e-cycles-static", cycling{apps: many, static: true, hostPID: true})
}

func TestCyclesProvenByTraefiksAPIAreWithoutOneWrongAnswer(t *testing.T) {
	runCycles(t, "e2e-cycles-api", cycling{apps: many, hostPID: true, api: true})
}

// Without a static server and without Traefik's API nothing proves that Traefik has
// found the app. How often the settle delay was too short is told, not judged.
func TestCyclesAfterASettleDelayTellHowOftenItWasTooShort(t *testing.T) {
	runCycles(t, "e2e-cycles-settle", cycling{apps: few, hostPID: true, unproven: true})
}

func TestCyclesWithoutTheHostsProcAreWithoutOneWrongAnswer(t *testing.T) {
	runCycles(t, "e2e-cycles-noproc", cycling{apps: few, static: true, idle: 6 * time.Second})
}

func TestCyclesInDirectModeAreWithoutOneWrongAnswerOrCutStream(t *testing.T) {
	runCycles(t, "e2e-cycles-direct", cycling{apps: many, direct: true, hostPID: true})
}

func TestCyclesInDirectModeProvenByTraefiksAPI(t *testing.T) {
	runCycles(t, "e2e-cycles-direct-api", cycling{apps: many, direct: true, api: true, hostPID: true})
}

// cycling is how apps are handed over to Traefik, and what Paastis sees of them.
type cycling struct {
	static, api, hostPID, unproven bool
	direct                         bool          // streams are among the visitors then
	apps                           int           // side by side
	idle                           time.Duration // max_idle_time; default: soon
}

// cycles is a run of them.
type cycles struct {
	t      *testing.T
	engine *engine
	*visitors
	direct      bool
	timed       bool              // only the time tells that a route has turned
	stay        time.Duration     // how long an app stays awake unused
	containerOf map[string]string // by host
	left, done  atomic.Int64
}

func runCycles(t *testing.T, name string, how cycling) {
	s := newTestServer(t, name)
	s.hostPID, s.direct = how.hostPID, how.direct
	s.traefikFlags = []string{dropIdle}
	apps := sideBySide(how.apps, how.static)
	for i := range apps {
		apps[i].bare = how.direct
	}
	s.stack(name+"-apps", true, apps...)
	stay := cmp.Or(how.idle, soon)
	env := []string{"PAASTIS_MAX_IDLE_TIME=" + stay.String(), "PAASTIS_WAKE_LIMIT=0", "PAASTIS_LOG_LEVEL=info"}
	if how.api {
		env = append(env, "PAASTIS_TRAEFIK_API_URL=http://"+name+"-traefik:8080")
	}
	engine := s.followEngine()
	s.serve("", env...)

	c := &cycles{t: t, engine: engine, visitors: s.visit(), direct: how.direct, timed: !how.api, stay: stay, containerOf: map[string]string{}}
	for _, a := range apps {
		c.containerOf[a.host] = name + "-apps-" + a.name + "-1"
	}
	total := number(t, "CYCLES", 30)
	c.left.Store(int64(total))
	took := c.run(apps)
	n, kinds := c.answers()
	t.Logf("%d cycles in %s, %.0f a minute, %d starts; %d answers: %s", c.done.Load(), took.Round(time.Second),
		float64(c.done.Load())/took.Minutes(), engine.starts(), n, kinds)
	if how.unproven {
		t.Log(c.tooShort())
	}
	c.judge()
	for _, container := range c.containerOf {
		engine.awaitAsleep(container, time.Minute) // the engine takes no container away well that starts
	}
	if c.done.Load() < int64(total) {
		t.Errorf("only %d of %d cycles came to their end", c.done.Load(), total)
	}
}

// tooShort takes out the answers that came because Traefik had not found an app yet: it
// said so, or took another one for it that has got its old address. It says how many wakes had one and how long Traefik took.
func (c *cycles) tooShort() string {
	early, strange, longest, others := map[time.Time]bool{}, 0, time.Duration(0), []mishap(nil)
	for _, m := range c.visitors.wrong {
		starts := c.engine.of(c.containerOf[m.call.host], "start", time.Time{})
		starts = slices.DeleteFunc(starts, func(e event) bool { return e.at.After(m.ended) })
		if len(starts) == 0 || m.got.status != http.StatusInternalServerError && m.got.status != http.StatusOK {
			others = append(others, m)
			continue
		}
		start := starts[len(starts)-1].at
		early[start], longest = true, max(longest, m.ended.Sub(start))
		if m.got.status == http.StatusOK {
			strange++
		}
	}
	told := fmt.Sprintf("the settle delay was too short in %d of %d wakes: %d answers, %d of them another app's, up to %s after the start",
		len(early), c.engine.starts(), len(c.visitors.wrong)-len(others), strange, longest.Round(time.Millisecond))
	c.visitors.wrong = others
	return told
}

// sideBySide are apps that have nothing to do with each other. Every fourth has a
// health check; Paastis probes the others.
func sideBySide(n int, static bool) []app {
	var apps []app
	for i := range n {
		a := app{name: fmt.Sprintf("app%02d", i), boot: fmt.Sprintf("%dms", i*50/n), static: static, checked: "none"}
		a.host = a.name + ".cycles.test"
		if i%4 == 0 {
			a.checked = "500ms"
		}
		apps = append(apps, a)
	}
	return apps
}

// run goes through all cycles, the apps side by side, and passers-by come at any time.
func (c *cycles) run(apps []app) time.Duration {
	began := time.Now()
	over := make(chan struct{})
	var passing, cycling sync.WaitGroup
	passing.Go(func() { c.passBy(apps, over) })
	for _, a := range apps {
		cycling.Go(func() {
			for c.left.Add(-1) >= 0 && c.cycle(c.containerOf[a.host], a) {
				c.done.Add(1)
			}
		})
	}
	cycling.Wait()
	close(over)
	passing.Wait()
	return time.Since(began)
}

// cycle wakes an app out of its sleep by a burst of all kinds of visitors, uses it, and
// in every other case comes once more just when it is about to fall asleep.
func (c *cycles) cycle(container string, a app) bool {
	if !c.engine.awaitAsleep(container, 2*time.Minute) {
		c.t.Errorf("%s was not asleep within two minutes", container)
		return false
	}
	pause(0, 300*time.Millisecond)
	var burst sync.WaitGroup
	for _, to := range wakes {
		burst.Go(func() {
			pause(0, 100*time.Millisecond)
			c.reach(to(a.host, a.name), time.Minute)
		})
	}
	if c.direct {
		c.stream(a, &burst)
	}
	burst.Wait()
	for range 3 {
		pause(0, 200*time.Millisecond)
		c.ask(c.anyTo(a))
	}
	if rand.IntN(2) == 0 {
		pause(c.stay-300*time.Millisecond, c.stay+700*time.Millisecond)
		c.reach(wakes[rand.IntN(len(wakes))](a.host, a.name), time.Minute)
	}
	if c.direct && rand.IntN(3) == 0 {
		pause(c.stay-500*time.Millisecond, c.stay+3*time.Second) // when its route turns, or it stops
		var late sync.WaitGroup
		c.stream(a, &late)
		late.Wait()
	}
	return true
}

// stream opens what goes on for some seconds: none of it may be cut.
func (c *cycles) stream(a app, all *sync.WaitGroup) {
	all.Go(func() {
		pause(0, 100*time.Millisecond)
		c.converse(a.host, a.name, 500*time.Millisecond, time.Second+rand.N(2*time.Second))
	})
	all.Go(func() {
		pause(0, 100*time.Millisecond)
		c.reach(download(a.host, a.name, 1+rand.IntN(2), 20_000), time.Minute)
	})
}

// passBy makes a request now and then, whatever the app is about to do: seldom enough
// for apps to fall asleep.
func (c *cycles) passBy(apps []app, over <-chan struct{}) {
	var under sync.WaitGroup
	defer under.Wait()
	rest := 6 * c.stay / time.Duration(len(apps))
	if c.direct {
		rest *= 3 // an app falls asleep only once its route has turned
		if c.timed {
			rest *= 3 // of which only the time tells
		}
	}
	for {
		select {
		case <-over:
			return
		case <-time.After(rand.N(rest)):
		}
		under.Go(func() { c.ask(c.anyTo(apps[rand.IntN(len(apps))])) })
	}
}

// wakes are the calls that wake an app and end up at it.
var wakes = []func(host, app string) call{personTo, programTo, postTo}

// anyTo is any visitor's call to an app. In direct mode the page's poll may reach an app
// that is awake; the page then becomes the app.
func (c *cycles) anyTo(a app) call {
	kinds := wakes[:len(wakes):len(wakes)]
	if !c.direct {
		kinds = append(kinds, func(host, app string) call { return pollTo(host, app) })
	}
	return kinds[rand.IntN(len(kinds))](a.host, a.name)
}

// pause waits for some time between two.
func pause(least, most time.Duration) { time.Sleep(least + rand.N(most-least)) }

// number is a variable's, or the one that stands in for it.
func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s is no number of anything", variable, text)
	}
	return n
}
