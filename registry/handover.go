package registry

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/traefik/api"
)

const (
	// provePause is the time between two questions to Traefik's API, for as long as its
	// throttle takes; latePause is the time afterwards.
	provePause = 20 * time.Millisecond
	latePause  = 250 * time.Millisecond
	// noticeSlack is how much later than its throttle Traefik may publish what happened
	// to a container: it lists and inspects all of them first, for one event after the
	// other. Where nobody can be asked, the throttle and this have to pass.
	noticeSlack = 2 * time.Second
	// switchSlack is for requests that are on their way through Traefik in the moment
	// in which it learns the app's address: they go on with what it knew before.
	switchSlack = 100 * time.Millisecond
)

// Gateway is what stands before the apps: a Traefik that tells what it can reach.
type Gateway interface {
	// Servers are those of a service, "name@provider". It is api.ErrNoService if no
	// service has that name. It blocks for the answer.
	Servers(ctx context.Context, service string) ([]api.Server, error)
	// Routers are all that are in force, whoever provides them. It blocks for the answer.
	Routers(ctx context.Context) ([]api.Router, error)
}

// errEmptyServer reports that Traefik has a server of the app, and an empty one beside it.
var errEmptyServer = errors.New("an instance of the app is not listed yet")

// errNoServer reports that Traefik has no server of the app as it runs now.
var errNoServer = errors.New("no server of the app is listed yet")

// handOvers lead the requests of apps to them, and back to Paastis, and know when that is so.
type handOvers struct {
	*schedule
	definitions *definitions
	traefik     *traefikView
	publisher   *Publisher
	prober      *prober
	transitions *transitions
	tasks       *tasks
}

// handOver makes a healthy app ready once Traefik can reach it.
func (h *handOvers) handOver(k *Keeper) {
	reachable := h.reachable(k)
	if h.now.Before(reachable) || reachable.IsZero() {
		h.at(k.attempt.deadline)
		h.at(later(reachable, k.attempt.deadline))
		return
	}
	k.usage.begin(h.now)
	h.enter(k, Ready, reason.Reason{})
	h.transitions.admit(k)
}

// reachable is when Traefik can reach the app. Zero: not known yet.
func (h *handOvers) reachable(k *Keeper) time.Time {
	switch {
	case h.publisher.pollers.direct(k), !h.unsure(k):
		// Paastis carries the requests until Traefik leads them to the app.
		return k.attempt.healthyAt
	case k.attempt.found && k.app.RanFor(brief, h.now):
		return k.attempt.healthyAt // Traefik has known it for long
	case !k.attempt.provenAt.IsZero():
		return k.attempt.provenAt.Add(switchSlack)
	case h.traefik.gateway == nil || k.attempt.unprovable:
		return k.attempt.healthyAt.Add(h.definitions.settings.Throttle + noticeSlack)
	default:
		h.prove(k)
		return time.Time{}
	}
}

// unsure reports whether Traefik may not reach the app as soon as it answers. An app that
// visitors ask for without a router in its labels has one that somebody else provides,
// a file for example: only Traefik knows it.
func (h *handOvers) unsure(k *Keeper) bool {
	e := k.Definition()
	return len(e.Unproven()) > 0 || len(e.Routers) == 0 && h.traefik.gateway != nil && !k.lastRequest().IsZero()
}

// proof is what is to be shown of one wake.
type proof struct {
	gateway    Gateway
	middleware string // see Settings
	services   []string
	// names of the app's containers, to find the services of others that lead to it. Nil
	// if the app's labels say them all.
	names     []string
	addresses []netip.Addr         // that the app has now
	mapped    []*inventory.Mapping // where it is reached now at ports of its machine
	// definition of the app, which may have a URL.
	definition *inventory.Definition
	// stale are addresses that may still be listed from before the app last ended.
	stale []netip.Addr
	// certain is when Traefik's throttle has passed since the app is healthy.
	certain time.Time
	// ended is when Traefik uses for sure that the app had ended before it was started.
	ended time.Time
	// missed reports whether no server was listed since the app's start.
	missed bool
	// whole is until when none of the servers may be an empty one, which Traefik lists for an
	// instance that it has no address of, and gives its part of the requests all the same.
	// Zero: the app has one instance.
	whole time.Time
}

// prove asks Traefik's API again and again until it lists the app's servers.
func (h *handOvers) prove(k *Keeper) {
	deadline, during := k.attempt.deadline, k.during()
	proof := proof{
		definition: k.Definition(), gateway: h.traefik.gateway, middleware: h.definitions.settings.Middleware,
		services: k.Definition().Unproven(), addresses: inventory.AddressesOf(h.prober.serving(k)),
		certain: k.attempt.healthyAt.Add(h.definitions.settings.Throttle + noticeSlack),
		ended:   k.attempt.startedAt.Add(h.definitions.settings.Throttle + turnSlack),
	}
	if len(k.app.Instances) > 1 {
		proof.whole = k.attempt.healthyAt.Add(laggardGrace)
	}
	for _, i := range k.app.Instances {
		if i.Mapped != nil {
			proof.mapped = append(proof.mapped, i.Mapped)
		}
	}
	if len(k.Definition().Routers) == 0 {
		proof.names = k.app.Hosts()
	}
	if k.attempt.startedAt.Before(k.endings.endedAt.Add(h.definitions.settings.Throttle + noticeSlack)) {
		proof.stale = k.endings.formerAddresses
		if k.endings.formerAddresses == nil {
			proof.stale = proof.addresses // it ended before Paastis saw it
		}
	}
	h.tasks.doLocked(k, task{alone: true, current: during, work: func(ctx context.Context) func() {
		ctx, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		var err error
		for done := false; !done; {
			done, err = proof.try(ctx)
			if done || ctx.Err() != nil || !h.tasks.still(func() bool { return during() && h.transitions.needsProof(k) }) {
				break
			}
			sleep(ctx, proof.pause())
		}
		return func() { h.transitions.proved(k, err) }
	}})
}

// try asks once. It is done when the servers are listed for sure, with a nil error, or
// when there is no point in asking any longer.
//
// A server at an address that the app had before may be listed because Traefik has not
// published the app's end yet: then it takes the server away once more. It is believed
// if it was missing since, or once the end must be in use.
func (o *proof) try(ctx context.Context) (done bool, err error) {
	late := !time.Now().Before(o.certain)
	services, err := o.services, error(nil)
	if o.names != nil {
		services, err = o.servicesOf(ctx)
	}
	if err == nil {
		err = o.lists(ctx, services)
	}
	switch {
	case errors.Is(err, errEmptyServer):
		return false, err
	case err == nil:
		doubtful := slices.ContainsFunc(o.addresses, func(a netip.Addr) bool { return slices.Contains(o.stale, a) })
		return !doubtful || o.missed || !time.Now().Before(o.ended), nil
	case errors.Is(err, errNoServer):
		o.missed = true
		return false, err
	default:
		return late, err
	}
}

// pause is the time to the next question.
func (o *proof) pause() time.Duration {
	if time.Now().Before(o.certain) {
		return provePause
	}
	return latePause
}

// lists is nil if Traefik lists a usable server of the app for each service.
func (o *proof) lists(ctx context.Context, services []string) error {
	for _, service := range services {
		servers, err := o.gateway.Servers(ctx, service)
		if errors.Is(err, api.ErrNoService) {
			return errNoServer
		}
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(servers, func(s api.Server) bool { return s.Usable() && o.leadsTo(s.URL) }) {
			return errNoServer
		}
		if time.Now().Before(o.whole) && slices.ContainsFunc(servers, func(s api.Server) bool { return s.URL == "" }) {
			return errEmptyServer
		}
	}
	return nil
}

// servicesOf are the services of routers that use the middleware, whoever provides them,
// and that lead to the app.
func (o *proof) servicesOf(ctx context.Context) ([]string, error) {
	routers, err := o.gateway.Routers(ctx)
	if err != nil {
		return nil, err
	}
	var services []string
	for _, router := range routers {
		if !router.Uses(o.middleware) {
			continue
		}
		servers, err := o.gateway.Servers(ctx, router.Service)
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
func (o *proof) owns(serverURL string) bool {
	u, err := url.Parse(serverURL)
	if err != nil {
		return false
	}
	address, _ := netip.ParseAddr(u.Hostname())
	return slices.Contains(o.names, u.Hostname()) || slices.Contains(o.addresses, address.Unmap()) || o.isMapped(u) || o.definition.HasURL(u)
}

// leadsTo tells whether a URL can be that of the app. An address that is none of its own is
// the one that it had before.
func (o *proof) leadsTo(serverURL string) bool {
	u, err := url.Parse(serverURL)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(u.Hostname())
	return err != nil || len(o.addresses) == 0 || slices.Contains(o.addresses, address.Unmap()) || o.isMapped(u) || o.definition.HasURL(u)
}

// isMapped reports whether a URL is the app's by a port of its machine.
func (o *proof) isMapped(u *url.URL) bool {
	return slices.ContainsFunc(o.mapped, func(m *inventory.Mapping) bool { return m.Leads(u) })
}

// needsProof reports whether the app runs and is still on its way up, and no Traefik has begun
// to fetch its route meanwhile: then it need not be one that its labels tell. It is called
// with r.mu held.
func (t *transitions) needsProof(k *Keeper) bool {
	return k.state == Starting && !k.removal.gone && k.app.Up() && !t.publisher.pollers.direct(k)
}

// proved takes in how a proof went. Without an answer from Traefik's API the app waits
// as if there were none. It is called with r.mu held.
func (t *transitions) proved(k *Keeper, err error) {
	switch {
	case err == nil:
		k.attempt.prove(time.Now())
	case errors.Is(err, errNoServer), errors.Is(err, errEmptyServer), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && !time.Now().Before(k.attempt.deadline):
	default:
		t.doubt(k, err)
	}
}

// doubt notes that nothing can be proven in this wake. Called with the lock held.
func (t *transitions) doubt(k *Keeper, err error) {
	k.attempt.doubt()
	t.journal.say(slog.LevelWarn, "Traefik's API does not answer: waiting for its throttle instead; check traefik.api_url", "app", k.Name(), "error", err)
}

// later is t, or other if t is zero.
func later(t, other time.Time) time.Time {
	if t.IsZero() {
		return other
	}
	return t
}
