package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// serverOf is the URL of the server to which Traefik leads the requests of an app of the
// tests by its published route. Empty: it has none.
func (s *testServer) serverOf(project, name string) string {
	var service struct {
		LoadBalancer struct{ Servers []struct{ URL string } }
	}
	route := project + "-" + name
	if json.Unmarshal([]byte(s.api("/api/http/services/"+route+"@http")), &service) != nil || len(service.LoadBalancer.Servers) == 0 {
		return ""
	}
	return service.LoadBalancer.Servers[0].URL
}

// awaitRoute waits until Traefik leads an app's requests to a server.
func (s *testServer) awaitRoute(project, name, server string) {
	s.t.Helper()
	s.await("the route of "+name+" to lead to "+server, 20*time.Second, func() bool {
		return strings.HasPrefix(s.serverOf(project, name), server)
	})
}

// connect puts a container on a network of its own, too.
func (s *testServer) connect(container, network string) {
	s.t.Helper()
	_ = exec.Command("docker", "network", "rm", network).Run() // an earlier run may have left it
	docker(s.t, "network", "create", network)
	s.t.Cleanup(func() {
		_ = exec.Command("docker", "network", "disconnect", "-f", network, container).Run()
		_ = exec.Command("docker", "network", "rm", network).Run()
	})
	docker(s.t, "network", "connect", network, container)
}

func TestInDirectModeTrafficGoesToTheAppItselfWhileItIsAwake(t *testing.T) {
	const project = "e2e-direct"
	s := newTestServer(t, "e2e-direct-site")
	s.direct, s.hostPID = true, true
	s.traefikFlags = []string{dropIdle}
	s.stack(project, true,
		app{name: "front", host: "direct.test", bare: true, next: "http://db:8080/", needs: []string{"db"}},
		app{name: "db"},
		app{name: "own", labels: []string{"paastis.rule=Host(`own.test`)", "paastis.port=8080"}})
	s.connect(project+"-own-1", "e2e-direct-other")
	s.serve("rules: [{pattern: 'e2e-direct-.*', max_idle_time: 5s}]")
	v := s.visit()
	s.awaitRoute(project, "front", "http://"+s.name+"-paastis:3000")

	began := time.Now()
	if k, a := v.ask(personTo("direct.test", "front")); k != page {
		t.Errorf("a person got %s", a)
	}
	if k, a := v.ask(postTo("direct.test", "front")); k != fromApp {
		t.Errorf("a program got %s", a)
	}
	v.reach(personTo("direct.test", "front"), 10*time.Second)
	v.reach(programTo("own.test", "own"), 20*time.Second)
	s.awaitRoute(project, "own", "http://"+project+"-own-1."+s.name+":8080") // it is on another network as well
	v.reach(programTo("own.test", "own"), 20*time.Second)
	s.awaitRoute(project, "front", "http://"+project+"-front-1")
	for range 200 {
		if k, a := v.ask(programTo("direct.test", "front")); k != fromApp {
			t.Fatalf("an awake app's visitor got %s", a)
		}
	}
	if got := strings.Join(s.events(began, project, "start"), ", "); !strings.HasPrefix(got, "start e2e-direct-db-1, start e2e-direct-front-1") {
		t.Errorf("the engine saw: %s", got)
	}
	used := time.Now() // the engine forgets all but its last events
	s.awaitAsleep(60*time.Second, project)
	if got := strings.Join(s.events(used, project, "die"), ", "); strings.Count(got, "die ") != 3 ||
		strings.Index(got, "die e2e-direct-front-1") > strings.Index(got, "die e2e-direct-db-1") {
		t.Errorf("the engine saw: %s", got)
	}
	s.awaitRoute(project, "front", "http://"+s.name+"-paastis:3000")
	v.reach(programTo("direct.test", "front"), 30*time.Second)
	v.judge()
}

// failures asks one app as fast as it can until over, over kept connections.
func (v *visitors) failures(c call, over <-chan struct{}, asked, failed *atomic.Int64) {
	for {
		select {
		case <-over:
			return
		default:
		}
		asked.Add(1)
		if k, _ := v.ask(c); k != fromApp {
			failed.Add(1)
		}
	}
}

func TestADeadPaastisHurtsNoAwakeApp(t *testing.T) {
	const project = "e2e-dead"
	s := newTestServer(t, "e2e-dead-site")
	s.direct, s.hostPID = true, true
	s.stack(project, true,
		app{name: "awake", host: "awake.test", bare: true, labels: []string{"paastis.max_idle_time=1h"}},
		app{name: "asleep", host: "asleep.test", bare: true})
	s.serve("")
	v := s.visit()
	v.reach(programTo("awake.test", "awake"), 30*time.Second)
	s.awaitRoute(project, "awake", "http://"+project+"-awake-1")

	began := time.Now()
	tell := func(format string, args ...any) {
		t.Logf("%6.2fs  %s", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	over := make(chan struct{})
	var load sync.WaitGroup
	var asked, failed atomic.Int64
	for range 4 {
		load.Go(func() { v.failures(programTo("awake.test", "awake"), over, &asked, &failed) })
	}
	load.Go(func() { v.converse("awake.test", "awake", 500*time.Millisecond, 12*time.Second) })
	time.Sleep(2 * time.Second)
	docker(t, "kill", "--signal", "KILL", s.name+"-paastis")
	tell("Paastis is killed; the awake app has answered %d requests", asked.Load())
	for range 3 {
		a, err := s.send("GET", "asleep.test", "/", nil)
		if err != nil || a.status != http.StatusBadGateway {
			t.Errorf("the sleeping app's visitor got %s, %v; want Traefik's 502", a, err)
		}
		tell("the sleeping app's visitor gets %d after %s", a.status, a.took.Round(time.Millisecond))
		time.Sleep(time.Second)
	}
	docker(t, "start", s.name+"-paastis")
	tell("Paastis is started; the awake app has answered %d requests", asked.Load())
	s.await("the sleeping app to be woken", 30*time.Second, func() bool {
		a, err := s.send("GET", "asleep.test", "/", nil)
		return err == nil && a.status == http.StatusOK
	})
	tell("the sleeping app was woken and answers")
	time.Sleep(5 * time.Second)
	close(over)
	load.Wait()
	tell("%d requests to the awake app, %d failed", asked.Load(), failed.Load())
	if got := s.events(began, project, "start", "die"); len(got) != 1 {
		t.Errorf("the engine saw %v, want one start of the sleeping app", got)
	}
	if failed.Load() > 0 || asked.Load() < 100 {
		t.Errorf("%d of %d requests failed", failed.Load(), asked.Load())
	}
	v.judge()
}

// zeros is a body of so many bytes, with the sum that has to come back.
func zeros(n int64) (io.Reader, string) {
	h := sha256.New()
	_, _ = io.CopyN(h, endless{}, n)
	return io.LimitReader(endless{}, n), hex.EncodeToString(h.Sum(nil))
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestALargeBodyWaitsForAnAppThatBootsSlowly(t *testing.T) {
	t.Parallel() // it waits, most of the time
	const project = "e2e-large"
	size, boot := either(int64(200<<20), int64(200<<20)), either("40s", "32s")
	s := newTestServer(t, "e2e-large-site")
	s.direct = true
	s.stack(project, true, app{name: "web", host: "large.test", bare: true, boot: boot, checked: "1s"})
	s.serve("")
	before := s.memory()
	body, want := zeros(size)
	peak := make(chan int)
	done := make(chan struct{})
	go func() {
		most := 0
		for {
			select {
			case <-done:
				peak <- most
				return
			case <-time.After(100 * time.Millisecond):
				most = max(most, s.memory())
			}
		}
	}()
	req, err := http.NewRequest("POST", "http://large.test/echo", body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = size
	client := s.client()
	client.Timeout = 2 * time.Minute
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, _ := io.ReadAll(resp.Body)
	close(done)
	most := <-peak
	t.Logf("%d MB held %s; Paastis's memory: %d kB before, %d kB at most", size>>20, time.Since(began).Round(time.Millisecond), before, most)
	if resp.StatusCode != http.StatusOK || !bytes.Contains(got, []byte(want)) {
		t.Errorf("got %d %s, want the sum %s", resp.StatusCode, got, want)
	}
	if most > before+20<<10 {
		t.Errorf("memory grew from %d kB to %d kB", before, most)
	}
}
