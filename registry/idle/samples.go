package idle

import (
	"time"

	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

const (
	// samplesPerQuiet is into how many parts samples divide the time in which an app has to
	// be quiet: it sleeps no later than one of them after that time.
	samplesPerQuiet = 3
	// leastQuiet is the shortest time in which an app is seen to be quiet where a sample
	// itself takes a second or more.
	leastQuiet = 3 * time.Second
	// longestSamplePause is the longest time between two samples of an app of which no request
	// is seen: a single small one must not drown in what else moves.
	longestSamplePause = time.Minute
	// mostSamples is how many samples are remembered.
	mostSamples = 8
)

const (
	// keepAlive is the longest time between two packets of a silent connection, with slack;
	// leastKept is within what time they can be told from single ones of something else.
	keepAlive = 45 * time.Second
	leastKept = time.Minute
)

// Sample is what was found of an app's use beyond its requests, at one moment.
type Sample struct {
	At    time.Time // when it began
	Ended time.Time
	Usage Usage
	// Busy is the app's own word; zero if it is not, or was not asked.
	Busy reason.Reason
	// Past reports whether it tells of the time before it: one is enough.
	Past bool
	// Blind says why the counters could not be read. Empty: they could.
	Blind string
}

// Use is what the samples of an app say of its use.
type Use struct {
	// Reason why it counts as in use. Zero: nothing seen speaks for it.
	Reason reason.Reason
	// Quiet reports whether it was seen to be quiet for long enough.
	Quiet bool
}

// Rates are what was seen of an app between its last samples.
type Rates struct {
	// Over is the time between the samples. Zero: there were no two.
	Over time.Duration
	// sure is the part of it of which it is sure that it was seen: the counters are read at
	// some moment between begin and end of a sample, which on a busy machine are seconds apart.
	sure time.Duration
	// Bytes moved in that time, and the part of a core that was taken, in percent.
	Bytes int64
	CPU   float64
	// Packets moved, and of these Sent. Zero: none, or they are not counted.
	Packets, Sent int64
	// Connections as last seen; UnknownConnections if they cannot be.
	Connections int
}

// Samples are what is remembered of an app, oldest first. Nil: nothing.
type Samples []Sample

// With adds a sample, and forgets the oldest of too many; of several in a row that are blind one
// says as much as all. Counters that fell are those of new instances: what was seen before says
// nothing any more.
func (all Samples) With(s Sample) Samples {
	if last, any := all.seen(); any && s.Blind == "" && (s.Usage.Bytes < last.Usage.Bytes || s.Usage.CPU < last.Usage.CPU) {
		all = nil
	}
	if n := len(all); n > 0 && s.Blind != "" && all[n-1].Blind != "" {
		all = all[:n-1]
	}
	if len(all) >= mostSamples {
		all = all[1:]
	}
	return append(all[:len(all):len(all)], s)
}

// seen is the youngest sample that is not blind; false if there is none.
func (all Samples) seen() (Sample, bool) {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Blind == "" {
			return all[i], true
		}
	}
	return Sample{}, false
}

// Rates compares the last sample with the youngest one from which on it is sure that so much
// time was seen, else with the oldest.
func (all Samples) Rates(quiet time.Duration) Rates {
	if len(all) == 0 {
		return Rates{Connections: UnknownConnections}
	}
	last := all[len(all)-1]
	r := Rates{Connections: last.Usage.Connections}
	for i := len(all) - 2; i >= 0; i-- {
		first := all[i]
		if first.Blind != "" {
			break
		}
		r.Over, r.sure = last.At.Sub(first.At), last.At.Sub(first.Ended)
		r.Bytes = int64(last.Usage.Bytes - first.Usage.Bytes)
		r.Packets, r.Sent = int64(last.Usage.Packets-first.Usage.Packets), int64(last.Usage.Sent-first.Usage.Sent)
		r.CPU = 100 * float64(last.Usage.CPU-first.Usage.CPU) / float64(max(r.Over, 1))
		if r.sure >= quiet {
			return r
		}
	}
	return r
}

// Moved reports whether more bytes than the floor were moved since the sample before, or may
// have been: what nobody saw is in the counters that were read before and after, if there are
// both.
func (all Samples) Moved(floor int64) bool {
	n := len(all)
	if n < 2 || all[n-1].Blind != "" {
		return false
	}
	before, any := all[:n-1].seen()
	if !any {
		return true
	}
	return int64(all[n-1].Usage.Bytes-before.Usage.Bytes) > floor && !Samples{before, all[n-1]}.Rates(0).bare()
}

// Use says what the samples of an app mean for its sleep. quiet is for how long it must
// have been quiet. With silent set, something that was let through may be open, and silent.
func (all Samples) Use(p rules.Properties, quiet time.Duration, silent bool) Use {
	if len(all) == 0 {
		return Use{}
	}
	quiet -= quiet / 8 // samples are not on time to the second
	last, r := all[len(all)-1], all.Rates(quiet)
	switch {
	case !last.Busy.IsZero():
		return Use{Reason: last.Busy}
	case !last.Usage.Use.IsZero():
		return Use{Reason: last.Usage.Use}
	case last.Blind != "" && p.Unseen == rules.UnseenSleep:
		return Use{Quiet: true}
	case last.Blind != "":
		return Use{Reason: reason.Reason{Kind: reason.NotSampled, Text: last.Blind}}
	case r.Connections > 0:
		return Use{Reason: reason.Reason{Kind: reason.Connections, Count: r.Connections}}
	case p.TrafficFloor != rules.Off && r.Bytes > p.TrafficFloor && !r.bare():
		return Use{Reason: r.Traffic()}
	case p.CPUFloor > 0 && r.CPU > p.CPUFloor:
		return Use{Reason: reason.Reason{Kind: reason.CPU, Rate: r.CPU}}
	case last.Past && silent && p.Unseen != rules.UnseenSleep && p.TrafficFloor != rules.Off:
		return Use{Reason: reason.Reason{Kind: reason.StreamUnseen}}
	case last.Past:
		return Use{Quiet: true}
	case p.TrafficFloor == rules.Off && p.CPUFloor == 0 && r.Connections == UnknownConnections:
		return Use{Quiet: true} // by its owner's word, nothing else counts
	case p.Unseen == rules.UnseenSleep, p.TrafficFloor == rules.Off:
		return Use{Quiet: r.sure >= quiet}
	case last.Usage.Unseen != "":
		return Use{Reason: reason.Reason{Kind: reason.UseUnseen, Text: last.Usage.Unseen}}
	case silent && r.keptAlive():
		return Use{Reason: reason.Reason{Kind: reason.MaybeOpen}}
	default:
		return Use{Quiet: r.sure >= quiet}
	}
}

// Quiet is for how long an app without streams must be seen to be quiet: its quiet time,
// and no longer than half of its max_idle_time. It is shorter where connections are counted,
// which takes no time.
func Quiet(p rules.Properties, counted bool) time.Duration {
	quiet := max(p.MaxIdleTime, ShortestStay) / 2
	if !counted {
		quiet = max(quiet, leastQuiet)
	}
	return min(p.QuietTime, quiet)
}

// Pause is how often an app is to be sampled of which no request is seen, by its
// max_idle_time and by how long it must be quiet.
func Pause(maxIdle, quiet time.Duration) time.Duration {
	return min(max(maxIdle/10, quiet/samplesPerQuiet), longestSamplePause)
}

// Traffic is the reason of an app that is in use by its traffic.
func (r Rates) Traffic() reason.Reason {
	return reason.Reason{Kind: reason.Traffic, Rate: float64(r.Bytes) / max(r.Over, time.Second).Seconds()}
}

// bare reports whether all packets that moved had no content: keep-alive packets and the like
// are no use. Where packets are not counted nobody knows.
func (r Rates) bare() bool { return r.Packets > 0 && r.Bytes <= r.Packets*BarePacket }

// keptAlive reports whether as many packets were sent as by something that is open and silent.
func (r Rates) keptAlive() bool {
	return r.Over >= leastKept && r.Sent >= max(2, int64(r.Over/keepAlive))
}
