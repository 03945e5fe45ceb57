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
