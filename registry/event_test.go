package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

// told are events as short texts.
func told(events []Event) []string {
	var all []string
	for _, e := range events {
		switch e.Kind {
		case StateEvent:
			all = append(all, fmt.Sprintf("%s %s→%s", e.App, e.Was, e.State))
		default:
			all = append(all, fmt.Sprintf("%s %s %s", e.App, e.Kind, e.Reason))
		}
	}
	return all
}

func wantTold(t *testing.T, events []Event, want ...string) {
	t.Helper()
	if got := told(events); !slices.Equal(got, want) {
		t.Errorf("told\n %q, want\n %q", got, want)
	}
}

func TestEachChangeOfAStateIsAnEventWithBothSidesItsReasonAndTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo(), service("other", "one"))
		w.visit("solo-web")
		w.change("other-one", func(i *inventory.Instance) { i.Status = inventory.Running }) // nobody manages it
		time.Sleep(time.Hour)
		events := w.Events(0, "", 0)
		wantTold(t, events, "solo-web asleep→starting", "solo-web starting→ready",
			"solo-web ready→draining", "solo-web draining→stopping", "solo-web stopping→asleep")
		if e := events[1]; e.Took < time.Second || e.Took > 4*time.Second || !e.At.Equal(events[0].At.Add(e.Took)) {
			t.Errorf("the way up took %s until %s", e.Took, e.At)
		}
		if e := events[2]; e.Reason.String() != "unused for 10m0s" {
			t.Errorf("it drains because %q", e.Reason)
		}
		wantTold(t, w.Events(events[2].ID, "", 0), "solo-web draining→stopping", "solo-web stopping→asleep")
		wantTold(t, w.Events(0, "", 1), "solo-web stopping→asleep")
		wantTold(t, w.Events(events[2].ID, "", 1), "solo-web draining→stopping")
		wantTold(t, w.Events(0, "other-one", 0))
	})
}

func TestPinsAndRemovedAppsAreEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo())
		until := time.Now().Add(time.Hour)
		w.Pin(w.Named("solo-web"), until)
		w.Pin(w.Named("solo-web"), until) // it is already
		w.Pin(w.Named("solo-web"), time.Time{})
		w.Pin(w.Named("solo-web"), time.Time{})
		k := w.Named("solo-web")
		w.takeAway("solo-web")
		wantTold(t, w.Events(0, "", 0), "solo-web pin pinned until Sat 1 Jan 01:00 UTC", "solo-web pin unpinned", "solo-web gone It was removed.")
		if d := w.Detail(k); d.Name != "solo-web" || d.Reason.String() != "It was removed." {
			t.Errorf("of an app that is gone it says %+v", d)
		}
	})
}

func TestAnAppThatIsManagedNoMoreIsAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "rules: [{pattern: other}]", service("other", "one"))
		w.Reload(settingsFor(t, ""))
		events := w.Events(0, "", 0)
		if len(events) != 1 || events[0].Kind != GoneEvent || !strings.HasPrefix(events[0].Reason.String(), "Paastis does not manage it any more: nothing enables it") {
			t.Errorf("told %q", told(events))
		}
	})
}

func TestTheLastThousandEventsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo())
		for i := range 1200 {
			w.Pin(w.Named("solo-web"), time.Now().Add(time.Duration(i+1)*time.Hour))
		}
		events := w.Events(0, "", 0)
		if len(events) != EventsKept {
			t.Fatalf("%d events are kept", len(events))
		}
		for i, e := range events[1:] {
			if e.ID != events[i].ID+1 {
				t.Fatalf("after %d comes %d", events[i].ID, e.ID)
			}
		}
		if got := w.Events(events[len(events)-1].ID, "", 0); got != nil {
			t.Errorf("after the last come %q", told(got))
		}
		if got := w.Events(events[0].ID-100, "", 0); len(got) != EventsKept {
			t.Errorf("after one that is forgotten come %d", len(got))
		}
	})
}

// following collects what a follower gets until the test ends.
func (w *world) following(after uint64) <-chan Changes {
	f := w.Follow(after)
	ctx, cancel := context.WithCancel(w.t.Context())
	changes, done := make(chan Changes, 1000), make(chan struct{})
	go func() {
		defer close(done)
		defer f.Close()
		for {
			c, err := f.Next(ctx)
			if err != nil {
				return
			}
			changes <- c
		}
	}()
	w.t.Cleanup(func() { cancel(); <-done })
	return changes
}

// gathered is all that was got so far.
func gathered(changes <-chan Changes) (all Changes) {
	synctest.Wait()
	for len(changes) > 0 {
		c := <-changes
		all.Events = append(all.Events, c.Events...)
		all.Apps = append(all.Apps, c.Apps...)
		all.Gone = append(all.Gone, c.Gone...)
		all.Missed = all.Missed || c.Missed
	}
	return all
}

func TestAFollowerIsToldAtOnceAndGetsThePictureOfWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo(), service("solo", "other").routed("other.test"))
		changes := w.following(0)
		began := time.Now()
		w.Wake(w.Named("solo-web"), false)
		got := gathered(changes)
		if time.Since(began) > 0 {
			t.Error("it was told late")
		}
		wantTold(t, got.Events, "solo-web asleep→starting")
		if len(got.Apps) != 1 || got.Apps[0].Name != "solo-web" || got.Apps[0].State != Starting {
			t.Errorf("the pictures are %+v", got.Apps)
		}
		time.Sleep(3 * time.Second)
		got = gathered(changes)
		wantTold(t, got.Events, "solo-web starting→ready")
		if n := len(got.Apps); n == 0 || n > 3 || got.Apps[n-1].State != Ready {
			t.Errorf("the pictures are %+v", got.Apps)
		}
		time.Sleep(time.Minute)
		if got := gathered(changes); len(got.Events)+len(got.Apps) > 1 {
			t.Errorf("in a minute in which nothing happened: %d events, %d pictures", len(got.Events), len(got.Apps))
		}
	})
}

func TestPicturesComeOnceASecondHoweverMuchHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo())
		w.visit("solo-web")
		changes := w.following(0)
		gathered(changes)
		for i := range 100 {
			w.Pin(w.Named("solo-web"), time.Now().Add(time.Duration(i+1)*time.Hour))
			time.Sleep(100 * time.Millisecond)
		}
		got := gathered(changes)
		if len(got.Events) != 100 || len(got.Apps) < 9 || len(got.Apps) > 11 {
			t.Errorf("in 10 s came %d events and %d pictures", len(got.Events), len(got.Apps))
		}
	})
}

func TestUseOfAnAppShowsInItsPictureWithinFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", service("shop", "front", "db").routed("shop.test"), service("shop", "db"))
		w.visit("shop-front")
		changes := w.following(0)
		time.Sleep(time.Minute)
		gathered(changes)
		used := time.Now()
		w.visit("shop-front")
		time.Sleep(5 * time.Second)
		got := gathered(changes)
		var names []string
		for _, d := range got.Apps {
			names = append(names, d.Name)
			if d.Name == "shop-front" && !d.LastActivity.Equal(used) {
				t.Errorf("last used %s, not %s", d.LastActivity, used)
			}
			if want := used.Add(10 * time.Minute); !d.NextStop.Equal(want) {
				t.Errorf("%s stops at %s, not %s", d.Name, d.NextStop, want)
			}
		}
		if !slices.Equal(names, []string{"shop-db", "shop-front"}) {
			t.Errorf("pictures of %q", names)
		}
	})
}

func TestAFollowerIsToldWhichAppsAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "rules: [{pattern: '^other'}]", solo(), service("other", "one"), service("third", "web").routed("third.test"))
		changes := w.following(0)
		w.takeAway("solo-web")
		time.Sleep(2 * time.Second)
		w.Reload(settingsFor(t, "rules: [{pattern: '^third', app_name: renamed}]"))
		time.Sleep(2 * time.Second)
		got := gathered(changes)
		if !slices.Equal(got.Gone, []string{"solo-web", "other-one", "third-web"}) {
			t.Errorf("gone: %q", got.Gone)
		}
		if len(got.Apps) == 0 || got.Apps[len(got.Apps)-1].Name != "renamed" {
			t.Errorf("the app with another name is not pictured: %+v", got.Apps)
		}
	})
}

func TestASlowFollowerHoldsNobodyUpAndLearnsThatItMissedSomething(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo())
		w.Pin(w.Named("solo-web"), time.Now().Add(time.Hour))
		f := w.Follow(0)
		defer f.Close()
		if c, err := f.Next(t.Context()); err != nil || len(c.Events) != 1 {
			t.Fatalf("%+v, %v", c, err)
		}
		for i := range max(goneKept, EventsKept) + 100 {
			w.Pin(w.Named("solo-web"), time.Now().Add(time.Duration(i+2)*time.Hour))
			w.add(service("pr", fmt.Sprint(i)).routed("pr.test"))
			w.takeAway(fmt.Sprintf("pr-%d", i))
		}
		if n := len(f.gone) + len(f.changed); n > goneKept {
			t.Errorf("%d things are kept for it", n)
		}
		c, err := f.Next(t.Context())
		if err != nil || !c.Missed || len(c.Events) != EventsKept {
			t.Errorf("missed %t, %d events, %v", c.Missed, len(c.Events), err)
		}
	})
}

func TestAFollowerOfAPaastisBeforeThisOneStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", solo())
		w.Pin(w.Named("solo-web"), time.Now().Add(time.Hour))
		last := w.Events(0, "", 0)[0].ID
		for after, missed := range map[uint64]bool{0: false, last: false, last - 1: false, last - 50: true, last + 50: true} {
			f := w.Follow(after)
			f.useDue = time.Time{}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if c, err := f.Next(ctx); c.Missed != missed || after == last && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after %d: missed %t, %v", int(after-last), c.Missed, err)
			}
			cancel()
			f.Close()
		}
		if n := len(w.news.followers); n != 0 {
			t.Errorf("%d follow still", n)
		}
	})
}

func TestOnlyAppsThatAreOthersThanBeforeArePicturedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, "", append(shop(), solo())...)
		changes := w.following(0)
		pictured := func(want ...string) {
			t.Helper()
			time.Sleep(2 * time.Second)
			var names []string
			for _, d := range gathered(changes).Apps {
				names = append(names, d.Name)
			}
			if slices.Sort(names); !slices.Equal(names, want) {
				t.Errorf("pictures of %q, want %q", names, want)
			}
		}
		w.add(service("aside", "web", "gone").routed("aside.test").label("paastis.linked_apps", "shop-db"))
		pictured("aside-web", "shop-db")
		w.Reload(settingsFor(t, "rules: [{pattern: solo-web, max_idle_time: 1h}]"))
		pictured("solo-web")
		w.Reload(settingsFor(t, "rules: [{pattern: solo-web, max_idle_time: 1h}]"))
		pictured()
	})
}
