package scalingo

import (
	"context"
	"log/slog"
	"strconv"
	"time"
)

// lastScales tell to what apps that sleep were scaled before. It may be used by several at once.
type lastScales struct {
	tracks *tracks
	log    *slog.Logger
}

// of is what an app that sleeps is to be scaled to, and which of its autoscalers are to be
// turned on after that.
func (l *lastScales) of(ctx context.Context, k *known, was *kept) ([]part, []string, error) {
	if was != nil && l.tracks.isUnscaled(k.id) {
		return withoutSizes(was.Containers), was.Autoscalers, nil
	}
	h, err := l.history(ctx, k)
	if err != nil {
		return nil, nil, err
	}
	if was != nil && (h.to == nil || alike(h.to, was.Containers)) {
		if h.resized || h.to != nil && !h.down {
			return withoutSizes(was.Containers), was.Autoscalers, nil
		}
		return was.Containers, was.Autoscalers, nil
	}
	switch {
	case h.to == nil:
		l.log.Warn("nothing tells to what an app was scaled; it gets one web", "app", k.name())
		return l.oneWeb(ctx, k)
	case was != nil:
		l.log.Info("somebody has scaled an app while it slept; it comes back so", "app", k.name(), "kept", told(was.Containers), "now", told(h.to))
		return h.to, nil, nil
	}
	l.log.Info("nothing is kept of an app; it is scaled as it was before it was stopped", "app", k.name(), "to", told(h.to))
	autoscalers, err := l.turnedOff(ctx, k, h.at)
	return h.to, autoscalers, err
}

// oneWeb is one container of the type web, or of the first type if there is no web.
func (l *lastScales) oneWeb(ctx context.Context, k *known) ([]part, []string, error) {
	now, err := k.region.formation(ctx, k.name())
	if err != nil {
		return nil, nil, err
	}
	switch {
	case hasType(now, "web"):
		return []part{{Name: "web", Amount: 1}}, nil, nil
	case len(now) > 0:
		return []part{{Name: now[0].Name, Amount: 1}}, nil, nil
	default:
		return nil, nil, errNotDeployed
	}
}

// switchedWith is how soon after an app was scaled its autoscalers tell that they were changed, if
// that was why.
const switchedWith = time.Minute

// turnedOff are the autoscalers of an app that were turned off by its being scaled to none: nobody
// else has changed them since.
func (l *lastScales) turnedOff(ctx context.Context, k *known, scaled time.Time) ([]string, error) {
	all, err := k.region.autoscalers(ctx, k.name())
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, a := range all {
		if a.Disabled && a.UpdatedAt.Sub(scaled).Abs() <= switchedWith {
			ids = append(ids, a.ID)
		}
	}
	return ids, nil
}

// history is what the events of an app tell of its scale.
type history struct {
	to      []part // what it was last scaled to that was anything; nil: they do not tell
	down    bool   // it was scaled from that to none, else it was ordered to be that
	resized bool   // it was scaled from none to none since: to another size
	at      time.Time
}

// mostPages is how many pages of events are read: what is older does not count.
const mostPages = 5

// history reads the events of an app until one tells to what it was scaled.
func (l *lastScales) history(ctx context.Context, k *known) (history, error) {
	var h history
	for number := 1; number <= mostPages; {
		events, next, err := k.region.events(ctx, of(k.name(), "events"), strconv.Itoa(number))
		switch {
		case isUnread(err):
			l.log.Warn("the events of an app cannot be read: whether somebody has scaled it is not known", "app", k.name(), "error", err)
			return history{}, nil
		case err != nil:
			return history{}, err
		}
		for _, e := range events {
			if h.read(e) {
				return h, nil
			}
		}
		if next == nil || *next <= number {
			break
		}
		number = *next
	}
	return h, nil
}

// read takes in an event, and reports whether it tells what is to be known.
func (h *history) read(e event) bool {
	s, ok := e.scaling()
	switch {
	case !ok:
		return false
	case runs(s.Containers):
		h.to, h.down = some(s.Containers), false
	case runs(s.Previous):
		h.to, h.down = some(s.Previous), true
	default:
		h.resized = true
		return false
	}
	h.at = e.CreatedAt
	if h.resized {
		h.to = withoutSizes(h.to)
	}
	return true
}
