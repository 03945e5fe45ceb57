package providers_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/internal/paas/paastest"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// lives is how many lives of an app are played at each platform, each by another seed.
const lives = 15

// TestAnAppComesBackAsItsOwnerWantsItWhateverHappens lets visitors, the owner of an app, its platform
// and whoever ends Paastis do what they like, and wants the app to be right once that is over.
func TestAnAppComesBackAsItsOwnerWantsItWhateverHappens(t *testing.T) {
	for name, played := range platforms {
		for seed := range uint64(lives) {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := &life{paastis: before(t, played()), chance: rand.New(rand.NewPCG(seed, 1))}
					l.create("shop", true)
					l.want = l.runs("shop")
					l.begin()
					for range 12 {
						l.happens()
						time.Sleep(l.pause())
					}
					l.faults().Clear()
					l.note("all is well again")
					l.endsWell()
					l.end()
					if t.Failed() {
						t.Log(l.log)
					}
				})
			})
		}
	}
}

// life is that of an app by chance.
type life struct {
	*paastis
	chance *rand.Rand
	want   string // as what its owner wants it to run, while it is awake
}

// pause is the time until something else happens.
func (l *life) pause() time.Duration {
	longest := []int{10, 60, 900}[l.chance.IntN(3)]
	return time.Duration(1+l.chance.IntN(longest)) * time.Second
}

func (l *life) note(format string, args ...any) {
	fmt.Fprintf(l.log, "%s: it runs %q, want %q, and is %s\n", fmt.Sprintf(format, args...), l.runs("shop"), l.want, l.state("shop"))
}

// rests reports whether nobody does anything to the app just now.
func (l *life) rests() bool {
	s := l.state("shop")
	return l.settled("shop") && (s == registry.Asleep || s == registry.Ready)
}

// happens lets something happen. What an owner does while an order of Paastis's is under way may be
// undone by that.
func (l *life) happens() {
	switch what := l.chance.IntN(13); {
	case what < 3:
		l.note("a visitor")
		l.visit("shop")
	case what < 6:
		l.fails()
	case what == 6:
		l.dies()
	case what == 7:
		l.faults().Add(paastest.Fault{Route: l.listRoute(), Change: withoutNamed("shop"), Times: 1})
		l.note("a listing will lack it")
	case what == 8:
		if k := l.reg.Named("shop"); k != nil {
			_ = l.reg.Sleep(k, true) // as it is, that may be refused
			l.note("put to sleep")
		}
	case l.rests():
		l.ofOwner(what)
	}
}

// ofOwner is what its owner does.
func (l *life) ofOwner(what int) {
	switch what {
	case 9:
		l.want = l.scale("shop", 1+l.chance.IntN(3), l.chance.IntN(3))
	case 10:
		l.want = cmp.Or(l.push("shop"), l.want)
	case 11:
		if l.runs("shop") != "" {
			l.crash("shop")
		}
	case 12:
		l.remove("shop")
		time.Sleep(time.Duration(l.chance.IntN(2)*l.chance.IntN(200)) * time.Second)
		l.create("shop", true)
		l.want = l.scale("shop", 1, 0)
	}
	l.note("its owner did %d", what)
}

// fails lets the platform fail.
func (l *life) fails() {
	route := []string{"", l.wakeRoute(), l.sleepRoute(), l.listRoute()}[l.chance.IntN(4)]
	fault := []paastest.Fault{
		{Status: 500}, {Status: 503}, {Status: 429, Body: "Retry later"}, {Lost: true}, {Cut: true}, {Hang: true}, {Down: true}, {Late: 40 * time.Second}, {Late: 5 * time.Second},
	}[l.chance.IntN(9)]
	fault.Route = route
	switch l.chance.IntN(3) {
	case 0:
		fault.Times = 1
	case 1:
		fault.For = 30 * time.Second
	case 2:
		fault.For = 6 * time.Minute
	}
	l.faults().Add(fault)
	l.note("a fault %+v", fault)
}

// dies ends Paastis, in peace or not, and begins another one.
func (l *life) dies() {
	l.note("Paastis ends")
	if l.chance.IntN(2) == 0 {
		l.kill()
	} else {
		l.end()
	}
	time.Sleep(time.Duration(l.chance.IntN(2)*l.chance.IntN(600)) * time.Second)
	l.begin()
}

// endsWell wants the app to wake and to sleep, and to be as its owner wants it.
func (l *life) endsWell() {
	l.t.Helper()
	time.Sleep(12 * time.Minute)
	for range 2 {
		if !l.comesUp("shop", 8*time.Minute) {
			l.t.Errorf("it is %s, and does not come up: %s", l.state("shop"), l.why("shop"))
			return
		}
		if err := l.probe(l.t.Context(), inventory.Target{Address: l.reg.Named("shop").Definition().App.URL[len("https://"):]}); err != nil {
			l.t.Errorf("who is let through is told: %v", err)
		}
		time.Sleep(time.Minute)
		if got := l.runs("shop"); got != l.want {
			l.t.Errorf("it runs %q, want %q", got, l.want)
		}
		if !l.within(45*time.Minute, "shop", registry.Asleep) {
			l.t.Errorf("it is %s, and does not sleep: %s", l.state("shop"), l.why("shop"))
		}
		time.Sleep(time.Minute)
		if got := l.runs("shop"); got != "" {
			l.t.Errorf("asleep, it runs %q", got)
		}
	}
}

func TestWhoWaitsForAnAppIsToldThatTheTokenIsRefused(t *testing.T) {
	for name, played := range platforms {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := before(t, played())
				w.create("shop", false)
				w.begin()
				defer func() { w.end() }()
				time.Sleep(30 * time.Second)
				w.visit("shop")
				time.Sleep(2 * time.Second) // the order is taken
				w.revoke()
				for _, want := range []registry.State{registry.Starting, registry.Failed} {
					time.Sleep(3 * time.Minute)
					if v := w.reg.View(w.reg.Named("shop")); v.State != want || v.Reason.Kind != reason.TokenRefused {
						t.Errorf("it is %s, for %q (%s)", v.State, v.Reason, v.Reason.Kind)
					}
				}
			})
		})
	}
}
