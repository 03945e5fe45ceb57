package registry

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

// The bubble's clock begins at midnight UTC on Saturday, 1 January 2000.

func TestAWindowKeepsAnAppAwakeAndWakesItIfAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo().label("paastis.keep_awake", "Mon-Fri 08:00-19:00 Europe/Paris wake"))
		at := func(day, hour, minute int) {
			time.Sleep(time.Until(time.Date(2000, 1, day, hour, minute, 0, 0, time.UTC)))
		}
		at(2, 12, 0)
		w.wantCalls("")
		at(3, 6, 59) // Monday; Paris is an hour ahead
		w.wantCalls("")
		at(3, 7, 1)
		w.wantCalls("start solo-web")
		at(3, 17, 59)
		w.wantAwake("solo-web", "kept awake by keep_awake (Mon-Fri 08:00-19:00 Europe/Paris wake) until Mon 3 Jan 19:00 CET")
		at(3, 18, 1)
		w.wantCalls("stop solo-web")
		at(8, 12, 0)
		w.wantCalls("start solo-web, stop solo-web, start solo-web, stop solo-web, start solo-web, stop solo-web, start solo-web, stop solo-web")
	})
}

func TestAnAppThatWasStoppedByHandWithinItsWindowStaysAsleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo().label("paastis.keep_awake", "08:00-19:00 UTC wake"))
		time.Sleep(9 * time.Hour)
		w.wantCalls("start solo-web")
		w.change("solo-web", func(i *inventory.Instance) { *i = inventory.Instance{Name: i.Name, ID: i.ID, ExitCode: 143} })
		time.Sleep(9 * time.Hour)
		w.wantCalls("")
		time.Sleep(15 * time.Hour)
		w.wantCalls("start solo-web")
	})
}

func TestAPinKeepsAnAppAwakeUntilItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo())
		w.visit("solo-web")
		w.Pin(w.Named("solo-web"), time.Now().Add(24*time.Hour))
		time.Sleep(23 * time.Hour)
		w.wantAwake("solo-web", "pinned until Sun 2 Jan 00:00 UTC")
		time.Sleep(2 * time.Hour)
		w.wantState("solo-web", Asleep)
	})
}

func TestAPinMayStandInTheRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "rules: [{pattern: solo-web, awake_until: '2000-01-03T12:00:00Z'}]", solo())
		w.visit("solo-web")
		time.Sleep(59 * time.Hour)
		w.wantState("solo-web", Ready)
		time.Sleep(2 * time.Hour)
		w.wantState("solo-web", Asleep)
	})
}

func TestALetGoPinLetsTheAppSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo())
		w.visit("solo-web")
		k := w.Named("solo-web")
		w.Pin(k, time.Now().Add(24*time.Hour))
		time.Sleep(time.Hour)
		w.Pin(k, time.Time{})
		time.Sleep(time.Second)
		w.wantState("solo-web", Asleep)
	})
}

func TestAnAppThatIsBeingStoppedAsItsWindowBeginsIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo().label("paastis.keep_awake", "08:00-19:00 UTC wake")
		a.Stopping = 5 * time.Second
		w := live(t, "", a)
		time.Sleep(8*time.Hour - 10*time.Minute - 4*time.Second)
		w.visit("solo-web") // ready 1 s later: stops at 07:59:57
		time.Sleep(time.Hour)
		w.wantState("solo-web", Ready)
	})
}
