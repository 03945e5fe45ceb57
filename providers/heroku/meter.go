package heroku

import (
	"context"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// measurePause is the time between two measures of an app that something keeps awake. Each but
// those of eco dynos costs a call.
const measurePause = 5 * time.Minute

// MeasurePause is measurePause.
func (p *Provider) MeasurePause() time.Duration { return measurePause }

// Measure tells what speaks against the sleep of an app beside its requests, which Heroku does not
// count for anybody: that it is in maintenance, that Heroku puts it to sleep by itself, or that
// one-off dynos run in it.
func (p *Provider) Measure(ctx context.Context, name string, _ provider.Want) (idle.Usage, error) {
	u := idle.Usage{Connections: idle.UnknownConnections}
	known, err := p.known(ctx, "measure", name)
	if err != nil {
		return u, err
	}
	if why := p.rests(known.id); !why.IsZero() {
		u.Use = why
		return u, nil
	}
	dynos, err := p.lookout.look(paas.With(ctx, paas.Sleep), known.id)
	if err != nil {
		return u, p.failed("measure", known, err)
	}
	if u.Use = p.rests(known.id); !u.Use.IsZero() {
		return u, nil
	}
	if n := oneOffs(dynos); n > 0 {
		u.Use = reason.Reason{Kind: reason.OneOffs, Count: n}
	}
	return u, nil
}

// rests is why an app is left alone, whatever its use is. Zero: it is not, as far as is known.
func (p *Provider) rests(id string) reason.Reason {
	switch s, _ := p.records.standing(id); {
	case s.maintenance:
		return reason.Reason{Kind: reason.InMaintenance}
	case s.left:
		return reason.Reason{Kind: reason.SleepsByItself}
	default:
		return reason.Reason{}
	}
}
