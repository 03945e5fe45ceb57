package reason_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/reason"
)

func TestEveryKindHasASentenceWithoutHoles(t *testing.T) {
	for _, kind := range reason.Kinds() {
		why := reason.Reason{
			Kind: kind, Apps: []string{"db"}, Until: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), For: time.Minute, Limit: time.Hour,
			Count: 3, Place: 2, Code: 7, Rate: 1000, Text: "somebody's word", Because: &reason.Reason{Kind: reason.ImageMissing},
		}
		if text := why.String(); text == "" || strings.ContainsAny(text, "{}") {
			t.Errorf("%s: %q", kind, text)
		}
		if !kind.Known() {
			t.Errorf("%s is not known", kind)
		}
	}
	if reason.Kind("of_tomorrow").Known() {
		t.Error("a kind of tomorrow is known")
	}
}

func TestAReasonIsSaidWithItsFigures(t *testing.T) {
	image := &reason.Reason{Kind: reason.ImageMissing}
	for want, why := range map[string]reason.Reason{
		"":                                  {},
		`needed by "shop", "blog"`:          {Kind: reason.NeededBy, Apps: []string{"shop", "blog"}},
		"1 open request":                    {Kind: reason.OpenRequests, Count: 1},
		"2 open requests":                   {Kind: reason.OpenRequests, Count: 2},
		"used 1m0s ago, sleeps after 15m0s": {Kind: reason.UsedRecently, For: time.Minute + 300*time.Millisecond, Limit: 15 * time.Minute},
		"unused for 120ms":                  {Kind: reason.Unused, For: 120*time.Millisecond + 300*time.Microsecond},
		"traffic 14 kB/s":                   {Kind: reason.Traffic, Rate: 14_000},
		"db: traffic 14 kB/s":               {Kind: reason.Traffic, Rate: 14_000, Apps: []string{"db"}},
		"It ended with exit code 3.":        {Kind: reason.Exited, Code: 3},
		"It waited 1m0s for db, mail.":      {Kind: reason.NeedsLate, Limit: time.Minute, Apps: []string{"db", "mail"}},
		"It could not be stopped: its image is missing.": {
			Kind: reason.StopRefused, Because: image,
		},
		"It could not be started: its image is missing.":                             *image,
		"How it fares is not known: its provider cannot be reached.":                 {Kind: reason.ProviderUnreachable, Pending: true},
		"It could not be started: no such plan.":                                     {Kind: reason.ProviderRefused, Text: "no such plan"},
		"db, which it needs, failed: It could not be started: its image is missing.": {Kind: reason.NeedFailed, Apps: []string{"db"}, Because: image},
	} {
		if got := why.String(); got != want {
			t.Errorf("%+v is said as %q, want %q", why, got, want)
		}
	}
}

func TestReasonsAreEqualThatSayTheSameWithTheSameFigures(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	one := func() reason.Reason {
		return reason.Reason{Kind: reason.NeedFailed, Apps: []string{"db"}, Until: noon, Because: &reason.Reason{Kind: reason.Exited, Code: 3}}
	}
	elsewhere := one()
	elsewhere.Until = noon.In(time.FixedZone("there", 3600))
	if !one().Equal(one()) || !one().Equal(elsewhere) || !(reason.Reason{}).Equal(reason.Reason{}) {
		t.Error("what is the same is not equal")
	}
	for _, change := range []func(r *reason.Reason){
		func(r *reason.Reason) { r.Kind = reason.NeedHeldDown },
		func(r *reason.Reason) { r.Apps = []string{"mail"} },
		func(r *reason.Reason) { r.Until = noon.Add(1) },
		func(r *reason.Reason) { r.For = 1 },
		func(r *reason.Reason) { r.Limit = 1 },
		func(r *reason.Reason) { r.Count = 1 },
		func(r *reason.Reason) { r.Place = 1 },
		func(r *reason.Reason) { r.Code = 1 },
		func(r *reason.Reason) { r.Rate = 1 },
		func(r *reason.Reason) { r.Text = "x" },
		func(r *reason.Reason) { r.Pending = true },
		func(r *reason.Reason) { r.Because = nil },
		func(r *reason.Reason) { r.Because = &reason.Reason{Kind: reason.Exited, Code: 4} },
	} {
		other := one()
		change(&other)
		if one().Equal(other) || other.Equal(one()) {
			t.Errorf("equal to %+v", other)
		}
	}
}

func TestOfAProvidersErrorItIsKnownWhyItRefused(t *testing.T) {
	missing := reason.NewError(reason.ImageMissing, "image missing")
	for _, c := range []struct {
		err  error
		want reason.Kind
	}{
		{fmt.Errorf("docker: start %q: %w", "shop", missing), reason.ImageMissing},
		{errors.Join(errors.New("x"), missing), reason.ImageMissing},
		{errors.New("docker: no such host"), reason.ProviderRefused},
		{reason.NewError(reason.Pinned, "none of a provider's"), reason.ProviderRefused},
	} {
		if got := reason.Of(c.err); got.Kind != c.want || !got.Kind.OfProvider() {
			t.Errorf("%v: %s, want %s", c.err, got.Kind, c.want)
		}
	}
}

func TestKindsAreSortedAndEachIsThereOnce(t *testing.T) {
	kinds := reason.Kinds()
	if !slices.IsSorted(kinds) || len(slices.Compact(slices.Clone(kinds))) != len(kinds) {
		t.Errorf("kinds: %v", kinds)
	}
}
