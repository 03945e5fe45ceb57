package registry

import (
	"log/slog"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// tellWhy logs why an app stays awake that nobody is known to have asked for in its idle time:
// once for each kind of reason, whatever its figures are, until somebody asks for it again. In
// direct mode nobody knows who asks, so its traffic is told as well.
func (o *descent) tellWhy(k *Keeper, s idle.Snapshot, why reason.Reason) {
	by := k
	switch {
	case why.Kind == reason.CheckingUse:
		return // what was told may still hold
	case o.now.Sub(s.LastUse) >= s.MaxIdle:
		if user := o.summaries.of(k.Definition().Component).user; user != nil {
			by = user
		}
	case s.LastUse.Equal(k.routing.trafficSeenAt) && o.now.Sub(latest(k.usage.idleFrom, k.lastRequest())) >= s.MaxIdle && !k.routing.trafficSeenAt.IsZero():
		why = k.usage.samples.Rates(samplingOf(k).quiet()).Traffic()
	default:
		k.told.forget()
		return
	}
	about := why.Topic()
	if !k.told.tell(about) {
		return
	}
	args := []any{"app", k.Name(), "reason", why.String()}
	if why.Kind == reason.Traffic && by.Definition().TrafficFloor != rules.Off {
		args = append(args, by.usage.floorText(by.Definition(), samplingOf(by).quiet())...)
	}
	o.journal.say(slog.LevelInfo, "app stays awake", args...)
}

// toldReasons is of what kinds the reasons are that were logged. Nil: none was.
type toldReasons map[reason.Topic]bool

// tell reports whether a reason of that kind is to be logged: once, until forget.
func (t *toldReasons) tell(about reason.Topic) bool {
	if (*t)[about] {
		return false
	}
	if *t == nil {
		*t = toldReasons{}
	}
	(*t)[about] = true
	return true
}

// forget lets all be logged again.
func (t *toldReasons) forget() { *t = nil }
