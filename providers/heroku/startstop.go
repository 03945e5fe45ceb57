package heroku

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// errMaintenance and errLeft are why nothing is ordered.
var (
	errMaintenance = reason.NewError(reason.InMaintenance, "it is in maintenance, and left alone until somebody ends that: heroku maintenance:off")
	errLeft        = reason.NewError(reason.SleepsByItself, "it is on eco dynos, which Heroku puts to sleep by itself; to have Paastis do it, set eco: paastis")
	errScaled      = reason.NewError(reason.PlatformBusy, "somebody has scaled it since it was looked at how it is to come back")
	errBare        = reason.NewError(reason.NotDeployed, "it has no process type, so nothing was deployed to it; deploy it: git push heroku main")
)

// Start has one web dyno run of an app for which nothing is kept, and says so. One that somebody
// has scaled to some is left as it is: if its dynos are idle, or have all crashed, they are woken.
func (p *Provider) Start(ctx context.Context, name string) (inventory.App, error) {
	return p.order(paas.With(ctx, paas.Wake), "start", name, p.now, func(ctx context.Context, a app, f formation) error {
		if len(f.running()) > 0 {
			return p.rouse(ctx, a, f)
		}
		if len(f) > 0 && f.of(web) == nil {
			return fmt.Errorf("nothing is kept of how it was scaled, and it has no web: scale it by hand: heroku ps:scale -a %s %s=1", a.name, f[0].Type)
		}
		scaled, err := p.api.scale(ctx, a.id, []change{{Type: web, Quantity: 1}})
		if err != nil {
			return bare(err, f)
		}
		p.log.WarnContext(ctx, "nothing is kept of how the app was scaled, so one web dyno is started; if it had more, scale it by hand",
			"app", a.name, "by", "heroku ps:scale -a "+a.name+" web=N worker=N")
		p.records.started(a.id, f.with(scaled))
		return nil
	})
}

// bare is an error of an app that has no such process type, nor any other.
func bare(err error, f formation) error {
	if len(f) == 0 && paas.HasStatus(err, http.StatusNotFound, http.StatusUnprocessableEntity) {
		return fmt.Errorf("%w: %w", errBare, err)
	}
	return err
}

// Stop scales all process types of an app to none, by one call. It returns once Heroku has done
// so; dynos have 30 s from then on to end.
func (p *Provider) Stop(ctx context.Context, name string, _ rules.StopMethod) (inventory.App, error) {
	return p.order(paas.With(ctx, paas.Sleep), "stop", name, p.justCaptured, func(ctx context.Context, a app, f formation) error {
		switch none := f.toNone(); {
		case p.records.leaves(f):
			return errLeft
		case p.records.captures.wasScaled(a.id, f):
			return errScaled
		case len(none) > 0:
			if _, err := p.api.scale(ctx, a.id, none); err != nil {
				return err
			}
		}
		p.records.stopped(a.id, f)
		return nil
	})
}

// reading reads an app, and what it is scaled to.
type reading func(context.Context, app) (app, formation, error)

// order does something with an app that is not in maintenance, and returns it as it is then.
func (p *Provider) order(ctx context.Context, doing, name string, read reading, do func(context.Context, app, formation) error) (inventory.App, error) {
	known, err := p.known(ctx, doing, name)
	if err != nil {
		return inventory.App{}, err
	}
	a, f, err := read(ctx, known)
	if err == nil {
		err = do(ctx, a, f)
	}
	if err != nil {
		return inventory.App{}, p.failed(doing, known, err)
	}
	app, err := p.records.report(known.id)
	if err != nil {
		return inventory.App{}, fmt.Errorf("heroku: %s %q: %w", doing, name, err)
	}
	return app, nil
}

// justCaptured is now, or what Capture has seen a moment ago.
func (p *Provider) justCaptured(ctx context.Context, known app) (app, formation, error) {
	f, fresh := p.records.captures.take(known.id)
	if s, ok := p.records.standing(known.id); fresh && ok && !s.maintenance {
		return s.app, f, nil
	}
	return p.now(ctx, known)
}

// now is an app, and what it is scaled to, as they are now. It is an error if the app is in
// maintenance.
func (p *Provider) now(ctx context.Context, known app) (app, formation, error) {
	var a app
	var f formation
	begun := p.records.tick()
	both, within := errgroup.WithContext(ctx)
	both.Go(func() (err error) { a, err = p.api.app(within, known.id); return err })
	both.Go(func() (err error) { f, err = p.api.formation(within, known.id); return err })
	if err := both.Wait(); err != nil {
		return app{}, nil, err
	}
	p.records.take(a, begun)
	if s, ok := p.records.standing(known.id); ok && s.maintenance {
		return a, f, errMaintenance
	}
	return a, f, nil
}

// failed is the error of an order. An app that is no more is forgotten.
func (p *Provider) failed(doing string, a app, err error) error {
	if isGone(err) {
		p.records.forget(a.id)
		err = ErrUnknownApp
	}
	return fmt.Errorf("heroku: %s %q: %w", doing, a.name, err)
}

// isGone reports whether Heroku says that it has no such app.
func isGone(err error) bool {
	var refused *paas.Error
	return errors.As(err, &refused) && refused.Status == http.StatusNotFound && !isOfType(refused.Text)
}

// rouse wakes an app that is scaled to some dynos: they may be idle, or have crashed.
func (p *Provider) rouse(ctx context.Context, a app, f formation) error {
	dynos, err := p.api.dynos(ctx, a.id)
	if err != nil {
		return err
	}
	switch phaseOf(dynos) {
	case idling:
		if err := p.knock(ctx, a); err != nil {
			return err
		}
		p.records.started(a.id, f)
	case crashed:
		kind := web
		if f.quantity(web) == 0 {
			kind = f.running()[0].Type
		}
		if err := p.api.restart(ctx, a.id, kind); err != nil {
			return err
		}
		p.records.started(a.id, f)
	default:
		p.records.runs(a.id, f, dynos)
	}
	return nil
}

// isUnreachable reports whether it is not known what became of a call.
func isUnreachable(err error) bool { return errors.Is(err, provider.ErrUnreachable) }
