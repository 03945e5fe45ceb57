package registry_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

func TestAnAppThatSleepsOnWhilePaastisIsDownAvoidsAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "1M", "far": "1S"})
		b.lives(func() {
			b.sleeps("shop", "far")
			time.Sleep(time.Hour)
		})
		time.Sleep(48 * time.Hour)
		b.Change("far", func(a *registrytest.App) { a.Awake(); a.Instances[0].StartedAt = time.Now() })
		time.Sleep(time.Hour)
		b.lives(func() {
			b.want("shop", "M 50h0m10s; ")
			b.want("far", "S 49h0m10s; ")
			b.wakes("shop")
			b.is("shop", "")
		})
		b.lives(func() { b.want("shop", "M 50h0m10s; ") })
	})
}

func TestWhatRanWhilePaastisWasDownAvoidsOnlyWhatIsKnown(t *testing.T) {
	for name, c := range map[string]struct {
		is    inventory.Status
		after time.Duration // how long it slept until it was started; 0: that is not known
		want  string
	}{
		"it runs, and nobody tells since when": {inventory.Running, 0, "M 1h0m10s; "},
		"it runs since a time":                 {inventory.Running, 4 * time.Hour, "M 4h0m0s; "},
		"it ran, and has ended":                {inventory.Exited, 5 * time.Hour, "M 5h0m0s; "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := bills(t, map[string]string{"shop": "1M"})
				i := inventory.Instance{Status: c.is}
				b.lives(func() {
					b.sleeps("shop")
					if c.after > 0 {
						i.StartedAt = b.asleepSince("shop").Add(c.after)
					}
					time.Sleep(time.Hour)
				})
				time.Sleep(24 * time.Hour)
				b.Become("shop", i)
				b.lives(func() {
					time.Sleep(time.Minute)
					b.want("shop", c.want)
				})
			})
		})
	}
}

func TestAStopThatPaastisDoesNotSeeTheEndOfIsOneOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "3M"})
		b.Change("shop", func(a *registrytest.App) { a.Stopping = time.Minute })
		var cut history.State
		b.lives(func() {
			time.Sleep(5 * time.Minute)
			if err := b.r.Sleep(b.r.Named("shop"), true); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Second)
			cut, _ = b.store.Load(t.Context()) // what is on the disk when Paastis is killed
		})
		_ = b.store.Save(t.Context(), cut)
		time.Sleep(time.Hour)
		b.lives(func() {
			if got := b.detail("shop").Avoided.Time().Hours(); got < 3 || got > 3.1 {
				t.Errorf("it has avoided %f hours", got)
			}
		})
	})
}

func TestAppsThatAreNoMoreKeepTheirPartOfTheSum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "1M", "far": "1M"})
		b.prices = "played: {M: 1.5 EUR}"
		b.lives(func() {
			b.sleeps("shop")
			time.Sleep(time.Hour - moment)
			b.Remove("shop")
			time.Sleep(time.Hour)
			if got := avoided(b.gone()); got != "M 1h0m0s; 1.5000 EUR" {
				t.Errorf("what is no more has avoided %s", got)
			}
		})
		b.lives(func() {
			time.Sleep(60 * 24 * time.Hour) // until it is forgotten
			if got := avoided(b.gone()); got != "M 1h0m0s; 1.5000 EUR" {
				t.Errorf("what is forgotten has avoided %s", got)
			}
		})
		b.lives(func() {
			if got := avoided(b.gone()); got != "M 1h0m0s; 1.5000 EUR" {
				t.Errorf("what was forgotten by the Paastis before has avoided %s", got)
			}
		})
	})
}

func TestAnAppWithAnotherNameGoesOnAvoiding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "1M"})
		b.Change("shop", func(a *registrytest.App) { a.Label("paastis.id", "shop") })
		b.lives(func() {
			b.sleeps("shop")
			time.Sleep(time.Hour - moment)
			b.Rename("shop", "store")
			synctest.Wait()
			b.want("", "M 1h0m0s; ")
			time.Sleep(time.Minute)
			b.want("store", "M 1h1m0s; ")
			b.want("", "M 1h1m0s; ")
		})
	})
}

func TestAnAppThatIsThereByBothNamesForAMomentAvoidsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "1M"})
		b.Change("shop", func(a *registrytest.App) { a.Label("paastis.id", "shop") })
		b.lives(func() {
			b.sleeps("shop")
			time.Sleep(time.Hour - moment)
			b.Add(registrytest.NewApp("store").Label("paastis.id", "shop"))
			synctest.Wait()
			b.want("", "M 1h0m0s; ")
			b.Remove("shop")
			time.Sleep(time.Minute)
			b.want("store", "M 1h1m0s; ")
			b.want("", "M 1h1m0s; ")
		})
	})
}

func TestAnAppThatIsLeftAloneKeepsItsPartOfTheSum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "1M"})
		b.lives(func() {
			b.sleeps("shop")
			time.Sleep(time.Hour - moment)
			s := b.settings("")
			s.Rules, _ = rules.ParseFile("paastis.yml", []byte("ignore: [shop]"))
			b.r.Reload(s)
			time.Sleep(time.Minute)
			b.want("", "M 1h0m0s; ")
			b.Remove("shop")
			time.Sleep(time.Minute)
			b.want("", "M 1h0m0s; ")
		})
		b.lives(func() { b.want("", "M 1h0m0s; ") })
	})
}

func TestAnAppIsNotTakenForAsleepWhileItsProviderIsSilentIfItWasGoneByThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "1M"})
		b.beside = registrytest.NewProvider(registrytest.NewApp("far")).Call("beside", "")
		b.lives(func() {
			b.sleeps("shop")
			time.Sleep(time.Hour - moment)
		})
		b.Remove("shop")
		b.Fail(errors.New("no answer"))
		b.lives(func() {
			time.Sleep(10 * time.Hour)
			b.Answer()
			time.Sleep(time.Minute)
			b.want("", "M 1h0m0s; ")
		})
	})
}

func TestAnAppThatComesBackDoesNotAvoidWhatItDidNotExistFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bills(t, map[string]string{"shop": "1M"})
		b.lives(func() {
			b.sleeps("shop")
			time.Sleep(time.Hour - moment)
			b.Remove("shop")
			time.Sleep(5 * time.Hour)
			b.want("", "M 1h0m0s; ")
			b.Add(registrytest.NewApp("shop"))
			time.Sleep(5 * time.Hour)
			b.want("shop", "M 1h0m0s; ")
		})
	})
}

func TestAnAppThatComesBackWhilePaastisIsDownDoesNotAvoidWhatItDidNotExistFor(t *testing.T) {
	for name, came := range map[string]func(b *billed){
		"before it begins":   func(b *billed) { b.Add(registrytest.NewApp("shop")) },
		"after it has begun": func(b *billed) { go func() { time.Sleep(time.Hour); b.Add(registrytest.NewApp("shop")) }() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := bills(t, map[string]string{"shop": "1M", "far": "1S"})
				b.lives(func() {
					b.sleeps("shop")
					time.Sleep(time.Hour - moment)
					if name == "before it begins" {
						b.Remove("shop")
						time.Sleep(time.Minute)
					}
				})
				b.Remove("shop")
				time.Sleep(5 * time.Hour)
				came(b)
				b.lives(func() {
					time.Sleep(5 * time.Hour)
					b.want("shop", "M 1h0m0s; ")
				})
			})
		})
	}
}

func TestAClockThatWasPutBackWhilePaastisWasDownAddsNothing(t *testing.T) {
	for name, runs := range map[string]bool{"it runs": true, "it sleeps on": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := bills(t, map[string]string{"shop": "1M"})
				var kept history.Avoided
				kept.Begin([]history.Containers{{Size: "M", Amount: 1}}, time.Now().Add(24*time.Hour))
				_ = b.store.Save(t.Context(), history.State{Apps: map[string]history.App{"played/shop": {Seen: time.Now().Add(48 * time.Hour), Avoided: kept}}})
				if want := "M 1h0m0s; "; !runs {
					b.Become("shop", inventory.Instance{})
					b.lives(func() { time.Sleep(time.Hour); b.want("shop", want) })
					return
				}
				b.lives(func() { time.Sleep(time.Minute); b.want("shop", "M 0s; ") })
			})
		})
	}
}
