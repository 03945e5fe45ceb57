package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// What a test does to the apps and to the engine.
const (
	kill          = "a killed container"
	pauseOfEngine = "the engine, which was paused"
)

// fault is something that a test broke.
type fault struct {
	kind         string
	app          string // that was killed
	began, ended time.Time
}

// faults are remembered, for they explain wrong answers.
type faults struct {
	needs map[string][]string // :: app → what it needs

	mu  sync.Mutex
	all []fault
}

func newFaults(apps []app) *faults {
	f := &faults{needs: map[string][]string{}}
	for _, a := range apps {
		f.needs[a.name] = a.needs
	}
	return f
}

// begin notes a fault that is about to be made. It lasts until end is called.
func (f *faults) begin(kind, app string) (end func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, fault{kind: kind, app: app, began: time.Now()})
	i := len(f.all) - 1
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.all[i].ended = time.Now()
	}
}

func (f *faults) count(kind string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, x := range f.all {
		if x.kind == kind {
			n++
		}
	}
	return n
}

// explain finds the fault that a wrong answer comes from: one of the app or of what it
// needs, or one of the engine, that was not over for long when the answer came.
func (f *faults) explain(m mishap) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	concerned := f.closure(m.call.app)
	for _, x := range f.all {
		over := !x.ended.IsZero() && x.ended.Add(aftermath).Before(m.began)
		if !over && x.began.Before(m.ended) && (x.app == "" || slices.Contains(concerned, x.app)) {
			return x.kind
		}
	}
	return ""
}

// closure is an app and what it needs. Called with the lock held.
func (f *faults) closure(app string) []string {
	all := []string{app}
	for i := 0; i < len(all); i++ {
		all = append(all, f.needs[all[i]]...)
	}
	return all
}

// kill kills an app's container, if it runs.
func (k *soak) kill() {
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range k.faults.needs {
			if asleep, _ := k.engine.asleep(k.name + "-" + name + "-1"); !asleep && !yield(name) {
				return
			}
		}
	})
	if len(names) == 0 {
		return
	}
	name := names[rand.IntN(len(names))]
	end := k.faults.begin(kill, name)
	defer end()
	_ = exec.Command("docker", "kill", k.name+"-"+name+"-1").Run() // it may have ended meanwhile
}

// pauseEngine freezes the engine for some seconds, if our own script has started it.
func (k *soak) pauseEngine() {
	pid, err := ownEngine()
	if err != nil {
		return
	}
	end := k.faults.begin(pauseOfEngine, "")
	defer end()
	if syscall.Kill(pid, syscall.SIGSTOP) != nil {
		return
	}
	defer func() {
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			k.t.Errorf("the engine stays paused: %v; kill -CONT %d", err, pid)
		}
	}()
	time.Sleep(seconds(1, 4))
}

// ownEngine is the process of an engine that scripts/engine has started.
func ownEngine() (int, error) {
	ours, err := os.ReadFile("../.cache/dockerd.pid")
	if err != nil {
		return 0, err
	}
	running, err := os.ReadFile("/var/run/docker.pid")
	if err != nil {
		return 0, err
	}
	if !bytes.Equal(bytes.TrimSpace(ours), bytes.TrimSpace(running)) {
		return 0, fmt.Errorf("process %s is not the engine %s", ours, running)
	}
	return strconv.Atoi(string(bytes.TrimSpace(ours)))
}
