package registry

import (
	"time"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// sampling is how an app's use is sampled beyond its requests: whether at all, how often, and for
// how long it must be found quiet. It writes nothing, and is used with the registry's lock held.
type sampling struct{ app *Keeper }

func samplingOf(k *Keeper) sampling { return sampling{k} }

// isOn reports whether the app is sampled before it sleeps.
func (s sampling) isOn() bool { return s.hasMeter() || s.app.Definition().Busy.Asked() }

// hasMeter reports whether the app's provider measures its use.
func (s sampling) hasMeter() bool {
	_, meter := s.app.provider.(provider.Meter)
	return meter
}

// follows reports whether the app's traffic is followed all the time that it is awake: its counters
// tell of the time between two samples, and its owner has them looked at.
func (s sampling) follows() bool {
	return s.hasMeter() && s.pause() == 0 && s.app.Definition().TrafficFloor != rules.Off
}

// pause is the least time between two samples of an app that tell of the time before them. Zero:
// they tell of the time between them.
func (s sampling) pause() time.Duration {
	if past, ok := s.app.provider.(provider.Retrospective); ok {
		return past.MeasurePause()
	}
	return 0
}

// quiet is for how long the app must be seen to be quiet: longer if a stream that was
// let through may still be there, unseen because connections cannot be counted.
func (s sampling) quiet() time.Duration {
	e, counted := s.app.Definition(), s.app.usage.counted()
	if !counted && (s.app.lasting.Load() != 0 || s.app.usage.unseen) {
		return max(e.QuietTime, e.StreamQuietTime)
	}
	return idle.Quiet(e.Properties, counted)
}

// every is how often the traffic of an app is sampled of which no request is seen.
func (s sampling) every() time.Duration {
	return idle.Pause(s.app.Definition().MaxIdleTime, s.quiet())
}
