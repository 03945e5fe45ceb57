// Package heroku is the provider of the apps of one account at Heroku: its own, those of its teams,
// and those that it collaborates on.
//
// An app sleeps by being scaled to none, and wakes by being scaled as it was. Heroku lists apps
// without saying whether they run, so each is looked at in turn, as often as a third of the
// account's quota allows; one that is on its way up every 5 s.
//
//	GET /apps, each minute ──────────────┐
//	GET /apps/x/dynos, one after another ┼──▶ records ──▶ List, Watch ──▶ reports
//	what orders were answered with ──────┘       │
//	                                             └──────▶ Start, Stop ──▶ the app, after
//
// A dyno's state is what counts: a formation says what is wished. Of two looks the one that was
// begun later counts, and none that was begun before an order was answered.
//
// # Calls
//
//	GET   /apps                         1 of 1,000 apps, each minute
//	GET   /apps/x/dynos                 a look; before a stop, for one-off dynos; after a start, each 5 s
//	GET   /apps/x, /apps/x/formation    before each order: is it in maintenance, and how is it scaled
//	PATCH /apps/x/formation             sleep, and wake
//	DELETE /apps/x/formations/web       wakes what has crashed
//	GET   /account, /accounts/x/actions/get-quota    whether eco hours are left, if an eco app does not wake
//	POST  /apps/x/log-sessions          the last lines of an app that has failed
//	GET   https://x.herokuapp.com/      wakes what is on eco dynos; it is no call of the API
package heroku

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/paastis/paastis/registry/provider"
)

var (
	_ provider.Provider      = (*Provider)(nil)
	_ provider.Paced         = (*Provider)(nil)
	_ provider.Resumer       = (*Provider)(nil)
	_ provider.Retrospective = (*Provider)(nil)
	_ provider.Guarded       = (*Provider)(nil)
	_ provider.Bounded       = (*Provider)(nil)
	_ provider.Sized         = (*Provider)(nil)
	_ provider.Logger        = (*Provider)(nil)
)

const (
	// reserve is how many calls are left to the account's people and their CI: below, only wakes
	// go on as ever.
	reserve = 1000
	// mostStarts is how many apps are on their way up at once. Each is asked for every 5 s, so
	// that is 600 calls a minute: what 4,500 calls bear for as long as 500 apps take to wake.
	mostStarts = 50
	// relist is the time between two listings that the registry asks for, beside those of Watch.
	relist = 15 * time.Minute
)

// Provider runs the apps of one account. Its methods may be called concurrently, but Watch only
// once at a time.
type Provider struct {
	id      string
	api     *api
	door    *door
	records *records
	lookout *lookout
	log     *slog.Logger
	watched atomic.Bool
}

// Config is what a Provider is made of. Token is required.
type Config struct {
	// ID tells the account from other providers. If empty, "heroku".
	ID string
	// Token returns the token. It is asked at the start, and again when Heroku refuses what it
	// returned last.
	Token func() (string, error)
	// API is where the API is. If nil, DefaultAPI.
	API *url.URL
	// Eco is Settings.Eco.
	Eco string
	// Self is the name or the id of the app that Paastis runs in, if that is at Heroku.
	Self []string
	// Transport carries the calls of the API, Door the visits of apps on eco dynos, which have no
	// token. If nil, both are those of net/http.
	Transport, Door http.RoundTripper
	// Log hears of what is started otherwise than it was. If nil, nobody does.
	Log *slog.Logger
}

// New makes a provider. It makes no call, but Token is asked.
func New(cfg Config) (*Provider, error) {
	base := cfg.API
	if base == nil {
		base = &url.URL{Scheme: "https", Host: "api.heroku.com"}
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	id := cmp.Or(cfg.ID, "heroku")
	api, err := newAPI(id, base, cfg, log)
	if err != nil {
		return nil, fmt.Errorf("heroku: %w", err)
	}
	log = log.With("provider", id) // the account's has it by itself
	records := newRecords(cfg.Self, cmp.Or(cfg.Eco, EcoHeroku) == EcoHeroku, log)
	return &Provider{
		id: id, api: api, door: newDoor(cfg.Door), log: log,
		records: records, lookout: &lookout{api, records, newBudget(time.Now())},
	}, nil
}

// ID is Config.ID.
func (p *Provider) ID() string { return p.id }

// TraefikProvider is empty: nothing of Traefik's knows the apps of Heroku.
func (p *Provider) TraefikProvider() string { return "" }

// Interval is that of the registry's own listings. Watch lists each minute.
func (p *Provider) Interval() time.Duration { return relist }

// MaxStarts is mostStarts.
func (p *Provider) MaxStarts() int { return mostStarts }

// Condition is that of the account.
func (p *Provider) Condition() provider.Condition { return p.api.account.Condition() }

// List lists all apps, and looks at those of which nothing is known: at all of them while nobody
// watches. It blocks no longer than firstLooks for that: what is not known by then is told as it
// was, or as asleep, and in its turn by Watch.
func (p *Provider) List(ctx context.Context) (provider.Report, error) {
	if err := p.list(ctx); err != nil {
		return provider.Report{}, fmt.Errorf("heroku: list apps: %w", err)
	}
	if !p.watched.Load() {
		p.records.each((*record).doubt)
	}
	if err := p.lookout.atAll(ctx, p.records.which((*record).isUnknown)); err != nil {
		return provider.Report{}, fmt.Errorf("heroku: list apps: %w", err)
	}
	return p.records.all(), nil
}

// list takes in which apps there are.
func (p *Provider) list(ctx context.Context) error {
	begun := p.records.tick()
	apps, err := p.api.apps(ctx)
	if err != nil {
		return err
	}
	return p.records.keep(apps, begun)
}

// known is the app of a name, which may be new since the last listing.
func (p *Provider) known(ctx context.Context, doing, name string) (app, error) {
	if a, ok := p.records.named(name); ok {
		return a, nil
	}
	if err := p.list(ctx); err != nil {
		return app{}, fmt.Errorf("heroku: %s %q: %w", doing, name, err)
	}
	if a, ok := p.records.named(name); ok {
		return a, nil
	}
	return app{}, fmt.Errorf("heroku: %s %q: %w", doing, name, ErrUnknownApp)
}
