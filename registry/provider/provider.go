// Package provider is what a registry asks of whatever runs apps: what each provider does, what
// some do beside, what they report and how they fail.
package provider

import (
	"context"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// Provider is what runs apps. Its methods may be called concurrently, but Start and
// Stop never at the same time for one app. Errors are prefixed with what the provider is,
// and name the app: `docker: start "shop-front": …`. Package providertest holds a provider
// to all that is said here.
type Provider interface {
	// ID is the provider's own name, by which it is told from the others: in messages, in
	// names of apps, in what is remembered of them. It has no "/" and never changes.
	ID() string

	// TraefikProvider is what Traefik calls the provider of its own that reads the labels of
	// these apps: "docker". Empty: Traefik has none that knows them, and their routers are
	// there only as long as Paastis publishes them.
	TraefikProvider() string

	// List looks at every app, asleep ones included, and returns a complete report,
	// sorted by name.
	List(ctx context.Context) (Report, error)

	// Start starts every instance of the app that does not run, and returns the app
	// as it is right after. An app that runs already is no error. It blocks until the
	// provider has taken the order, not until the app is healthy. The app may have no
	// instance yet.
	Start(ctx context.Context, name string) (inventory.App, error)

	// Stop stops every instance of the app with its own signal and grace period, and
	// returns the app as it is right after. An app that is stopped already is no
	// error. It blocks until the app is stopped. If the error wraps ErrUnreachable it is
	// not known whether it is: Stop is called again once the provider answers, also while
	// what was ordered before is still carried out.
	Stop(ctx context.Context, name string, method rules.StopMethod) (inventory.App, error)

	// Watch calls report with the whole inventory, then with every change, until ctx
	// ends (it returns nil) or the connection to the provider is lost (it returns the
	// error). Called again, it goes on where it ended. Calls of report do not overlap.
	Watch(ctx context.Context, report func(Report)) error
}

// Paced is a Provider that says how often it may be asked for everything: one whose calls are
// limited less often than one beside Paastis, one without events more often.
type Paced interface {
	Provider
	// Interval is the time between two listings of everything, beside what Watch reports. Zero:
	// that of Options. It is asked once.
	Interval() time.Duration
}

// Report is what a provider tells of its apps.
type Report struct {
	// Apps are the apps that changed, as they are now.
	Apps []inventory.App
	// Gone are the names of the apps that no longer exist.
	Gone []string
	// Complete reports whether Apps is the whole inventory: an app not in it is gone,
	// unless a report of it with a greater Version was already seen.
	Complete bool
	// Version of the report, on the same scale as App.Version.
	Version uint64
}

var (
	// ErrImageMissing is what a provider's error wraps if an app's image is missing.
	ErrImageMissing error = reason.NewError(reason.ImageMissing, "image missing")
	// ErrUnreachable is what a provider's error wraps if the provider does not answer.
	ErrUnreachable error = reason.NewError(reason.ProviderUnreachable, "provider unreachable")
)
