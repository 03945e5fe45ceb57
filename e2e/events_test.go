package e2e

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// engine is what the engine says of a site's containers, as it says it: it alone knows
// when something really happened.
type engine struct {
	t       *testing.T
	mu      sync.Mutex
	seen    []event
	changed chan struct{} // closed and replaced with each event
}

// event is one of the engine's.
type event struct {
	at        time.Time
	what      string // "start", "die", "health_status: healthy"
	container string
	exitCode  string // of "die"
}

// followEngine subscribes to the events of the site's containers until the test ends.
func (s *testServer) followEngine() *engine {
	s.t.Helper()
	e := &engine{t: s.t, changed: make(chan struct{})}
	e.follow(s.name, "")
	return e
}

// follow subscribes to the events of a site's containers on another engine as well. There
// their names begin with the provider's.
func (e *engine) follow(site, provider string, host ...string) {
	e.t.Helper()
	cmd := exec.Command("docker", append(host, "events", "--since", stamp(time.Now()), "--format", "{{json .}}",
		"--filter", "type=container", "--filter", "label=e2e="+site,
		"--filter", "event=start", "--filter", "event=die", "--filter", "event=health_status")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		e.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			e.take(provider, lines.Bytes())
		}
	})
	e.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		reader.Wait()
		_ = cmd.Wait()
	})
}

func (e *engine) take(provider string, line []byte) {
	var raw struct {
		Action   string
		TimeNano int64 `json:"timeNano"`
		Actor    struct{ Attributes map[string]string }
	}
	if json.Unmarshal(line, &raw) != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, event{
		at: time.Unix(0, raw.TimeNano), what: raw.Action,
		container: provider + raw.Actor.Attributes["name"], exitCode: raw.Actor.Attributes["exitCode"],
	})
	close(e.changed)
	e.changed = make(chan struct{})
}

// of are a container's events of one kind since a time.
func (e *engine) of(container, what string, since time.Time) []event {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []event
	for _, v := range e.seen {
		if v.container == container && strings.HasPrefix(v.what, what) && !v.at.Before(since) {
			all = append(all, v)
		}
	}
	return all
}

// asleep tells whether a container does not run, and since when.
func (e *engine) asleep(container string) (bool, time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := len(e.seen) - 1; i >= 0; i-- {
		if v := e.seen[i]; v.container == container && (v.what == "start" || v.what == "die") {
			return v.what == "die", v.at
		}
	}
	return true, time.Time{}
}

// await waits until something is so after one of the events, and tells whether it was.
func (e *engine) await(limit time.Duration, is func() bool) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		e.mu.Lock()
		changed := e.changed
		e.mu.Unlock()
		if is() {
			return true
		}
		select {
		case <-changed:
		case <-timer.C:
			return is()
		}
	}
}

// awaitAsleep waits until a container does not run.
func (e *engine) awaitAsleep(container string, limit time.Duration) bool {
	return e.await(limit, func() bool {
		asleep, _ := e.asleep(container)
		return asleep
	})
}

// starts counts all starts.
func (e *engine) starts() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, v := range e.seen {
		if v.what == "start" {
			n++
		}
	}
	return n
}
