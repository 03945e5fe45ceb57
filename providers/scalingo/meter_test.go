package scalingo_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/scalingo/scalingotest"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// What Paastis lets through comes to the platform's routers, too, and so does what a front asks its
// back. It is known already, and must not keep the app awake for as long again.
func TestRequestsThatAreKnownTellNoUseAndOthersDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scalingotest.New(scalingotest.Config{})
		p.Create("osc-fr1", "shop", scalingotest.Type{Name: "web", Amount: 1, Size: "M"})
		s := connect(t, p)
		if _, err := s.List(t.Context()); err != nil {
			t.Fatal(err)
		}
		measured := func(known time.Time) reason.Reason {
			t.Helper()
			usage, err := s.Measure(t.Context(), "shop", provider.Want{Since: known})
			if err != nil {
				t.Fatal(err)
			}
			return usage.Use
		}
		p.Visit("shop", 3)
		time.Sleep(20 * time.Second)
		known := time.Now()
		p.Visit("shop", 1) // at the same time
		time.Sleep(3 * time.Minute)
		if got := measured(known); !got.IsZero() {
			t.Errorf("what is known already counts as use: %s", got)
		}
		if got := measured(time.Time{}); got.Count != 4 {
			t.Errorf("of a use that nobody knows it tells: %q", got)
		}
		p.Visit("shop", 2)
		time.Sleep(90 * time.Second)
		if got := measured(known); got.Kind != reason.RoutedRequests || got.Count != 2 {
			t.Errorf("two requests past Paastis: %q", got)
		}
		time.Sleep(6 * time.Minute)
		if got := measured(known); !got.IsZero() {
			t.Errorf("long after them: %q", got)
		}
		p.RunOneOffs("shop", 2)
		if got := measured(time.Now()); got.Kind != reason.OneOffs || got.Count != 2 {
			t.Errorf("two one-off containers: %q", got)
		}
	})
}

// The platform tells the time in whole seconds, and counts by the minute: what comes in the first
// moments of a minute may be known by a moment before.
func TestARequestThatIsCountedAMomentLaterIsKnownAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scalingotest.New(scalingotest.Config{})
		p.Create("osc-fr1", "shop", scalingotest.Type{Name: "web", Amount: 1, Size: "M"})
		s := connect(t, p)
		if _, err := s.List(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute + 200*time.Millisecond)))
		p.Visit("shop", 1)
		known := time.Now().Add(600 * time.Millisecond)
		time.Sleep(3*time.Second + 700*time.Millisecond)
		usage, err := s.Measure(t.Context(), "shop", provider.Want{Since: known})
		if err != nil || !usage.Use.IsZero() {
			t.Errorf("it tells %q, %v", usage.Use, err)
		}
	})
}
