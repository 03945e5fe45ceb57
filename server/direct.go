package server

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/traefik"
)

// Requests that come by a published route have the route's name before their path:
// "/.paastis/shop-web/the/path". Traefik leads them here while the app is not awake, and
// for a while before and after. They are no questions but the requests themselves: they
// can be held for as long as the app wants, and be carried to it.

// arrival is a request that has come by a published route.
type arrival struct {
	w       *answer
	r       *http.Request // as the app is to get it
	route   *registry.Route
	keeper  *registry.Keeper
	request traefik.Request // as the visitor made it, before any middleware
}

// published tells whether a request came by a published route.
func published(r *http.Request) bool {
	return strings.HasPrefix(rawPath(r.URL), traefik.PublishedPrefix)
}

// rawPath is a path with the escapes that it came with.
func rawPath(u *url.URL) string {
	if u.RawPath != "" {
		return u.RawPath
	}
	return u.Path // it has no escapes, or those that it is written with anyway
}

// receive answers a request that came by a published route.
func (s *Server) receive(rw http.ResponseWriter, r *http.Request) {
	s.arrivals.begin()
	defer s.arrivals.end()
	w := &answer{ResponseWriter: rw}
	defer s.surviveArrival(w, r)
	unlimit(w)
	if from := remoteAddr(r); !s.access.near(from) && !s.registry.Fetches(from) {
		s.turnAway(w, r, from)
		return
	}
	name, visitors := unmark(r)
	route := s.registry.Route(name)
	if route == nil {
		s.lost(w, r)
		return
	}
	a := &arrival{w: w, r: visitors, route: route, keeper: route.Keeper(), request: traefik.FromRequest(visitors)}
	route.Restore(&a.request)
	switch who := s.visitors.Classify(r.Method, a.request.Path, r.Header, a.request.ClientIP); who {
	case Onlooker:
		s.show(a)
	case Poll:
		s.said(s.poll(a.r.Context(), a.w, a.keeper, &a.request))
	case Person:
		s.lead(a)
	default:
		s.keep(a, who)
	}
}

// unmark is the name of the route that a request came by, and the request as the visitor
// sent it.
func unmark(r *http.Request) (string, *http.Request) {
	marked, _ := strings.CutPrefix(rawPath(r.URL), traefik.PublishedPrefix)
	name := marked
	if end := strings.IndexAny(marked, "/*"); end >= 0 {
		name = marked[:end]
	}
	mark := len(traefik.PublishedPrefix) + len(name)
	u := *r.URL
	u.Path = u.Path[mark:] // a name has no escapes
	if u.RawPath != "" {
		u.RawPath = u.RawPath[mark:]
	}
	if u.Path == "" {
		u.Path = "/"
	}
	visitors := new(http.Request)
	*visitors = *r
	visitors.URL = &u
	return name, visitors
}

// unlimit lets a request take any time, for it is not Traefik that waits for the answer
// but the visitor.
func unlimit(w http.ResponseWriter) {
	rc := http.NewResponseController(w)
	_ = rc.SetWriteDeadline(time.Time{}) // where that is not supported there is no limit
	_ = rc.SetReadDeadline(time.Time{})
}

// turnAway refuses who plays Traefik: a published route leads past what guards the app.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, from netip.Addr) {
	s.warnSeldom(from, "request by a published route refused: see traefik.config_sources", "from")
	status := http.StatusForbidden
	if s.access.token != "" {
		status = http.StatusServiceUnavailable // it may be a Traefik that is yet to come back since Paastis began
	}
	s.send(w, r, Problem{
		Status: status,
		Title:  "Published routes are for Traefik",
		Detail: "Requests by them come from traefik.config_sources, or from who fetches /traefik/config.",
	})
}

// lost answers who came by a route that is no more.
func (s *Server) lost(w http.ResponseWriter, r *http.Request) {
	s.send(w, r, Problem{
		Status: http.StatusServiceUnavailable,
		Title:  "There is no such route any more",
		Detail: "Traefik will learn of it in a moment. Send the request again.",
	})
}

// show answers who must not wake an app.
func (s *Server) show(a *arrival) {
	ctx, cancel := s.patient(a.r.Context(), dialLimit)
	defer cancel()
	if !s.carry(ctx, a, false) {
		s.send(a.w, a.r, onlookerProblem(s.registry.View(a.keeper)))
	}
}

// lead answers a person: from the app, or with the waiting page.
func (s *Server) lead(a *arrival) {
	ctx, cancel := s.patient(a.r.Context(), personPatience)
	defer cancel()
	if s.carry(ctx, a, true) {
		return
	}
	if !s.wake(a.keeper, &a.request, retriesByLink(&a.request)) {
		s.paint(a, http.StatusTooManyRequests, shown{view: s.registry.View(a.keeper), refused: true})
		return
	}
	if !s.carry(ctx, a, true) {
		s.paint(a, http.StatusServiceUnavailable, shown{view: s.registry.View(a.keeper)})
	}
}

// keep keeps a program's request, or a person's form, until the app is ready, and carries
// it there. The body stays with the visitor until then.
func (s *Server) keep(a *arrival, who Visitor) {
	ctx, cancel := s.patient(a.r.Context(), a.keeper.Entry().DirectHoldTimeout)
	defer cancel()
	for !s.carry(ctx, a, true) {
		if !s.wake(a.keeper, &a.request, false) {
			s.said(s.turnDown(a.w, a.r, a.keeper, &a.request, who))
			return
		}
		if s.registry.Await(ctx, a.keeper) != registry.Ready || ctx.Err() != nil {
			s.said(s.letDown(a.w, a.r, a.keeper, &a.request, who))
			return
		}
	}
}

// paint answers a person with the waiting page.
func (s *Server) paint(a *arrival, status int, is shown) {
	s.said(s.page.write(a.w, a.r.Header, status, is))
}

// send answers with a problem document.
func (s *Server) send(w http.ResponseWriter, r *http.Request, p Problem) {
	s.said(WriteProblem(w, r, p))
}

// said notes how sending an answer went.
func (s *Server) said(err error) {
	if err != nil {
		s.log.Debug("answer not sent", "error", err)
	}
}
