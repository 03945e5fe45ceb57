package registry

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// What may be, in a random life: asked at each call and at each request.

// wary is a log that fails the test if the registry says that it goes round without end.
type wary struct {
	slog.Handler
	t *testing.T
}

func (w wary) Enabled(context.Context, slog.Level) bool { return true }

func (w wary) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "without end") {
		var text strings.Builder
		r.Attrs(func(a slog.Attr) bool { text.WriteString(" " + a.String()); return true })
		w.t.Errorf("%s:%s", r.Message, text.String())
	}
	if w.Handler.Enabled(ctx, r.Level) {
		return w.Handler.Handle(ctx, r)
	}
	return nil
}

// pass lets a request through if the registry does, and checks that it may.
func (l *life) pass(k *Keeper) bool {
	name := k.Name()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !k.Pass(time.Now()) {
		return false
	}
	l.passed[name] = time.Now()
	l.open[name]++
	l.connect(name)
	for _, needed := range l.closure(name, (*life).requires) {
		if l.disabled || l.jobs[name] { // a job runs for its end, not for visitors
			break
		}
		if l.calling[needed] == "stop" {
			l.t.Errorf("a request passed to %s while %s was being stopped", name, needed)
		}
		if !l.runs(needed) && l.Watched() {
			l.t.Errorf("a request passed to %s while %s did not run", name, needed)
		}
	}
	return true
}

// Start checks that nothing else is done to the app, and that what it needs is up.
func (l *life) Start(ctx context.Context, name string) (inventory.App, error) {
	l.enter(name, "start")
	defer l.exit(name)
	l.mu.Lock()
	if at := l.stopped[name]; !at.IsZero() && at.Before(time.Now()) && !l.disabled {
		l.t.Errorf("%s was started though its owner has stopped it %s ago", name, time.Since(at))
	}
	l.mu.Unlock()
	for _, n := range l.links[name] {
		if l.mustRun(name, n) && !l.sameCircle(name, n.Name) && !l.runs(n.Name) && !l.lenient() {
			l.t.Errorf("%s was started while %s did not run", name, n.Name)
		}
	}
	time.Sleep(time.Millisecond)
	return l.fake.Start(ctx, name)
}

// Stop checks that nothing else is done to the app, and that nobody uses it.
func (l *life) Stop(ctx context.Context, name string, method rules.StopMethod) (inventory.App, error) {
	l.enter(name, "stop")
	defer l.exit(name)
	l.mu.Lock()
	for _, user := range l.users(name) {
		if idle := time.Since(l.passed[user]); idle < lifeIdle && !l.sent[name].After(l.passed[user]) && !l.disabled && !l.jobs[name] { // a job may only be late
			l.t.Errorf("%s was stopped %s after a request to %s", name, idle, user)
		}
		if user != name && l.runs(user) && !l.sameCircle(name, user) && !l.disabled {
			l.t.Errorf("%s was stopped while %s, which needs it, ran", name, user)
		}
	}
	if n := l.open[name]; n > 0 {
		l.t.Errorf("%s was stopped with %d connections open", name, n)
	}
	l.mu.Unlock()
	return l.fake.Stop(ctx, name, method)
}

// Measure takes its time, so that visitors come during the last look.
func (l *life) Measure(ctx context.Context, name string, want provider.Want) (idle.Usage, error) {
	time.Sleep(400 * time.Millisecond)
	return l.metered.Measure(ctx, name, want)
}

func (l *life) enter(name, call string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if other := l.calling[name]; other != "" {
		l.t.Errorf("%s of %s during its %s", call, name, other)
	}
	l.calling[name] = call
}

func (l *life) exit(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calling[name] = ""
}

// mustRun tells that a link of an app is to one without which there is no use. One of which only
// the start is asked for may end.
func (l *life) mustRun(of string, n rules.Link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requires(of, n)
}

// requires is mustRun with the lock held.
func (l *life) requires(of string, n rules.Link) bool {
	return !n.Optional && !l.jobs[n.Name] && n.Condition == rules.Healthy && !l.without[[2]string{of, n.Name}]
}

func anyLink(*life, string, rules.Link) bool { return true }

// closure is an app and all that it needs by some links.
func (l *life) closure(name string, by func(l *life, of string, n rules.Link) bool) []string {
	all := []string{name}
	for i := 0; i < len(all); i++ {
		for _, n := range l.links[all[i]] {
			if by(l, all[i], n) && !slices.Contains(all, n.Name) {
				all = append(all, n.Name)
			}
		}
	}
	return all
}

// sameCircle tells that two apps need each other, by however many links.
func (l *life) sameCircle(a, b string) bool {
	return slices.Contains(l.closure(a, anyLink), b) && slices.Contains(l.closure(b, anyLink), a)
}

// users are an app and those that need it.
func (l *life) users(name string) []string {
	return slices.DeleteFunc(slices.Clone(l.names), func(user string) bool {
		return !slices.Contains(l.closure(user, anyLink), name)
	})
}

// lenient tells that the registry cannot know, or is not to care.
func (l *life) lenient() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.disabled || !l.Watched()
}

// connect lets the meter see the app's connections. Called with the lock held.
func (l *life) connect(name string) {
	l.fake.mu.Lock()
	defer l.fake.mu.Unlock()
	l.apps[name].connections = l.open[name]
}
