package idle

import (
	"testing"
	"time"

	"github.com/paastis/paastis/rules"
)

func TestAStreamJustAboveTheFloorIsNotQuietWhenItsCountersAreReadLate(t *testing.T) {
	began := time.Now()
	const rate = 150 // bytes a second; the floor is 1 kB in 10 s
	var seen Samples
	see := func(from, to time.Duration) { // an engine on a busy machine reads them as a look ends
		seen = seen.With(Sample{At: began.Add(from), Ended: began.Add(to), Usage: Usage{Bytes: uint64(rate * to.Seconds()), Connections: UnknownConnections}})
	}
	see(0, 4*time.Second)
	see(7*time.Second, 8*time.Second)
	see(10*time.Second, 10*time.Second)
	if got := seen.Use(rules.Defaults().Properties, 10*time.Second, false); got.Quiet {
		t.Errorf("after 6 s that were seen for sure: %+v", got)
	}
	see(13*time.Second, 14*time.Second)
	if got := seen.Use(rules.Defaults().Properties, 10*time.Second, false); got.Reason.String() != "traffic 115 B/s" {
		t.Errorf("once enough was seen: %+v", got)
	}
}

func TestTrafficWhileCountersCouldNotBeReadIsSeenOnceTheyCan(t *testing.T) {
	read := func(bytes uint64) Sample { return Sample{Usage: Usage{Bytes: bytes, Connections: UnknownConnections}} }
	for what, c := range map[string]struct {
		before []Sample
		after  Sample
		want   bool
	}{
		"it moved":                   {[]Sample{read(1000)}, read(9000), true},
		"it did not":                 {[]Sample{read(1000)}, read(1500), false},
		"they were never read":       {nil, read(1500), true},
		"they are of a new instance": {[]Sample{read(9000)}, read(1500), false},
		"they still cannot":          {[]Sample{read(1000)}, Sample{Blind: "no answer"}, false},
	} {
		all := Samples(nil)
		for _, s := range c.before {
			all = all.With(s)
		}
		for range 100 {
			all = all.With(Sample{Blind: "no answer"})
		}
		if got := all.With(c.after).Moved(1000); got != c.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}
