package handover

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik/api"
)

const (
	// ProvePause is the time between two questions to Traefik's API, for as long as its
	// throttle takes; latePause is the time afterwards.
	ProvePause = 20 * time.Millisecond
	latePause  = 250 * time.Millisecond
)

// Gateway is what stands before the apps: a Traefik that tells what it can reach.
type Gateway interface {
	// Servers are those of a service, "name@provider". It is api.ErrNoService if no
	// service has that name. It blocks for the answer.
	Servers(ctx context.Context, service string) ([]api.Server, error)
	// Routers are all that are in force, whoever provides them. It blocks for the answer.
	Routers(ctx context.Context) ([]api.Router, error)
}

// ErrNotListed is what a Proof finds as long as it is worth asking again.
var ErrNotListed = errors.New("not listed yet")

// errEmptyServer reports that Traefik has a server of the app, and an empty one beside it.
var errEmptyServer = notListed("an instance of the app is not listed yet")

// errNoServer reports that Traefik has no server of the app as it runs now.
var errNoServer = notListed("no server of the app is listed yet")

// notListed is an ErrNotListed that says more.
type notListed string

func (e notListed) Error() string        { return string(e) }
func (e notListed) Is(target error) bool { return target == ErrNotListed }

// Proof is what is to be shown of one wake: that Traefik itself reaches the app.
type Proof struct {
	Gateway    Gateway
	Middleware string // by which routers ask Paastis
	Services   []string
	// Names of the app's containers, to find the services of others that lead to it. Nil
	// if the app's labels say them all.
	Names     []string
	Addresses []netip.Addr         // that the app has now
	Mapped    []*inventory.Mapping // where it is reached now at ports of its machine
	// Definition of the app, which may have a URL.
	Definition *inventory.Definition
	// Stale are addresses that may still be listed from before the app last ended.
	Stale []netip.Addr
	// Certain is when Traefik's throttle has passed since the app is healthy.
	Certain time.Time
	// Ended is when Traefik uses for sure that the app had ended before it was started.
	Ended time.Time
	// Whole is until when none of the servers may be an empty one, which Traefik lists for an
	// instance that it has no address of, and gives its part of the requests all the same.
	// Zero: the app has one instance.
	Whole time.Time

	missed bool // no server was listed since the app's start
}

// Try asks once, and blocks for the answers. It is done when the servers are listed for sure, with
// a nil error, or when there is no point in asking any longer.
//
// A server at an address that the app had before may be listed because Traefik has not
// published the app's end yet: then it takes the server away once more. It is believed
// if it was missing since, or once the end must be in use.
func (o *Proof) Try(ctx context.Context) (done bool, err error) {
	late := !time.Now().Before(o.Certain)
	services, err := o.Services, error(nil)
	if o.Names != nil {
		services, err = o.servicesOf(ctx)
	}
	if err == nil {
		err = o.lists(ctx, services)
	}
	switch {
	case errors.Is(err, errEmptyServer):
		return false, err
	case err == nil:
		doubtful := slices.ContainsFunc(o.Addresses, func(a netip.Addr) bool { return slices.Contains(o.Stale, a) })
		return !doubtful || o.missed || !time.Now().Before(o.Ended), nil
	case errors.Is(err, errNoServer):
		o.missed = true
		return false, err
	default:
		return late, err
	}
}

// Pause is the time to the next question.
func (o *Proof) Pause() time.Duration {
	if time.Now().Before(o.Certain) {
		return ProvePause
	}
	return latePause
}

// lists is nil if Traefik lists a usable server of the app for each service.
func (o *Proof) lists(ctx context.Context, services []string) error {
	for _, service := range services {
		servers, err := o.Gateway.Servers(ctx, service)
		if errors.Is(err, api.ErrNoService) {
			return errNoServer
		}
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(servers, func(s api.Server) bool { return s.Usable() && o.leadsTo(s.URL) }) {
			return errNoServer
		}
		if time.Now().Before(o.Whole) && slices.ContainsFunc(servers, func(s api.Server) bool { return s.URL == "" }) {
			return errEmptyServer
		}
	}
	return nil
}

// servicesOf are the services of routers that use the middleware, whoever provides them,
// and that lead to the app.
func (o *Proof) servicesOf(ctx context.Context) ([]string, error) {
	routers, err := o.Gateway.Routers(ctx)
	if err != nil {
		return nil, err
	}
	var services []string
	for _, router := range routers {
		if !router.Uses(o.Middleware) {
			continue
		}
		servers, err := o.Gateway.Servers(ctx, router.Service)
		if err != nil && !errors.Is(err, api.ErrNoService) {
			return nil, err
		}
		if slices.ContainsFunc(servers, func(s api.Server) bool { return o.owns(s.URL) }) {
			services = append(services, router.Service)
		}
	}
	return services, nil
}

// owns reports whether a server is the app's, by the name of a container, its address, the port of
// its machine, or its URL.
func (o *Proof) owns(serverURL string) bool {
	u, err := url.Parse(serverURL)
	if err != nil {
		return false
	}
	address, _ := netip.ParseAddr(u.Hostname())
	return slices.Contains(o.Names, u.Hostname()) || slices.Contains(o.Addresses, address.Unmap()) || o.isMapped(u) || o.Definition.HasURL(u)
}

// leadsTo reports whether a URL can be that of the app. An address that is none of its own is
// the one that it had before.
func (o *Proof) leadsTo(serverURL string) bool {
	u, err := url.Parse(serverURL)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(u.Hostname())
	return err != nil || len(o.Addresses) == 0 || slices.Contains(o.Addresses, address.Unmap()) || o.isMapped(u) || o.Definition.HasURL(u)
}

// isMapped reports whether a URL is the app's by a port of its machine.
func (o *Proof) isMapped(u *url.URL) bool {
	return slices.ContainsFunc(o.Mapped, func(m *inventory.Mapping) bool { return m.Leads(u) })
}
