package providertest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// pause is how often a listing is asked for what is to come.
const pause = 100 * time.Millisecond

// mostReports is how many reports wait for who awaits one.
const mostReports = 1000

// watch is a run of Watch. It ends with the case.
type watch struct {
	c       *conformance
	first   provider.Report
	reports chan provider.Report
	ended   chan error
	cancel  context.CancelFunc
}

// watch begins to watch, and waits for the first report.
func (c *conformance) watch() *watch {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	w := &watch{c: c, reports: make(chan provider.Report, mostReports), ended: make(chan error, 1), cancel: cancel}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.ended <- c.provider.Watch(ctx, func(r provider.Report) { w.reports <- r })
	}()
	c.t.Cleanup(func() { cancel(); <-done })
	select {
	case w.first = <-w.reports:
	case err := <-w.ended:
		c.t.Fatalf("the watch ended before its first report: %v", err)
	}
	return w
}

// leave ends the watch, and returns what it ended with.
func (w *watch) leave() error {
	w.cancel()
	select {
	case err := <-w.ended:
		return err
	case <-time.After(w.c.Patience()):
		return errors.New("it has not ended")
	}
}

// await waits for a report that is as it should be.
func (w *watch) await(what string, is func(provider.Report) bool) {
	w.c.t.Helper()
	late := time.After(w.c.Patience())
	for {
		select {
		case r := <-w.reports:
			if is(r) {
				return
			}
		case err := <-w.ended:
			w.c.t.Fatalf("waiting until %s, the watch ended: %v", what, err)
		case <-late:
			w.c.t.Fatalf("no report says within %s: %s", w.c.Patience(), what)
		}
	}
}

// awaitList lists until a report is as it should be.
func (c *conformance) awaitList(what string, is func(provider.Report) bool) {
	c.t.Helper()
	for late := time.Now().Add(c.Patience()); !is(c.list()); time.Sleep(pause) {
		if time.Now().After(late) {
			c.t.Fatalf("no listing says within %s: %s", c.Patience(), what)
		}
	}
}

func (c *conformance) list() provider.Report {
	c.t.Helper()
	report, err := c.provider.List(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return report
}

// in is an app of a report that has to be there.
func (c *conformance) in(r provider.Report, name string) inventory.App {
	c.t.Helper()
	if !there(r, name) {
		c.t.Fatalf("%s is not among %v", name, names(r.Apps))
	}
	return app(r, name)
}

// wantNamed wants an error that says which app it is about, and is not one of a platform that
// does not answer.
func (c *conformance) wantNamed(err error, name string) {
	c.t.Helper()
	if err == nil || !strings.Contains(err.Error(), name) || errors.Is(err, provider.ErrUnreachable) {
		c.t.Errorf("the error is %v", err)
	}
}

// app is that of a name; the zero value if it is not there.
func app(r provider.Report, name string) inventory.App {
	for _, a := range r.Apps {
		if a.Name == name {
			return a
		}
	}
	return inventory.App{}
}

func there(r provider.Report, name string) bool { return app(r, name).Name != "" }

// runs reports whether all of an app runs, and something does.
func runs(a inventory.App) bool {
	return len(a.Instances) > 0 && !slices.ContainsFunc(a.Instances, func(i inventory.Instance) bool { return i.Status != inventory.Running })
}

func names(apps []inventory.App) []string {
	all := make([]string, 0, len(apps))
	for _, a := range apps {
		all = append(all, a.Name)
	}
	return all
}
