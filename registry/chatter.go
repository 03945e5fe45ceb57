package registry

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/dustin/go-humanize"

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
		why = k.usage.samples.Rates(k.quiet()).Traffic()
	default:
		k.told = nil
		return
	}
	about := why.Topic()
	if k.told[about] {
		return
	}
	if k.told == nil {
		k.told = map[reason.Topic]bool{}
	}
	k.told[about] = true
	args := []any{"app", k.Name(), "reason", why.String()}
	if why.Kind == reason.Traffic && by.Definition().TrafficFloor != rules.Off {
		args = append(args, by.floorText()...)
	}
	o.journal.say(slog.LevelInfo, "app stays awake", args...)
}

// floorText says what traffic counts, and which label ends that the app stays awake for what
// it has moved.
func (k *Keeper) floorText() []any {
	e, quiet := k.Definition(), k.quiet()
	r := k.usage.samples.Rates(quiet - quiet/8)
	const step = 1000
	above := (2*r.Bytes/step + 1) * step
	return []any{
		"floor", fmt.Sprintf("%s/s (%s in %s)", humanize.Bytes(uint64(float64(e.TrafficFloor)/quiet.Seconds())), humanize.Bytes(uint64(e.TrafficFloor)), reason.Short(quiet)),
		"if_that_is_no_use", fmt.Sprintf("paastis.traffic_floor=%s on %s", strings.ReplaceAll(humanize.Bytes(uint64(above)), " ", ""), e.App.Origin),
	}
}
