package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

const (
	// busyLimit bounds an app's own word on whether it is busy.
	busyLimit = 10 * time.Second
	// measureLimit bounds a look at an app's counters.
	measureLimit = 30 * time.Second
	// samplesPerQuiet is into how many parts looks divide the time in which an app has to
	// be quiet: it sleeps no later than one of them after that time.
	samplesPerQuiet = 3
	// leastQuiet is the shortest time in which an app is seen to be quiet where a look
	// itself takes a second or more.
	leastQuiet = 3 * time.Second
	// longestSamplePause is the longest time between two looks at an app of which no request is
	// seen: a single small one must not drown in what else moves.
	longestSamplePause = time.Minute
	// mostSamples is how many looks are remembered.
	mostSamples = 8
)

// sample is what was found of an app's use beyond its requests, at one moment.
type sample struct {
	at    time.Time // when it began
	ended time.Time
	usage Usage
	// busy is the app's own word; zero if it is not, or was not asked.
	busy reason.Reason
	// blind says why the look failed. Empty: it did not.
	blind string
}

// Use is what the looks at an app say of its use.
type Use struct {
	// Reason why it counts as in use. Zero: nothing seen speaks for it.
	Reason reason.Reason
	// Quiet tells that it was seen to be quiet for long enough.
	Quiet bool
}

// Rates are what was seen of an app between its last looks.
type Rates struct {
	// Over is the time between the looks. Zero: there were no two.
	Over time.Duration
	// sure is the part of it of which it is sure that it was seen: a look reads the counters at
	// some moment between its begin and its end, which on a busy machine are seconds apart.
	sure time.Duration
	// Bytes moved in that time, and the part of a core that was taken, in percent.
	Bytes int64
	CPU   float64
	// Packets moved, and of these Sent. Zero: none, or they are not counted.
	Packets, Sent int64
	// Connections as last seen; UnknownConnections if they cannot be.
	Connections int
}

// samples are what is remembered of an app, oldest first.
type samples []sample

// with adds a look. Counters that fell are those of new instances: what was seen before
// says nothing any more.
func (ls samples) with(l sample) samples {
	if n := len(ls); n > 0 && l.blind == "" && ls[n-1].blind == "" &&
		(l.usage.Bytes < ls[n-1].usage.Bytes || l.usage.CPU < ls[n-1].usage.CPU) {
		ls = nil
	}
	if len(ls) >= mostSamples {
		ls = ls[1:]
	}
	return append(ls[:len(ls):len(ls)], l)
}

// rates compares the last look with the youngest one from which on it is sure that so much
// time was seen, else with the oldest.
func (ls samples) rates(quiet time.Duration) Rates {
	if len(ls) == 0 {
		return Rates{Connections: UnknownConnections}
	}
	last := ls[len(ls)-1]
	r := Rates{Connections: last.usage.Connections}
	for i := len(ls) - 2; i >= 0; i-- {
		first := ls[i]
		if first.blind != "" {
			break
		}
		r.Over, r.sure = last.at.Sub(first.at), last.at.Sub(first.ended)
		r.Bytes = int64(last.usage.Bytes - first.usage.Bytes)
		r.Packets, r.Sent = int64(last.usage.Packets-first.usage.Packets), int64(last.usage.Sent-first.usage.Sent)
		r.CPU = 100 * float64(last.usage.CPU-first.usage.CPU) / float64(max(r.Over, 1))
		if r.sure >= quiet {
			return r
		}
	}
	return r
}

// moved tells that more than the floor was moved between the last two looks.
func (ls samples) moved(floor int64) bool {
	n := len(ls)
	return n > 1 && ls[n-1].blind == "" && ls[n-2].blind == "" && int64(ls[n-1].usage.Bytes-ls[n-2].usage.Bytes) > floor &&
		!ls[n-2:].rates(0).bare()
}

// use says what the looks at an app mean for its sleep. quiet is for how long it must
// have been quiet. With silent set, something that was let through may be open, and silent.
func (ls samples) use(p rules.Properties, quiet time.Duration, silent bool) Use {
	if len(ls) == 0 {
		return Use{}
	}
	quiet -= quiet / 8 // looks are not on time to the second
	last, r := ls[len(ls)-1], ls.rates(quiet)
	switch {
	case !last.busy.IsZero():
		return Use{Reason: last.busy}
	case last.blind != "" && p.Unseen == rules.UnseenSleep:
		return Use{Quiet: true}
	case last.blind != "":
		return Use{Reason: reason.Reason{Kind: reason.NotSampled, Text: last.blind}}
	case r.Connections > 0:
		return Use{Reason: reason.Reason{Kind: reason.Connections, Count: r.Connections}}
	case p.TrafficFloor != rules.Off && r.Bytes > p.TrafficFloor && !r.bare():
		return Use{Reason: r.traffic()}
	case p.CPUFloor > 0 && r.CPU > p.CPUFloor:
		return Use{Reason: reason.Reason{Kind: reason.CPU, Rate: r.CPU}}
	case p.TrafficFloor == rules.Off && p.CPUFloor == 0 && r.Connections == UnknownConnections:
		return Use{Quiet: true} // by its owner's word, nothing else counts
	case p.Unseen == rules.UnseenSleep, p.TrafficFloor == rules.Off:
		return Use{Quiet: r.sure >= quiet}
	case last.usage.Unseen != "":
		return Use{Reason: reason.Reason{Kind: reason.UseUnseen, Text: last.usage.Unseen}}
	case silent && r.keptAlive():
		return Use{Reason: reason.Reason{Kind: reason.MaybeOpen}}
	default:
		return Use{Quiet: r.sure >= quiet}
	}
}

// isSampled tells whether an app is looked at before it sleeps.
func (k *Keeper) isSampled() bool {
	_, meter := k.provider.(Meter)
	return meter || k.Entry().Busy.Asked()
}

// quiet is for how long the app must be seen to be quiet: longer if a stream that was
// let through may still be there, unseen because connections cannot be counted.
func (k *Keeper) quiet() time.Duration {
	e, counted := k.Entry(), k.usage.counted()
	if !counted && (k.lasting.Load() != 0 || k.usage.unseen) {
		return max(e.QuietTime, e.StreamQuietTime)
	}
	return e.quiet(counted)
}

// Quiet is for how long an app without streams must be seen to be quiet: its quiet time,
// and no longer than half of its max_idle_time.
func (e *Entry) Quiet() time.Duration { return e.quiet(false) }

// quiet is shorter where connections are counted, which takes no time.
func (e *Entry) quiet(counted bool) time.Duration {
	quiet := max(e.MaxIdleTime, shortestStay) / 2
	if !counted {
		quiet = max(quiet, leastQuiet)
	}
	return min(e.QuietTime, quiet)
}

// samplePause is how often the traffic of an app is looked at of which no request is seen.
func (k *Keeper) samplePause() time.Duration {
	return min(max(k.Entry().MaxIdleTime/10, k.quiet()/samplesPerQuiet), longestSamplePause)
}

// sampleUse samples an app's use, beside the passes. Nothing is asked of the app itself if
// only its counters are wanted. In the first whole sample of a wake its memory is asked for: it
// is about to sleep, and that may take a second.
func (p *pass) sampleUse(k *Keeper, whole bool) {
	if k.usage.sampling {
		return
	}
	k.usage.reading(true)
	r, e, name, app := p.reg, k.Entry(), k.app.Name, k.app
	want := Want{Ports: e.VisitedPorts(), Linked: e.linkedAddresses(), CPU: e.CPUFloor > 0, Memory: k.attempt.weigh(whole), Quick: e.TrafficFloor == rules.Off}
	r.jobs.do(k, job{work: func(ctx context.Context) func() {
		began := time.Now()
		s := measure(ctx, k.provider, name, e, want)
		if whole && (s.blind == "" || e.Unseen == rules.UnseenSleep) {
			s.busy = askBusy(ctx, k.provider, e, app)
		}
		s.at, s.ended = began, time.Now()
		if ctx.Err() != nil {
			return nil // Paastis ends: what was not seen says nothing
		}
		return func() { r.sampled(k, s) }
	}})
}

// sampled takes in a sample of an app that still runs. It is called with r.mu held.
func (r *Registry) sampled(k *Keeper, s sample) {
	k.usage.reading(false)
	if k.Entry().Follows() {
		s.usage.Unseen = ""
	}
	if !k.app.alive() {
		return // that it could not be seen says nothing
	}
	if last, _ := k.usage.last(); s.blind != "" && last.blind == "" {
		r.journal.say(slog.LevelWarn, blindText(k.Entry().Unseen), "app", k.Name(), "error", s.blind)
	}
	k.usage.add(s)
	k.usage.hide(r.publisher.direct(k) || k.app.Published)
	uncounted := s.usage.Bytes == 0 && s.usage.Connections > 0
	if k.usage.unseen && (k.usage.samples.moved(k.Entry().TrafficFloor) || uncounted) {
		k.routing.see(s.ended)
	}
}

// blindText tells of an app that cannot be looked at.
func blindText(unseen rules.Unseen) string {
	if unseen == rules.UnseenSleep {
		return "app's use cannot be seen, which does not keep it awake; allow the call"
	}
	return "app stays awake, for its use cannot be seen; allow the call, or set unseen: sleep"
}

// measure reads an app's counters.
func measure(ctx context.Context, p Provider, name string, e *Entry, want Want) sample {
	meter, ok := p.(Meter)
	if !ok {
		return sample{usage: Usage{Connections: UnknownConnections}}
	}
	ctx, cancel := context.WithTimeout(ctx, measureLimit)
	defer cancel()
	usage, err := meter.Measure(ctx, name, want)
	switch {
	case err != nil && e.TrafficFloor == rules.Off && e.CPUFloor == 0:
		return sample{usage: Usage{Connections: UnknownConnections}} // it does not count
	case err != nil:
		return sample{blind: err.Error()}
	}
	return sample{usage: usage}
}

// askBusy asks the app itself, and returns that it says that it is busy. A check that
// does not work keeps the app awake.
func askBusy(ctx context.Context, p Provider, e *Entry, app App) reason.Reason {
	if !e.Busy.Asked() {
		return reason.Reason{}
	}
	ctx, cancel := context.WithTimeout(ctx, busyLimit)
	defer cancel()
	busy, err := false, error(nil)
	if e.Busy.Command != nil {
		busy, err = busyByCommand(ctx, p, app.Name, e.Busy.Command)
	} else {
		busy, err = busyByURL(ctx, e, app)
	}
	switch {
	case err != nil:
		return reason.Reason{Kind: reason.BusyCheckFails, Text: err.Error()}
	case busy:
		return reason.Reason{Kind: reason.Busy, Text: e.Busy.String()}
	default:
		return reason.Reason{}
	}
}

func busyByCommand(ctx context.Context, p Provider, name string, command []string) (bool, error) {
	executor, ok := p.(Executor)
	if !ok {
		return false, fmt.Errorf("%s cannot run commands in apps", p.ID())
	}
	code, err := executor.Execute(ctx, name, command)
	if err == nil && code > 1 {
		err = fmt.Errorf("%q ended with %d, neither 0 (busy) nor 1 (not busy)", command[0], code)
	}
	return code == 0, err
}

func busyByURL(ctx context.Context, e *Entry, app App) (bool, error) {
	port := e.Busy.Port
	if port == 0 {
		port = e.Port()
	}
	address := app.reach(port)
	if address == "" || port == 0 {
		return false, errors.New("no way to it: no shared network, or no port known")
	}
	status, err := statusOf(ctx, e.request(address, port, e.Busy.Path))
	if err == nil && status != http.StatusOK && status != http.StatusNoContent {
		err = fmt.Errorf("%s answered %s, neither 200 (busy) nor 204 (not busy)", e.Busy.Path, strconv.Itoa(status))
	}
	return status == http.StatusOK, err
}
