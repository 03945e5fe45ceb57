package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// crash is an app that cannot start, and what its page has to say.
type crash struct {
	name string
	more string   // of its service
	env  []string // that makes it fail
	says []string
	// mendable tells that it starts once its exit file is gone.
	mendable bool
}

func TestAnAppThatCrashesIsTriedSeldomAndSaysWhy(t *testing.T) {
	t.Parallel() // it waits, most of the time
	s := newTestServer(t, "e2e-crash")
	exit := s.write("exit", "3")
	if err := os.Chmod(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	volume := "\nvolumes: ['" + s.dir + ":/faults']"
	crashes := []crash{
		{"once", `restart: "no"` + volume, []string{"EXIT_FILE=/faults/exit"}, []string{"exit code 3", "ends with 3 as it was told"}, true},
		{"always", "restart: always" + volume, []string{"EXIT_FILE=/faults/exit"}, []string{"exit code 3", "ends with 3 as it was told"}, true},
		{"hungry", "mem_limit: 16m", []string{"EAT=64MB"}, []string{"out of memory"}, false},
		{"nothing", `entrypoint: ["/nothing"]`, nil, []string{"its program is missing"}, false},
	}
	var apps []app
	for _, c := range crashes {
		apps = append(apps, app{name: c.name, host: c.name + ".crash.test", static: true, boot: "100ms", env: c.env, more: c.more})
	}
	s.stack("e2e-crash-apps", true, apps...)
	engine := s.followEngine()
	s.serve("", "PAASTIS_SHOW_LOGS=true", "PAASTIS_WAKE_LIMIT=0")
	v := s.visit()

	var all sync.WaitGroup
	for _, c := range crashes {
		all.Go(func() { c.loadTest(t, v, engine) })
	}
	all.Wait()
	if err := os.Remove(filepath.Clean(exit)); err != nil {
		t.Fatal(err)
	}
	for _, c := range crashes {
		if c.mendable {
			c.mend(t, v)
		}
	}
	v.judge()
}

// loadTest lets people and programs ask for the app for a minute, in which it may be
// started five times by anybody, and looks at its page.
func (c crash) loadTest(t *testing.T, v *visitors, engine *engine) {
	host, container := c.name+".crash.test", "e2e-crash-apps-"+c.name+"-1"
	began := time.Now()
	var last answer
	for time.Since(began) < time.Minute {
		if k, a := v.ask(personTo(host, c.name)); k == page {
			last = a
		}
		v.ask(programTo(host, c.name))
		v.ask(pollTo(host, c.name))
		time.Sleep(300 * time.Millisecond)
	}
	starts := engine.of(container, "start", began)
	n := 0
	for _, s := range starts {
		if s.at.Sub(starts[0].at) < time.Minute {
			n++
		}
	}
	if n > 5 {
		t.Errorf("%s: %d starts in the first minute", c.name, n)
	}
	if last.header.Get("X-Paastis-State") != "failed" {
		t.Errorf("%s: its page has the state %q", c.name, last.header.Get("X-Paastis-State"))
	}
	for _, words := range c.says {
		if !strings.Contains(last.body, words) {
			t.Errorf("%s: its page lacks %q: %s", c.name, words, visible(last.body))
		}
	}
	t.Logf("%s: %d starts in a minute; its page says: %s", c.name, n, visible(last.body))
}

// mend presses the button of the page once, as its script does, after what was broken
// has been mended.
func (c crash) mend(t *testing.T, v *visitors) {
	host := c.name + ".crash.test"
	began := time.Now()
	if k, a := v.ask(pollTo(host, c.name, "X-Paastis-Retry: 1")); k != polled {
		t.Errorf("%s: the button got %s", c.name, a)
	}
	for time.Since(began) < 20*time.Second {
		if k, a := v.ask(pollTo(host, c.name)); k == polled && a.header.Get("X-Paastis-State") == "ready" {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if _, a := v.ask(personTo(host, c.name)); a.status != http.StatusOK {
		t.Errorf("%s: mended, and %s after the button was pressed a visitor got %s", c.name, time.Since(began), a)
	}
	t.Logf("%s: mended and up %s after the button was pressed", c.name, time.Since(began).Round(time.Millisecond))
}

// visible is what a page shows between its style and its script.
func visible(page string) string {
	_, page, _ = strings.Cut(page, "<main>")
	page, _, _ = strings.Cut(page, "</main>")
	return strings.Join(strings.Fields(page), " ")
}
