package scalingo

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/inventory"
)

// Start scales an app that sleeps to what it was scaled to before, as its last event of that kind
// tells; one without such to one "web". An app that runs stays as it is. It blocks until Scalingo
// has taken the order, which waits if there are too many, or another operation of the app is under
// way.
func (p *Provider) Start(ctx context.Context, name string) (inventory.App, error) {
	app, err := p.wake(ctx, name, nil)
	return app, doing("start", name, err)
}

// Resume is Start with what Capture returned. What somebody else has scaled the app to meanwhile
// stays: that is how it is to be.
func (p *Provider) Resume(ctx context.Context, name string, text []byte) (inventory.App, error) {
	known, err := readKept(text)
	if err != nil {
		return inventory.App{}, doing("start", name, err)
	}
	app, err := p.wake(ctx, name, &known)
	return app, doing("start", name, err)
}

// wake brings an app up. Was is what is kept of it; nil: nothing.
func (p *Provider) wake(ctx context.Context, name string, was *kept) (inventory.App, error) {
	ctx = paas.With(ctx, paas.Wake)
	o := order{Provider: p, name: name, up: true}
	o.give = func(ctx context.Context, k *known, end func()) error {
		if read(p.fleet, k, func(k *known) string { return k.status }) == isCrashed {
			return p.restart(ctx, k, was, end)
		}
		return p.restore(ctx, k, was, end)
	}
	app, err := o.carryOut(ctx)
	if err == nil && was != nil && len(was.Autoscalers) > 0 {
		err = p.completeAutoscalers(ctx, name, was)
	}
	return app, err
}

// restore scales an app that sleeps.
func (p *Provider) restore(ctx context.Context, k *known, was *kept, end func()) error {
	to, autoscalers, err := p.lastScale(ctx, k, was)
	if err != nil {
		return err
	}
	_, err = p.scaleTo(ctx, k, to, &flight{up: true, autoscalers: autoscalers, end: end})
	return err
}

// restart starts an app again that has crashed so often that Scalingo gave up: it is scaled already.
func (p *Provider) restart(ctx context.Context, k *known, was *kept, end func()) error {
	operation, err := k.region.restart(ctx, k.name())
	if err != nil {
		return p.orBusy(ctx, k, err)
	}
	fl := &flight{up: true, operation: operation, end: end}
	if was != nil {
		fl.autoscalers = slices.Clone(was.Autoscalers)
	}
	p.takeOff(k, fl, nil)
	return nil
}

// completeAutoscalers turns the autoscalers on of an app that was brought back before, if it is
// scaled to what is kept: by this Paastis, or by one that ended before it had done so.
func (p *Provider) completeAutoscalers(ctx context.Context, name string, was *kept) error {
	k := p.fleet.named(name)
	if k == nil || read(p.fleet, k, func(k *known) bool { return k.flight != nil }) {
		return nil // the flight does that
	}
	now, err := k.region.formation(ctx, k.name())
	if err != nil {
		return err
	}
	if !alike(now, was.Containers) {
		p.log.Info("somebody has scaled an app meanwhile; it stays so, and its autoscalers as well", "app", k.name(), "kept", told(was.Containers), "now", told(now))
		return nil
	}
	for _, id := range was.Autoscalers {
		if err := k.region.enable(ctx, k.name(), id); err != nil && statusOf(err) != http.StatusNotFound {
			return err
		}
	}
	return nil
}

// lastScale is what an app that sleeps is to be scaled to, and which of its autoscalers are to be
// turned on after that.
func (p *Provider) lastScale(ctx context.Context, k *known, was *kept) ([]part, []string, error) {
	if was != nil && p.tracks.isUnscaled(k.id) {
		return withoutSizes(was.Containers), was.Autoscalers, nil
	}
	h, err := p.history(ctx, k)
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
		p.log.Warn("nothing tells to what an app was scaled; it gets one web", "app", k.name())
		return p.oneWeb(ctx, k)
	case was != nil:
		p.log.Info("somebody has scaled an app while it slept; it comes back so", "app", k.name(), "kept", told(was.Containers), "now", told(h.to))
		return h.to, nil, nil
	}
	p.log.Info("nothing is kept of an app; it is scaled as it was before it was stopped", "app", k.name(), "to", told(h.to))
	autoscalers, err := p.turnedOff(ctx, k, h.at)
	return h.to, autoscalers, err
}

// withoutSizes leaves the sizes to Scalingo, which keeps those of what is scaled to 0: whoever has
// changed one meanwhile has his way.
func withoutSizes(parts []part) []part {
	without := slices.Clone(parts)
	for i := range without {
		without[i].Size = ""
	}
	return without
}

// oneWeb is one container of the type web, or of the first type if there is no web.
func (p *Provider) oneWeb(ctx context.Context, k *known) ([]part, []string, error) {
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

func hasType(parts []part, name string) bool {
	return slices.ContainsFunc(parts, func(p part) bool { return p.Name == name })
}

// switchedWith is how soon after an app was scaled its autoscalers tell that they were changed, if
// that was why.
const switchedWith = time.Minute

// turnedOff are the autoscalers of an app that were turned off by its being scaled to none: nobody
// else has changed them since.
func (p *Provider) turnedOff(ctx context.Context, k *known, scaled time.Time) ([]string, error) {
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
func (p *Provider) history(ctx context.Context, k *known) (history, error) {
	var h history
	for number := 1; number <= mostPages; {
		events, next, err := k.region.events(ctx, of(k.name(), "events"), strconv.Itoa(number))
		switch {
		case isUnread(err):
			p.log.Warn("the events of an app cannot be read: whether somebody has scaled it is not known", "app", k.name(), "error", err)
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

// some are the parts that are not 0.
func some(parts []part) []part {
	return slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return p.Amount == 0 })
}
