package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/server/problem"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/dynamic"
)

// Requests that come by a published route have its mark before their path:
// "/.paastis/MARK/the/path". Traefik leads them here while the app is not awake, and for a
// while before and after. They are no questions but the requests themselves: they can be
// held for as long as the app wants, and be carried to it.
//
// They are past all that Traefik guards the app with. So the mark is a secret that only
// what is published tells, and the visitor must have asked for what the route's router
// takes. Where a request comes from proves nothing: Traefik carries the requests of
// strangers too. Whoever has no mark learns no more than by any path that is none.

// reloadLimit is how long a program waits, after a start without a state, for Traefik to fetch
// its routes: the longer Paastis was away, the longer it takes, up to a minute.
const reloadLimit = time.Minute

// direct is the door of those that Traefik leads here by a published route.
type direct struct {
	registry *registry.Registry
	visitors Classifier
	visits   *visits
	proxy    *proxy
	refusals *refusals
	log      *slog.Logger
	hosts    *ownHosts
	far      bool // a Traefik may reach Paastis by the router of a platform: there is a token for that
	routed   inFlight
}

// routedRequest is a request that has come by a published route.
type routedRequest struct {
	door    *direct
	w       *answer
	r       *http.Request // as the app is to get it
	route   *inventory.Route
	keeper  *registry.Keeper
	request traefik.Request // as the visitor made it, before any middleware
}

// published tells whether a request came by a published route.
func published(r *http.Request) bool {
	return strings.HasPrefix(rawPath(r.URL), dynamic.PathPrefix)
}

// rawPath is a path with the escapes that it came with.
func rawPath(u *url.URL) string {
	if u.RawPath != "" {
		return u.RawPath
	}
	return u.Path // it has no escapes, or those that it is written with anyway
}

// receive answers a request that came by a published route.
func (d *direct) receive(rw http.ResponseWriter, r *http.Request) {
	d.routed.begin()
	defer d.routed.end()
	w := &answer{ResponseWriter: rw}
	defer d.recoverRouted(w, r)
	mark := markOf(r)
	route, err := d.registry.Publisher().Marked(mark)
	if err != nil {
		d.turnAway(w, r, err)
		return
	}
	visitors := stripPrefix(r, mark)
	request := traefik.FromRequest(visitors)
	taken := route.Takes(&request)
	if !taken && d.hosts.has(r.Host) {
		visitors, request, taken = asAsked(visitors, route.Takes)
	}
	a := &routedRequest{door: d, w: w, r: visitors, route: route, keeper: registry.KeeperOfRoute(route), request: request}
	if !taken {
		d.refusals.warnSeldom(problem.RemoteAddr(r), "request refused that has the mark of a published route, and is none that its rule takes", "from", "route", route.Name)
		d.turnAway(w, r, handover.ErrForged)
		return
	}
	unlimit(w)
	who := d.visitors.Classify(r.Method, a.request.Path, r.Header, a.request.ClientIP)
	d.refusals.logUnsent(d.visits.receive(&visit{w: w, r: visitors, keeper: a.keeper, request: a.request, who: who, door: a}))
}

// through takes the request to the app if that is open. It tries for as long as ctx lasts.
func (a *routedRequest) through(ctx context.Context, v *visit) (answered bool, err error) {
	return a.door.proxy.carry(ctx, a, v.who != PassiveClient), nil
}

// patience is how long the request may be held: as long as the app wants.
func (a *routedRequest) patience(v *visit) time.Duration {
	e := v.keeper.Definition()
	return e.Patience(e.DirectHoldTimeout, mayStall(a.r))
}

func (a *routedRequest) follow(successor *registry.Keeper) {
	a.keeper, a.route = successor, a.door.registry.Publisher().SuccessorOf(a.route)
}

// markOf is what a request has behind the PathPrefix, up to the path that the visitor
// asked for.
func markOf(r *http.Request) string {
	marked, _ := strings.CutPrefix(rawPath(r.URL), dynamic.PathPrefix)
	if end := strings.IndexAny(marked, "/*"); end >= 0 {
		return marked[:end]
	}
	return marked
}

// stripPrefix is the request as the visitor sent it, without its mark, which is a valid one. A
// Traefik 2 that tries a request again puts the mark before it again.
func stripPrefix(r *http.Request, mark string) *http.Request {
	mark = dynamic.PathPrefix + mark
	u := *r.URL
	for strings.HasPrefix(u.Path, mark) { // which has no escapes
		u.Path = u.Path[len(mark):]
		u.RawPath = strings.TrimPrefix(u.RawPath, mark)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	visitors := new(http.Request)
	*visitors = *r
	visitors.URL, visitors.RequestURI = &u, u.RequestURI()
	return visitors
}

// asAsked is a request as its visitor made it, if takes takes it as it is, or by the host that
// Traefik tells beside it: where it reaches Paastis by https it asks for the host of that (see
// dynamic.Publish).
func asAsked(r *http.Request, takes func(*traefik.Request) bool) (visitors *http.Request, request traefik.Request, taken bool) {
	request = traefik.FromRequest(r)
	if takes(&request) {
		return r, request, true
	}
	noted := request.NotedHost()
	if noted == "" {
		return r, request, false
	}
	visitors = new(http.Request)
	*visitors = *r
	visitors.Host = noted
	request = traefik.FromRequest(visitors)
	return visitors, request, takes(&request)
}

// loggedPath is the path of a request without a mark: a log is no place for a secret.
func loggedPath(r *http.Request) string {
	mark := markOf(r)
	if !published(r) || mark == "" {
		return r.URL.Path
	}
	return strings.ReplaceAll(rawPath(r.URL), mark, "…")
}

// recoverRouted is to be deferred: it answers 503 where a handler panics. An answer that
// has begun is broken off, so that it does not look whole.
func (d *direct) recoverRouted(w *answer, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause != http.ErrAbortHandler {
		d.log.Error("panic in a handler", "path", loggedPath(r), "cause", cause, "stack", stack())
	}
	if cause == http.ErrAbortHandler || w.begun {
		panic(http.ErrAbortHandler)
	}
	clear(w.Header())
	d.refusals.send(w, r, problem.InternalError)
}

// unlimit lets a request take any time, for it is not Traefik that waits for the answer
// but the visitor.
func unlimit(w http.ResponseWriter) {
	rc := http.NewResponseController(w)
	_ = rc.SetWriteDeadline(time.Time{}) // where that is not supported there is no limit
	_ = rc.SetReadDeadline(time.Time{})
}

// turnAway answers who has no mark of a route. Whoever makes one up learns nothing: not
// even whether there is such a route.
func (d *direct) turnAway(w http.ResponseWriter, r *http.Request, why error) {
	switch {
	case !errors.Is(why, handover.ErrForged) && !d.registry.KnowsApps():
		d.refusals.sendBack(w, r, problem.Document{Title: "The apps are not known yet", Detail: "Their provider does not answer so far. Send the request again in a moment."})
	case errors.Is(why, handover.ErrOutdated):
		d.begunAnew(w, r)
	case errors.Is(why, handover.ErrWithdrawn):
		d.refusals.sendBack(w, r, problem.Document{Title: "There is no such route any more", Detail: "Traefik will learn of it in a moment. Send the request again."})
	default:
		d.refusals.send(w, r, problem.Of(echo.ErrNotFound))
	}
}

// begunAnew answers who may have come by a route of the Paastis before, which left no state
// to tell by. It is sent there again as soon as Traefik has the routes of now.
func (d *direct) begunAnew(w http.ResponseWriter, r *http.Request) {
	asked := stripPrefix(r, markOf(r))
	visitors, request, published := asAsked(asked, func(asked *traefik.Request) bool { return d.registry.Publisher().Publishes(*asked) })
	noted := visitors != asked         // the hosts of Paastis itself are not known again yet
	if !published || noted && !d.far { // so Traefik has led it here by another router
		d.turnAway(w, r, handover.ErrForged)
		return
	}
	d.refusals.warnSeldom(problem.RemoteAddr(r), "Traefik has not fetched its routes since Paastis began without a state: see state_file", "traefik")
	unlimit(w)
	limit := reloadLimit
	if Navigates(r.Header) {
		limit = personPatience
	}
	ctx, cancel := d.visits.patient(r.Context(), limit)
	defer cancel()
	asIs := request.Header["X-Forwarded-Prefix"] == nil && request.Header["X-Replaced-Path"] == nil
	fetched := d.registry.Publisher().AwaitMarks(ctx)
	if noted && !d.hosts.has(r.Host) {
		d.turnAway(w, r, handover.ErrForged) // it was not by this host that Traefik leads requests here
		return
	}
	if fetched && asIs && sendAgain(w, &request, registry.Starting) {
		return
	}
	d.refusals.sendBack(w, r, problem.Document{
		Title: "Paastis has begun anew", Detail: "Traefik will learn of it in a moment. Send the request again.",
		State: registry.Starting.String(),
	})
}
