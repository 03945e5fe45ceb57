// Package clevercloud is the provider of the apps of a Clever Cloud account: of all organisations
// that it may see, and of its personal space.
//
// An app there has a state, which tells what somebody wants of it, and deployments, which tell what
// came of that. A start is a deployment, of the commit that was deployed before; a stop ends all
// instances, and leaves the app's scale as it is.
//
//	GET summary ──────────── each 30 s ─────┐ state, name           ┌── List, Watch ──▶ reports
//	GET applications ─────── each 5 min ────┤ domains, size, commit │
//	GET deployments ──────── each 5 s, ─────┼──▶ apps ──────────────┤
//	      while something starts            │ came up, or failed    └── Start, Stop ──▶ the app, after
//	POST, DELETE instances ─────────────────┘
//
// What is asked is numbered before it is sent: of two answers about an app the one counts that was
// asked for later, so a slow listing never undoes an order.
//
// # Calls
//
// These are all, below /v2. An owner is an organisation or a user.
//
//	GET    /summary                                                every app with its state
//	GET    /organisations/{owner}/applications                     their domains, sizes and commits
//	GET    /organisations/{owner}/deployments                      what came of starts, of all apps at once
//	GET    /organisations/{owner}/applications/{app}               right before a start and a stop
//	GET    /organisations/{owner}/applications/{app}/deployments   before a start, of one that is to be up
//	GET    /organisations/{owner}/applications/{app}/instances     what commit runs; until nothing does
//	POST   /organisations/{owner}/applications/{app}/instances     wake
//	DELETE /organisations/{owner}/applications/{app}/instances     sleep
//	GET    /events/event-socket                                    what happens, with OAuth
package clevercloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/provider"
)

var (
	_ provider.Provider = (*Provider)(nil)
	_ provider.Paced    = (*Provider)(nil)
	_ provider.Resumer  = (*Provider)(nil)
	_ provider.Guarded  = (*Provider)(nil)
	_ provider.Sized    = (*Provider)(nil)
)

const (
	// detailEvery is how often a watch asks for what changes seldom: domains, sizes and commits.
	detailEvery = 5 * time.Minute
	// auditEvery is how often List is to be called beside a watch, which asks for all that is in it.
	auditEvery = time.Hour
	// callLimit bounds one call.
	callLimit = 20 * time.Second
	// callsPerMinute is what Paastis allows itself: Clever Cloud documents no limit.
	callsPerMinute = 300
)

// Provider runs the apps of one account. Its methods may be called concurrently, but Watch only
// once at a time. It makes no call before it is used.
type Provider struct {
	id        string
	api       *api
	apps      *apps
	survey    *survey
	socket    *eventSocket // nil: there is none for an API token
	log       *slog.Logger
	wakeWatch chan struct{} // has room for one: something is to be followed
}

// Config is what a Provider is made of.
type Config struct {
	// ID tells the account from other providers. If empty, "clevercloud".
	ID string
	// Settings say who calls, and where.
	Settings Settings
	// Self is the id of the app that Paastis itself runs in. If empty, it runs elsewhere.
	Self string
	// Transport carries the calls. If nil, connections of its own do.
	Transport http.RoundTripper
	// Log hears of what is wrong with apps. If nil, nobody does.
	Log *slog.Logger
}

// Open makes a provider of that ID. It makes no call.
func Open(id string, s Settings, log *slog.Logger) (*Provider, error) {
	return New(Config{ID: id, Settings: s, Self: selfOf(os.Getenv), Log: log})
}

// selfOf is the id of the app that Paastis itself runs in, which Clever Cloud tells each instance
// (APP_ID, in the reference of environment variables of its documentation). Empty: it runs elsewhere.
func selfOf(getenv func(string) string) string {
	if id := getenv("APP_ID"); strings.HasPrefix(id, "app_") {
		return id
	}
	return ""
}

// New makes a provider from cfg alone. It fails if its settings make no sense, or their file cannot
// be read. It makes no call.
func New(cfg Config) (*Provider, error) {
	id := cmp.Or(cfg.ID, "clevercloud")
	if _, err := cfg.Settings.Validate(); err != nil {
		return nil, fmt.Errorf("clevercloud: provider %q: %w", id, err)
	}
	token, err := cfg.Settings.token()
	if err != nil {
		return nil, fmt.Errorf("clevercloud: provider %q: %w", id, err)
	}
	base, err := cfg.Settings.base()
	if err != nil {
		return nil, fmt.Errorf("clevercloud: provider %q: api_url: %w", id, errors.Unwrap(err))
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	cfg.Log, log = log, log.With("provider", id) // the account's has it by itself
	p := &Provider{id: id, log: log, apps: newApps(cfg.Self, log), wakeWatch: make(chan struct{}, 1)}
	p.connect(cfg, base, token)
	return p, nil
}

// connect says how the account is called.
func (p *Provider) connect(cfg Config, base *url.URL, token string) {
	account := paas.Config{
		ID: p.id, BaseURL: base, Transport: cfg.Transport, Refusal: refusal(token != ""), Timeout: callLimit, Log: cfg.Log,
		Limit: paas.Limit{PerMinute: callsPerMinute, Burst: 20, Wakes: 20},
	}
	if token != "" {
		bearer := &bearer{settings: cfg.Settings, token: token}
		account.Authorize, account.Renew = bearer.authorize, bearer.renew
	} else {
		account.Transport = signing(cfg.Settings, cfg.Transport)
		p.socket = &eventSocket{base: base, authorization: plaintext(cfg.Settings), transport: cfg.Transport, log: p.log}
	}
	p.api = &api{paas.NewAccount(account)}
	p.survey = &survey{p.api, p.apps, cfg.Settings.owners()}
}

// ID is Config.ID.
func (p *Provider) ID() string { return p.id }

// TraefikProvider is empty: Traefik knows nothing of these apps by itself.
func (p *Provider) TraefikProvider() string { return "" }

// Interval is how often List is to be called beside a watch, which asks for all of that itself.
func (p *Provider) Interval() time.Duration { return auditEvery }

// Condition tells how it stands with the calls of the account.
func (p *Provider) Condition() provider.Condition { return p.api.account.Condition() }

// List asks for everything: two calls, and one more for each owner beyond the first.
func (p *Provider) List(ctx context.Context) (provider.Report, error) {
	version, err := p.survey.refresh(ctx, true)
	if err != nil {
		return provider.Report{}, err
	}
	return p.apps.everything(version), nil
}

// Formation is what an app runs while it is awake: its scale stays as it is while it sleeps.
func (p *Provider) Formation(name string, _ []byte) []provider.Part { return p.apps.formation(name) }
