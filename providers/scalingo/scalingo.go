// Package scalingo is the provider of the apps of one account at Scalingo, in one region or
// several (https://scalingo.com).
//
// An app there has containers of several types. It sleeps by being scaled to 0 of each, so what it
// was scaled to has to be kept: Capture reads that before each stop, Resume orders it again.
//
//	GET /apps ───────┐ a look: the      ┌───────┐
//	GET /events ─────┤ status of all ──▶│ fleet │──▶ List, Watch: reports
//	POST …/scale ────┴─ flight: an app ─▶└───────┘──▶ Start, Stop: the app, after
//	                    being scaled
//
// # Calls
//
// An account may make 60 calls a minute, and no list tells to what apps are scaled. So nothing is
// asked of each app on an interval. These are all calls:
//
//	POST /v1/tokens/exchange           of the auth service: a session of an hour for the token
//	GET  /v1/regions                   of the auth service, once: where the APIs are
//	GET  /v1/apps                      the status of all apps of a region: each minute, and more
//	                                   often while one is on its way
//	GET  /v1/events                    whether somebody did anything: while nothing is on its way
//	POST /v1/apps/{app}/scale          wake, sleep
//	POST /v1/apps/{app}/restart        wake of an app that has crashed
//	GET  /v1/apps/{app}/operations/…   what became of that
//	GET  /v1/apps/{app}/containers     to what it is scaled, before sleep
//	GET  /v1/apps/{app}/autoscalers    which of them are on, before sleep
//	PATCH /v1/apps/{app}/autoscalers/… on again: scaling turns them off
//	GET  /v1/apps/{app}/events         to what it was scaled, if nothing is kept or somebody may
//	                                   have scaled it since
//	GET  /v1/apps/{app}/ps             whether one-off containers run, before sleep
//	GET  /v1/apps/{app}/stats/router   whether requests come that Paastis does not see, before sleep
//	GET  /v1/apps/{app}/logs           the last lines of an app that failed
package scalingo

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/paastis/paastis/registry/provider"
)

var (
	_ provider.Paced         = (*Provider)(nil)
	_ provider.Resumer       = (*Provider)(nil)
	_ provider.Bounded       = (*Provider)(nil)
	_ provider.Guarded       = (*Provider)(nil)
	_ provider.Retrospective = (*Provider)(nil)
	_ provider.Sized         = (*Provider)(nil)
	_ provider.Logger        = (*Provider)(nil)
)

// auditInterval is the time between two listings that nothing is the reason of.
const auditInterval = time.Minute

// Config is what a Provider is made of.
type Config struct {
	// ID tells the account from other providers. Empty: "scalingo".
	ID string
	// Token is the API token of the account, TokenFile a file that has it, which is read anew for
	// each session. One of them is required.
	Token, TokenFile string
	// AuthURL, APIURL, Regions and CallsPerMinute are as in Settings.
	AuthURL, APIURL, Regions, CallsPerMinute string
	// Self is the name of the app that Paastis itself runs in. Empty: it runs elsewhere.
	Self string
	// Transport carries the calls. Nil: one of its own.
	Transport http.RoundTripper
	// Log takes what people should know. Nil: nobody does.
	Log *slog.Logger
}

// Provider runs the apps of an account. Its methods may be called concurrently, but Watch only
// once at a time. Nothing that it knows has to outlive it.
type Provider struct {
	id      string
	log     *slog.Logger
	account *account
	fleet   *fleet
	flights *flights
	tracks  *tracks

	lister     *lister
	scaler     *scaler
	lastScales *lastScales
	sleeper    *sleeper
}

// Open makes a provider of that ID. It makes no call.
func Open(id string, s Settings, log *slog.Logger) (*Provider, error) {
	return New(Config{
		ID: id, Token: s.Token, TokenFile: s.TokenFile, AuthURL: s.AuthURL, APIURL: s.APIURL,
		Regions: s.Regions, CallsPerMinute: s.CallsPerMinute, Self: selfOf(os.Getenv), Log: log,
	})
}

// New makes a provider. It makes no call, and fails if the configuration makes no sense.
func New(c Config) (*Provider, error) {
	c.ID = cmp.Or(c.ID, "scalingo")
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := Settings{Token: c.Token, TokenFile: c.TokenFile, AuthURL: c.AuthURL, APIURL: c.APIURL, Regions: c.Regions, CallsPerMinute: c.CallsPerMinute}
	if _, err := s.Validate(); err != nil {
		return nil, fmt.Errorf("scalingo: provider %q: %w", c.ID, err)
	}
	if _, err := s.token(); err != nil {
		return nil, fmt.Errorf("scalingo: provider %q: %w", c.ID, err)
	}
	log := c.Log.With("provider", c.ID)
	account, err := newAccount(c, s)
	if err != nil {
		return nil, fmt.Errorf("scalingo: provider %q: %w", c.ID, err)
	}
	fleet, tracks := newFleet(c.Self, log), newTracks()
	flights, lister := newFlights(account, fleet, log), &lister{account: account, fleet: fleet}
	scaler := &scaler{lister: lister, fleet: fleet, tracks: tracks, log: log}
	return &Provider{
		id: c.ID, log: log, account: account, fleet: fleet, flights: flights, tracks: tracks,
		lister: lister, scaler: scaler, lastScales: &lastScales{tracks: tracks, log: log},
		sleeper: &sleeper{lister: lister, scaler: scaler, fleet: fleet, flights: flights, tracks: tracks},
	}, nil
}

// ID is Config.ID.
func (p *Provider) ID() string { return p.id }

// TraefikProvider is empty: Traefik has none that knows these apps.
func (p *Provider) TraefikProvider() string { return "" }

// Interval is a minute: a listing of everything is a call of each region, of 60 in a minute.
func (p *Provider) Interval() time.Duration { return auditInterval }

// MaxStarts is as many as Scalingo scales at once: what is more it takes, and fails.
func (p *Provider) MaxStarts() int { return mostFlights }

// Condition tells how it stands with the calls of the account.
func (p *Provider) Condition() provider.Condition { return p.account.condition() }

// List looks at all apps of all regions, and takes in what became of those that are being scaled.
func (p *Provider) List(ctx context.Context) (provider.Report, error) {
	if err := p.lister.look(ctx); err != nil {
		return provider.Report{}, fmt.Errorf("scalingo: %w", err)
	}
	p.flights.settle(ctx)
	return p.fleet.everything(), nil
}

// doing says at the provider's edge what was done to which app.
func doing(verb, app string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("scalingo: %s %q: %w", verb, app, err)
}
