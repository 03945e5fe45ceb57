package server

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/traefik"
)

// auth answers Traefik's question about one request.
func (s *Server) auth(c echo.Context) error {
	h := c.Request().Header
	req, err := traefik.FromForwardAuth(h)
	by := remoteAddr(c.Request())
	if err == nil && s.isStranger(c.Request(), req.Authority, by) {
		err = errStranger
	}
	if err != nil {
		return s.refuse(c, err)
	}
	k := s.find(c, &req, by)
	if k == nil {
		return c.NoContent(http.StatusOK)
	}
	switch who, stands := s.visitors.bystander(req.Method, req.Path, h, req.ClientIP); {
	case who == Poll:
		return s.poll(c.Request().Context(), c.Response(), k, &req)
	case stands:
		return s.glance(c, k)
	case k.Pass(time.Now()):
		return s.pass(c, k)
	}
	if who := wakes(req.Method, h); who != Person {
		return s.hold(c, k, &req, who)
	}
	return s.welcome(c, k, &req)
}

// find is the app that a request belongs to: the one that the middleware's address
// names, else the one whose router matches. Nil if it is no app of ours. It makes the
// request what the visitor made it, before any middleware.
func (s *Server) find(c echo.Context, req *traefik.Request, by netip.Addr) *registry.Keeper {
	if c.Request().URL.RawQuery != "" {
		if name := c.QueryParam("app"); name != "" {
			return s.named(name, req, by)
		}
	}
	if k := s.registry.FindFor(req, by); k != nil {
		return k
	}
	return s.registry.Heard(req, by)
}

// named is the app that the middleware's address names.
func (s *Server) named(name string, req *traefik.Request, by netip.Addr) *registry.Keeper {
	k := s.registry.Named(name)
	if k == nil {
		k = s.registry.HeardName(name, by)
	}
	if k != nil {
		k.Entry().Restore(req)
	}
	return k
}

// glance answers who must not wake an app.
func (s *Server) glance(c echo.Context, k *registry.Keeper) error {
	if k.Open() {
		return c.NoContent(http.StatusOK)
	}
	return tell(c.Response(), c.Request(), onlookerProblem(s.registry.View(k)))
}

// welcome answers a person whose app was not open: through to the app, or the waiting page.
func (s *Server) welcome(c echo.Context, k *registry.Keeper, req *traefik.Request) error {
	if !s.wake(k, req, retriesByLink(req)) {
		return s.page.write(c.Response(), req.Header, http.StatusTooManyRequests, s.refused(k, req))
	}
	if k.Pass(time.Now()) {
		return s.pass(c, k)
	}
	return s.page.write(c.Response(), req.Header, http.StatusServiceUnavailable, shown{view: s.registry.View(k)})
}

// pass lets a request through.
func (s *Server) pass(c echo.Context, k *registry.Keeper) error {
	noteLasting(k, c.Request().Header)
	return c.NoContent(http.StatusOK)
}

// impatience is how long after a failure a page's button counts.
const impatience = time.Second

// wake wakes an app, unless the visitor's address has woken too many. Who insists within
// impatience of a failure has pressed the button of a page that does not show it yet.
func (s *Server) wake(k *registry.Keeper, req *traefik.Request, insist bool) bool {
	if failure, failed := s.registry.Failure(k); failed && time.Since(failure.At) < impatience {
		insist = false
	}
	if s.registry.Sleeps(k, insist) && !s.limit.Allows(req.ClientIP, time.Now()) {
		return false
	}
	s.registry.Wake(k, insist)
	return true
}

// hold keeps a program's request, or a person's form, whose app was not open until it is
// ready, and answers for it if that takes too long.
func (s *Server) hold(c echo.Context, k *registry.Keeper, req *traefik.Request, who Visitor) error {
	if !s.wake(k, req, false) {
		return s.turnDown(c.Response(), c.Request(), k, req, who)
	}
	ctx, cancel := s.patient(c.Request().Context(), k.Entry().Patience(k.Entry().HoldTimeout, mayHaveBody(req)))
	defer cancel()
	for {
		state, successor := s.registry.Await(ctx, k), s.registry.Successor(k)
		if state != registry.Ready && successor == k || ctx.Err() != nil {
			break
		}
		if k = successor; k.Pass(time.Now()) {
			return s.release(c, k, req, who)
		}
		s.registry.Wake(k, false) // somebody has stopped it in this instant, or put another in its place
	}
	return s.letDown(c.Response(), c.Request(), k, req, who)
}

// letDown answers for an app a request that was held in vain.
func (s *Server) letDown(w http.ResponseWriter, r *http.Request, k *registry.Keeper, req *traefik.Request, who Visitor) error {
	view := s.registry.View(k)
	if who == Form {
		return s.page.write(w, req.Header, http.StatusServiceUnavailable, shown{view: view, form: true})
	}
	return tell(w, r, appProblem(view))
}

// turnDown answers for an app a request that might have been held, but for its address
// having woken too many.
func (s *Server) turnDown(w http.ResponseWriter, r *http.Request, k *registry.Keeper, req *traefik.Request, who Visitor) error {
	is := s.refused(k, req)
	if who == Form {
		is.form = true
		return s.page.write(w, req.Header, http.StatusTooManyRequests, is)
	}
	return tell(w, r, tooManyProblem(is.view, is.wait))
}

// refused is what is shown of an app to an address that has woken too many.
func (s *Server) refused(k *registry.Keeper, req *traefik.Request) shown {
	return shown{view: s.registry.View(k), refused: true, wait: s.limit.Wait(req.ClientIP, time.Now())}
}

// patient ends with the request, after some time, or when the server does.
func (s *Server) patient(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	stop := context.AfterFunc(s.closing, cancel)
	return ctx, func() { stop(); cancel() }
}

// release lets a held request go. Traefik carries on with the configuration that the
// request arrived with: only with a static server does that have the app's address.
// Otherwise the visitor is asked to send it again, method and body kept: a browser does so
// by itself. Who would not is told to come again.
func (s *Server) release(c echo.Context, k *registry.Keeper, req *traefik.Request, who Visitor) error {
	if k.Entry().Static() {
		return s.pass(c, k)
	}
	if sendAgain(c.Response(), req, registry.Ready) {
		return nil
	}
	return s.letDown(c.Response(), c.Request(), k, req, who)
}

// refuse answers a question that is none.
func (s *Server) refuse(c echo.Context, err error) error {
	s.warnSeldom(remoteAddr(c.Request()), "question refused that is none of Traefik's ForwardAuth", "from", "reason", err)
	return WriteProblem(c.Response(), c.Request(), Problem{
		Status: http.StatusForbidden,
		Title:  "Not a question of Traefik's ForwardAuth",
		Detail: err.Error(),
	})
}
