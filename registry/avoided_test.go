package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/paastis/paastis/prices"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// billed are apps of a provider that bills, the Paastis that puts them to sleep after ten minutes,
// and what outlives it.
type billed struct {
	*registrytest.Provider
	store  *registrytest.Store
	t      *testing.T
	r      *registry.Registry
	prices string
	beside *registrytest.Provider // another provider; nil: there is none
	mu     sync.Mutex
	log    bytes.Buffer
}

// Write takes in a line of the log.
func (b *billed) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(line)
}

// told is how many lines of the log have a text.
func (b *billed) told(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.log.String(), text)
}

// bills makes apps that are awake, each of parts such as "2L 1M".
func bills(t *testing.T, apps map[string]string) *billed {
	b := &billed{Provider: registrytest.NewProvider(), store: registrytest.NewStore(), t: t}
	for name, parts := range apps {
		a := registrytest.NewApp(name).Label("paastis.max_idle_time", "10m")
		a.Boot, a.Stopping = 0, 0
		b.Put(a.Awake())
		b.is(name, parts)
	}
	return b
}

// is gives an app other parts.
func (b *billed) is(name, parts string) {
	var all []provider.Part
	for n, part := range strings.Fields(parts) {
		p := provider.Part{Type: fmt.Sprintf("type%d", n)}
		_, _ = fmt.Sscanf(part, "%d%s", &p.Amount, &p.Size)
		all = append(all, p)
	}
	b.Bill(name, all...)
}

// settings are those of the Paastis.
func (b *billed) settings(text string) inventory.Settings {
	b.t.Helper()
	var node yaml.Node
	_ = yaml.Unmarshal([]byte(text), &node)
	s := inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"}
	if text == "" {
		return s
	}
	w, err := prices.Parse("paastis.yml", node.Content[0])
	if err != nil {
		b.t.Fatal(err)
	}
	if s.Prices, err = w.Table(map[string]string{"played": "played"}, func(string) bool { return false }); err != nil {
		b.t.Fatal(err)
	}
	return s
}

// lives runs a Paastis for as long as do takes.
func (b *billed) lives(do func()) {
	b.t.Helper()
	all := []provider.Provider{b.Provider}
	if b.beside != nil {
		all = append(all, b.beside)
	}
	b.r = registry.New(registry.Options{
		Providers: all, Store: b.store, Settings: b.settings(b.prices), Probe: registrytest.Passes,
		Log: slog.New(slog.NewTextHandler(io.MultiWriter(b, b.t.Output()), nil)),
	})
	ctx, end := context.WithCancel(b.t.Context())
	if err := b.r.Load(ctx); err != nil {
		b.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); b.r.Run(ctx) }()
	synctest.Wait()
	do()
	end()
	<-done
}

// moment is how long an app has slept when sleeps has let it fall asleep.
const moment = 10 * time.Second

// sleeps lets apps fall asleep; the last of them has slept for a moment then.
func (b *billed) sleeps(names ...string) {
	b.t.Helper()
	time.Sleep(5 * time.Minute) // it was used a moment ago
	for _, name := range names {
		if err := b.r.Sleep(b.r.Named(name), true); err != nil {
			b.t.Fatal(err)
		}
	}
	time.Sleep(5 * time.Second)
	for _, name := range names {
		if s := b.detail(name).State; s != registry.Asleep {
			b.t.Fatalf("%s is %s", name, s)
		}
		time.Sleep(time.Until(b.asleepSince(name).Add(moment)))
	}
}

// wakes wakes an app, and lets it come up within a minute.
func (b *billed) wakes(name string) {
	b.r.Wake(b.r.Named(name), false)
	time.Sleep(time.Minute)
}

func (b *billed) detail(name string) registry.Detail {
	for _, d := range b.r.Details() {
		if d.Name == name {
			return d
		}
	}
	b.t.Fatalf("there is no %s", name)
	return registry.Detail{}
}

func (b *billed) asleepSince(name string) time.Time { return b.detail(name).Since }

// avoided is what was avoided, as "L 4h0m0s, M 2h0m0s; 1.2300 EUR".
func avoided(a registry.Avoided) string {
	var sizes, cost []string
	for _, s := range a.Sizes {
		sizes = append(sizes, strings.TrimSpace(fmt.Sprintf("%s %s", s.Size, time.Duration(s.Time)*time.Millisecond)))
	}
	for _, amount := range func() []prices.Amount { c := a.Cost(); return c.Amounts() }() {
		cost = append(cost, amount.Value+" "+amount.Currency)
	}
	return strings.Join(sizes, ", ") + "; " + strings.Join(cost, ", ")
}

// want wants what an app has avoided; "" all of them.
func (b *billed) want(name, want string) {
	b.t.Helper()
	a := b.r.Listing().Avoided
	if name != "" {
		a = b.detail(name).Avoided
	}
	if got := avoided(a); got != want {
		b.t.Errorf("avoided: %s, want %s", got, want)
	}
}

// gone is what the apps have avoided that are no more, if there is but one size.
func (b *billed) gone() registry.Avoided {
	l := b.r.Listing()
	for _, d := range l.Details {
		l.Avoided.Sizes[0].Time -= d.Avoided.Time()
	}
	return l.Avoided
}

func TestAnAppAvoidsWhatItDoesNotRunFromItsStopToItsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "2L 1M 1L"})
		b.prices = "played: {L: 0.04 EUR, m: 0.02 EUR}"
		b.lives(func() {
			time.Sleep(5 * time.Minute)
			b.want("", "; ")
			b.sleeps("shop")
			since := b.asleepSince("shop")
			time.Sleep(2*time.Hour - moment)
			b.want("shop", "L 6h0m0s, M 2h0m0s; 0.2800 EUR")
			b.wakes("shop")
			b.is("shop", "1M")
			b.want("shop", "L 6h0m0s, M 2h0m0s; 0.2800 EUR")
			b.sleeps("shop")
			time.Sleep(time.Hour - moment)
			b.want("shop", "L 6h0m0s, M 3h0m0s; 0.3000 EUR")
			b.want("", "L 6h0m0s, M 3h0m0s; 0.3000 EUR")
			if got := b.detail("shop").Avoided.Since; !got.Equal(since) {
				t.Errorf("it avoids since %s, not %s", got, since)
			}
		})
	})
}

func TestAnAppWaitsForItsTurnAsleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "1M", "db": "1M"})
		b.Change("shop", func(a *registrytest.App) { a.Links = []rules.Link{{Name: "db"}} })
		b.Change("db", func(a *registrytest.App) { a.Boot = 30 * time.Second })
		b.lives(func() {
			b.sleeps("shop")
			time.Sleep(time.Hour)
			was, db := b.detail("shop").Avoided.Time(), time.Since(b.asleepSince("db"))
			b.r.Wake(b.r.Named("shop"), false)
			time.Sleep(5 * time.Minute)
			if ran := b.detail("shop").Avoided.Time() - was; ran != 30_000 {
				t.Errorf("while it waited it avoided %d ms", ran)
			}
			if got := b.detail("db").Avoided.Time(); int64(got) != db.Milliseconds() {
				t.Errorf("the one that it waited for has avoided %d ms in %s", got, db)
			}
		})
	})
}

func TestWithoutAFormationAnAppAvoidsItsInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "", "far": ""})
		b.Change("shop", func(a *registrytest.App) { a.Replicas = 3; a.Awake() })
		b.Change("far", func(a *registrytest.App) { a.Scaled = true })
		b.prices = "played: 0.1 CHF"
		b.lives(func() {
			b.sleeps("shop", "far")
			time.Sleep(time.Hour)
			b.want("far", "1h0m10s; 0.1003 CHF")
			if got, slept := b.detail("shop").Avoided.Time(), time.Since(b.asleepSince("shop")); int64(got) != 3*slept.Milliseconds() {
				t.Errorf("the one of three has avoided %d ms in %s", got, slept)
			}
		})
	})
}

func TestWhatSomebodyElseHasStoppedAvoidsNothing(t *testing.T) {
	for name, stop := range map[string]func(b *billed){
		"stopped by hand": func(b *billed) {
			b.Become("shop", inventory.Instance{ExitCode: 143, StoppedManually: time.Now()})
		},
		"ended by itself": func(b *billed) { b.Become("shop", inventory.Instance{EndedAt: time.Now()}) },
		"removed":         func(b *billed) { b.Remove("shop") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := bills(t, map[string]string{"shop": "1M"})
				b.lives(func() {
					time.Sleep(time.Minute)
					stop(b)
					time.Sleep(time.Hour)
					b.want("", "; ")
				})
				b.lives(func() { b.want("", "; ") })
			})
		})
	}
}

func TestASleepEndsWhenSomebodyElseMovesTheApp(t *testing.T) {
	for name, move := range map[string]func(b *billed){
		"started": func(b *billed) {
			b.Become("shop", inventory.Instance{Status: inventory.Running, StartedAt: time.Now()})
		},
		"kept down": func(b *billed) { b.Become("shop", inventory.Instance{StoppedManually: time.Now()}) },
		"removed":   func(b *billed) { b.Remove("shop") },
		"left alone": func(b *billed) {
			b.Change("shop", func(a *registrytest.App) { a.Label("paastis.enable", "false") })
			b.Become("shop", inventory.Instance{})
		},
		"woken by us": func(b *billed) { b.wakes("shop") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := bills(t, map[string]string{"shop": "1M"})
				b.lives(func() {
					b.sleeps("shop")
					time.Sleep(time.Hour - moment)
					move(b)
					time.Sleep(time.Minute)
					b.want("", "M 1h0m0s; ")
				})
				b.lives(func() {
					time.Sleep(time.Minute)
					b.want("", "M 1h0m0s; ")
				})
			})
		})
	}
}

func TestAnAppThatFailsWhileItWaitsAvoidsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "1M", "db": "1S"})
		b.Change("shop", func(a *registrytest.App) { a.Links = []rules.Link{{Name: "db"}} })
		b.lives(func() {
			b.sleeps("shop")
			time.Sleep(time.Hour)
			was := b.detail("shop").Avoided.Time()
			b.Change("db", func(a *registrytest.App) { a.Err = errors.New("no quota") })
			b.r.Wake(b.r.Named("shop"), false)
			time.Sleep(time.Hour)
			if d := b.detail("shop"); d.State != registry.Failed || d.Avoided.Time()-was > 1000 {
				t.Errorf("it is %s, and has avoided %d ms since", d.State, d.Avoided.Time()-was)
			}
		})
	})
}

func TestAMissingPriceIsToldOnceAndItsHoursAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "1M 1XL"})
		b.prices = "played: {M: 1 EUR}"
		b.lives(func() {
			for range 3 {
				b.sleeps("shop")
				time.Sleep(time.Hour - moment)
				b.wakes("shop")
			}
			b.want("shop", "M 3h0m0s, XL 3h0m0s; 3.0000 EUR")
			if n := b.told("no price is known"); n != 1 || b.told("size=XL") != 1 {
				t.Errorf("told %d times", n)
			}
			b.r.Reload(b.settings("played: {M: 1 EUR, XL: 2 USD}"))
			b.want("shop", "M 3h0m0s, XL 3h0m0s; 3.0000 EUR, 6.0000 USD")
			b.r.Reload(b.settings(""))
			b.want("shop", "M 3h0m0s, XL 3h0m0s; ")
		})
	})
}

func TestWithoutPricesNobodyIsToldOfThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "1M"})
		b.lives(func() {
			b.sleeps("shop")
			if b.told("price") != 0 {
				t.Error("it is told")
			}
		})
	})
}

func TestTheSumOfAllIsThatOfTheApps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"a": "1M", "b": "2S 1M", "c": "1S"})
		b.lives(func() {
			for _, name := range []string{"a", "b", "c"} {
				b.sleeps(name)
				time.Sleep(17 * time.Minute)
			}
			l := b.r.Listing()
			sum := l.Avoided.Time()
			for _, d := range l.Details {
				sum -= d.Avoided.Time()
			}
			if names := len(l.Avoided.Sizes); sum != 0 || names != 2 {
				t.Errorf("%d ms are too many, of %d sizes", sum, names)
			}
			if !slices.IsSortedFunc(l.Avoided.Sizes, func(a, b registry.AvoidedSize) int { return strings.Compare(a.Size, b.Size) }) {
				t.Error("sizes are not in order")
			}
		})
	})
}
