package registry

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// usage is what was seen of an app's use beyond its requests.
type usage struct {
	samples  idle.Samples // of its counters in this wake
	sampling bool         // they are being read
	unseen   bool         // requests may reach it without Paastis's knowledge
	ram      uint64       // bytes that it took when that was last measured; 0: not known
	idleFrom time.Time    // start of the idle clock: when it became ready, or was found
}

// begin lets the idle clock start at a time.
func (u *usage) begin(at time.Time) { u.idleFrom = at }

// forget leaves out the samples: they say nothing of what is to come.
func (u *usage) forget() { u.samples = nil }

// doubt leaves out all samples but the last: the app has to be seen quiet anew.
func (u *usage) doubt() { u.samples = u.samples[max(len(u.samples)-1, 0):] }

// reading notes whether the counters are being read.
func (u *usage) reading(now bool) { u.sampling = now }

// add takes in a sample, and the memory if it tells that.
func (u *usage) add(s idle.Sample) {
	u.samples = u.samples.With(s)
	u.weigh(s.Usage.Memory)
}

// weigh takes in how much memory the app takes; 0: it is not known.
func (u *usage) weigh(ram uint64) {
	if ram > 0 {
		u.ram = ram
	}
}

// hide notes whether requests may reach the app without Paastis's knowledge.
func (u *usage) hide(unseen bool) { u.unseen = unseen }

// last is the youngest sample; false if there is none in this wake.
func (u *usage) last() (idle.Sample, bool) {
	if len(u.samples) == 0 {
		return idle.Sample{}, false
	}
	return u.samples[len(u.samples)-1], true
}

// sampledSince reports whether a sample was begun after a time.
func (u *usage) sampledSince(t time.Time) bool {
	last, any := u.last()
	return any && !last.At.Before(t)
}

// counted reports whether the connections to the app are counted, as last seen.
func (u *usage) counted() bool {
	last, any := u.last()
	return any && last.Usage.Connections != idle.UnknownConnections
}

// floorText says what traffic counts, and which label ends that the app stays awake for what
// it has moved.
func (u *usage) floorText(e *inventory.Definition, quiet time.Duration) []any {
	r := u.samples.Rates(quiet - quiet/8)
	const step = 1000
	above := (2*r.Bytes/step + 1) * step
	return []any{
		"floor", fmt.Sprintf("%s/s (%s in %s)", humanize.Bytes(uint64(float64(e.TrafficFloor)/quiet.Seconds())), humanize.Bytes(uint64(e.TrafficFloor)), reason.Short(quiet)),
		"if_that_is_no_use", fmt.Sprintf("paastis.traffic_floor=%s on %s", strings.ReplaceAll(humanize.Bytes(uint64(above)), " ", ""), e.App.Origin),
	}
}
