package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// soak is everything at once on one site, for some minutes: apps that fall asleep within
// seconds, all kinds of visitors, and faults.
type soak struct {
	t      *testing.T
	name   string
	engine *engine
	*visitors
	apps   []app // that visitors ask for
	over   chan struct{}
	faults *faults
	memory []sample
}

// sample is how much memory Paastis takes at a time, in bytes.
type sample struct {
	at    time.Time
	bytes int
}

const (
	// soakIdle is the max_idle_time of the soak.
	soakIdle = 3 * time.Second
	// aftermath is how long a fault explains wrong answers: until the engine has told of
	// it, or Traefik's look-ups of names work again.
	aftermath = 3 * time.Second
)

func TestSoak(t *testing.T) {
	minutes := number(t, "MINUTES", 1)
	s := newTestServer(t, "e2e-soak")
	s.hostPID = true
	s.traefikFlags = []string{dropIdle}
	apps := soakApps()
	s.stack("e2e-soak-apps", true, apps...)
	engine := s.followEngine()
	s.serve("", "PAASTIS_MAX_IDLE_TIME="+soakIdle.String(), "PAASTIS_WAKE_LIMIT=0", "PAASTIS_LOG_LEVEL=info", "PAASTIS_MANUAL_STOP=wake",
		"PAASTIS_TRAEFIK_API_URL=http://e2e-soak-traefik:8080")
	k := &soak{
		t: t, name: "e2e-soak-apps", engine: engine, visitors: s.visit(),
		apps: slices.DeleteFunc(slices.Clone(apps), func(a app) bool { return a.host == "" }),
		over: make(chan struct{}), faults: newFaults(apps),
	}
	k.excuse = k.faults.explain
	k.run(time.Duration(minutes) * time.Minute)
	k.wantAsleep(apps)
	k.judge()
	k.wantFlat(minutes)
	k.report(minutes)
}

// soakApps are single apps, static and found by Traefik, and a front with what it needs.
func soakApps() []app {
	apps := []app{
		{name: "front", next: "http://back:8080/", needs: []string{"back"}, host: "front.soak.test", static: true, boot: "200ms"},
		{name: "back", next: "http://db:8080/", needs: []string{"db"}, boot: "200ms"},
		{name: "db", boot: "200ms"},
	}
	for i := range 7 {
		name := fmt.Sprintf("app%d", i)
		a := app{name: name, host: name + ".soak.test", static: i%2 == 0, boot: fmt.Sprintf("%dms", 100*i)}
		if i%3 == 0 {
			a.checked = "none"
		}
		apps = append(apps, a)
	}
	return apps
}

// run lets all come for a time, and waits for the last to leave.
func (k *soak) run(how time.Duration) {
	var all sync.WaitGroup
	again := func(n int, least, most time.Duration, do func()) {
		for range n {
			all.Go(func() {
				for k.goesOn(least, most) {
					do()
				}
			})
		}
	}
	again(3, 0, 8*time.Second, k.browse)
	again(3, 0, 8*time.Second, k.call)
	again(1, 2*time.Second, 10*time.Second, func() { a := k.any(); k.converse(a.host, a.name, time.Second, seconds(4, 20)) })
	again(1, 2*time.Second, 10*time.Second, k.watch)
	again(1, 2*time.Second, 10*time.Second, func() { a := k.any(); k.reach(download(a.host, a.name, 4+rand.IntN(10), 50_000), 90*time.Second) })
	again(1, 8*time.Second, 20*time.Second, k.kill)
	again(1, 20*time.Second, 40*time.Second, k.pauseEngine)
	again(1, 5*time.Second, 5*time.Second+1, k.weigh)
	time.Sleep(how)
	close(k.over)
	all.Wait()
}

// goesOn waits for some time, and tells whether the soak goes on.
func (k *soak) goesOn(least, most time.Duration) bool {
	select {
	case <-k.over:
		return false
	case <-time.After(least + rand.N(most-least)):
		return true
	}
}

func seconds(least, most int) time.Duration {
	return time.Duration(least+rand.IntN(most-least)) * time.Second
}

func (k *soak) any() app { return k.apps[rand.IntN(len(k.apps))] }

// browse is a person with a browser: the page polls until the app is ready, and then
// loads it.
func (k *soak) browse() {
	a, began := k.any(), time.Now()
	for time.Since(began) < 90*time.Second {
		got, _ := k.ask(personTo(a.host, a.name))
		if got == fromApp {
			return
		}
		for range 100 {
			time.Sleep(400 * time.Millisecond)
			if got, answer := k.ask(pollTo(a.host, a.name)); got != polled || answer.header.Get("X-Paastis-State") == "ready" {
				break
			}
		}
	}
	k.blame(mishap{began: began, ended: time.Now(), call: personTo(a.host, a.name), why: "the browser never showed the app"})
}

// call is a program that wants one answer.
func (k *soak) call() {
	a := k.any()
	to := []func(host, app string) call{programTo, postTo}[rand.IntN(2)]
	k.reach(to(a.host, a.name), 90*time.Second)
}

// watch reads an app's event stream for a while.
func (k *soak) watch() {
	a := k.any()
	if _, ok := k.reach(programTo(a.host, a.name), 90*time.Second); ok {
		k.listen(a.host, a.name, seconds(4, 15))
	}
}

// weigh takes a sample of Paastis's memory.
func (k *soak) weigh() {
	if kilobytes := k.site.memory(); kilobytes > 0 {
		k.memory = append(k.memory, sample{time.Now(), kilobytes * 1024})
	}
}

// memory is what Paastis's process takes, in kB. Zero: it does not run.
func (s *testServer) memory() int {
	out, err := exec.Command("docker", "inspect", "-f", "{{.State.Pid}}", s.name+"-paastis").Output()
	if err != nil {
		return 0
	}
	status, err := os.ReadFile("/proc/" + strings.TrimSpace(string(out)) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes int
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kilobytes); n == 1 {
			return kilobytes
		}
	}
	return 0
}

// wantAsleep wants every app to fall asleep, now that nobody comes any more.
func (k *soak) wantAsleep(apps []app) {
	for _, a := range apps {
		if !k.engine.awaitAsleep(k.name+"-"+a.name+"-1", time.Minute) {
			k.t.Errorf("%s is awake a minute after everybody has left:\n%s", a.name, k.site.logAround(time.Now().Add(-90*time.Second), time.Now()))
		}
	}
}

// wantFlat wants Paastis to take no more memory at the end than in its first quarter. A
// short soak only tells.
func (k *soak) wantFlat(minutes int) {
	first, last := k.quarter(0), k.quarter(3)
	k.t.Logf("memory: %.1f MB in the first quarter, %.1f MB in the last", first, last)
	if minutes >= 10 && last > 1.2*first {
		k.t.Errorf("memory grew from %.1f MB to %.1f MB", first, last)
	}
}

// quarter is the mean of a quarter of the samples, in MB.
func (k *soak) quarter(n int) float64 {
	part := len(k.memory) / 4
	sum := 0
	for _, s := range k.memory[n*part : (n+1)*part] {
		sum += s.bytes
	}
	return float64(sum) / float64(max(part, 1)) / 1e6
}

func (k *soak) report(minutes int) {
	n, kinds := k.answers()
	rows := [][2]string{
		{"minutes", fmt.Sprint(minutes)},
		{"starts of containers", fmt.Sprint(k.engine.starts())},
		{"containers killed, engine paused", fmt.Sprintf("%d, %d times", k.faults.count(kill), k.faults.count(pauseOfEngine))},
		{"answers", fmt.Sprint(n)},
		{"by class", kinds},
		{"unexplained", fmt.Sprint(len(k.wrong))},
		{"memory, first and last quarter", fmt.Sprintf("%.1f MB, %.1f MB", k.quarter(0), k.quarter(3))},
	}
	var b strings.Builder
	b.WriteString("| soak | |\n|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s |\n", r[0], r[1])
	}
	k.t.Logf("\n%s", b.String())
	if os.Getenv("RECORD") == "1" {
		section(k.t, "../bench/README.md", "soak", b.String())
	}
}
