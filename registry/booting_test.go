package registry

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestAnAppStaysClosedWhileWhatItDependsOnBoots: by depends_on without a condition.
func TestAnAppStaysClosedWhileWhatItDependsOnBoots(t *testing.T) {
	const boot = 20 * time.Second
	stacks := map[string]func() []*fakeApp{
		"a gateway": func() []*fakeApp {
			rails := service("desk", "rails")
			rails.Boot = boot
			return []*fakeApp{service("desk", "nginx", "rails:started").routed("desk.test"), rails}
		},
		"two links away": func() []*fakeApp {
			search := service("desk", "search")
			search.Boot = boot
			return []*fakeApp{service("desk", "nginx", "rails:started").routed("desk.test"), service("desk", "rails", "search:started"), search}
		},
		"in a circle": func() []*fakeApp {
			nginx, rails := service("desk", "nginx", "rails:started").routed("desk.test"), service("desk", "rails")
			rails.Boot = boot
			return []*fakeApp{nginx, rails.label("paastis.linked_apps", "desk-nginx:started")}
		},
		"in a short time of its own": func() []*fakeApp {
			rails := service("desk", "rails")
			rails.Boot = boot
			return []*fakeApp{service("desk", "nginx", "rails:started").routed("desk.test").label("paastis.start_timeout", "10s"), rails}
		},
	}
	for name, apps := range stacks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := live(t, "", apps()...)
				if took := w.wakes("desk-nginx", 10*time.Minute); took < boot || took > boot+3*time.Second {
					t.Errorf("open after %s, and what it depends on serves after %s: %s", took, boot, w.View(w.Named("desk-nginx")).Reason)
				}
			})
		})
	}
}

// TestWhatNeverServesHoldsUpNobodyForLong who depends on no more than its start.
func TestWhatNeverServesHoldsUpNobodyForLong(t *testing.T) {
	for name, c := range map[string]struct {
		nginx, label string
		from, to     time.Duration
	}{
		"it depends on it":           {"rails:started", "", bootingGrace, bootingGrace + 3*time.Second},
		"its owner asks for a start": {"", "desk-rails:started", time.Second, 3 * time.Second},
		"it could do without":        {"rails:started?", "", time.Second, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var needs []string
				if c.nginx != "" {
					needs = append(needs, c.nginx)
				}
				nginx, rails := service("desk", "nginx", needs...).routed("desk.test"), service("desk", "rails")
				for i := range nginx.Links {
					nginx.Links[i].Optional = name == "it could do without"
				}
				if c.label != "" {
					nginx.label("paastis.linked_apps", c.label)
				}
				rails.Never = []string{"desk-rails-1"}
				w := live(t, "", nginx, rails)
				for round := range 2 {
					if took := w.wakes("desk-nginx", 10*time.Minute); took < c.from || took > c.to {
						t.Errorf("wake %d: open after %s: %s", round, took, fmt.Sprint(w.View(w.Named("desk-nginx")).Reason))
					}
					time.Sleep(time.Hour)
				}
			})
		})
	}
}
