package heroku_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/heroku"
	"github.com/paastis/paastis/providers/heroku/herokutest"
	"github.com/paastis/paastis/registry"
)

// eco is an app on eco dynos, with a worker.
func eco(name string) herokutest.App {
	return herokutest.App{Name: name, Formation: []herokutest.Type{{Name: "web", Quantity: 1, Size: "Eco"}, {Name: "worker", Quantity: 1, Size: "Eco"}}}
}

// visits is how often Paastis came to an app in a state.
func visits(h *herokutest.Heroku, name, state string) (n int) {
	for _, v := range h.Visitors(name) {
		if strings.HasPrefix(v.UserAgent, "Paastis") && v.State == state {
			n++
		}
	}
	return n
}

func TestAnEcoAppIsLeftToHerokusOwnSleep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(eco("hobby"))
		o := before(t, h)
		time.Sleep(20 * time.Minute)
		if state, why := o.state("hobby"), o.Detail(o.Named("hobby")).Reason.Kind; state != registry.Ready || why != "sleeps_by_itself" {
			t.Errorf("unused for 20 minutes, and up at Heroku, it is %s: %s", state, why)
		}
		if err := o.Sleep(o.Named("hobby"), true); err == nil {
			time.Sleep(time.Minute)
		}
		if n := o.orders("hobby"); n != 0 || o.state("hobby") != registry.Ready {
			t.Errorf("it was scaled %d times, and is %s", n, o.state("hobby"))
		}
		time.Sleep(30 * time.Minute)
		if h.State("hobby") != "idle" || o.state("hobby") != registry.Asleep {
			t.Errorf("it is %s at Heroku, and %s here", h.State("hobby"), o.state("hobby"))
		}
		time.Sleep(24 * time.Hour)
		if n := visits(h, "hobby", "idle"); n != 0 || h.State("hobby") != "idle" {
			t.Errorf("asleep, it was asked %d times, and is %s", n, h.State("hobby"))
		}
		if state := o.wake("hobby"); state != registry.Ready || h.State("hobby") != "up" {
			t.Errorf("asked for, it is %s, and %s at Heroku", state, h.State("hobby"))
		}
		if n := visits(h, "hobby", "idle"); n != 1 || o.orders("hobby") != 0 {
			t.Errorf("it was woken by %d visits and %d orders", n, o.orders("hobby"))
		}
	})
}

func TestARestartOfPaastisWakesNoIdleEcoApp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		for _, name := range []string{"hobby", "other", "third"} {
			h.Create(eco(name))
		}
		o := before(t, h)
		time.Sleep(2 * time.Hour)
		for range 5 {
			o.end()
			o.begin(o.store)
			time.Sleep(time.Hour)
		}
		for _, name := range []string{"hobby", "other", "third"} {
			if n := visits(h, name, "idle"); n != 0 || h.State(name) != "idle" {
				t.Errorf("%s was asked %d times while it slept, and is %s", name, n, h.State(name))
			}
		}
	})
}

func TestAnEcoAppMayBeLeftToPaastis(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(eco("hobby"))
		o := before(t, h, func(c *heroku.Config) { c.Eco = heroku.EcoPaastis })
		time.Sleep(20 * time.Minute)
		o.wantFormation("hobby", "web: 0 × Eco, worker: 0 × Eco")
		if state := o.wake("hobby"); state != registry.Ready {
			t.Errorf("asked for, it is %s", state)
		}
		o.wantFormation("hobby", "web: 1 × Eco, worker: 1 × Eco")
	})
}

func TestAnEcoAppThatItsOwnerScaledToNoneIsStartedWhenAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(herokutest.App{Name: "hobby", Formation: []herokutest.Type{{Name: "web", Size: "Eco"}}})
		o := before(t, h)
		if state := o.wake("hobby"); state != registry.Ready {
			t.Errorf("asked for, it is %s", state)
		}
		o.wantFormation("hobby", "web: 1 × Eco")
	})
}

func TestUsedUpEcoHoursAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(eco("hobby"))
		h.UseUpEco()
		o := before(t, h)
		if state := o.wake("hobby"); state != registry.Failed || o.failure("hobby") != "quota_used_up" {
			t.Errorf("it is %s: %q", state, o.failure("hobby"))
		}
	})
}
