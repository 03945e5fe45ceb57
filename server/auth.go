package server

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server/problem"
	"github.com/paastis/paastis/traefik"
)

// forwardAuth is the door of those that Traefik asks about, at /auth.
type forwardAuth struct {
	registry *registry.Registry
	visitors Classifier
	visits   *visits
	refusals *refusals
	public   bool // see Options.Public
}

// answer answers Traefik's question about one request.
func (f *forwardAuth) answer(c echo.Context) error {
	h := c.Request().Header
	req, err := traefik.FromForwardAuth(h)
	by := problem.RemoteAddr(c.Request())
	if f.public {
		err = errPublic
	}
	if err == nil && f.isStranger(c.Request(), req.Authority, by) {
		err = errStranger
	}
	if err != nil {
		return f.refuse(c, err)
	}
	k := f.find(c, &req, by)
	if k == nil && f.registry.AwaitApps(c.Request().Context()) {
		k = f.find(c, &req, by)
	}
	if k == nil {
		return c.NoContent(http.StatusOK)
	}
	who, wakesNothing := f.visitors.passive(req.Method, req.Path, h, req.ClientIP)
	switch {
	case wakesNothing && (who == Poll || !k.Open()):
	case wakesNothing:
		return c.NoContent(http.StatusOK)
	case k.Pass(time.Now()):
		return f.pass(c, k)
	default:
		who = wakes(req.Method, h)
	}
	return f.visits.receive(&visit{w: c.Response(), r: c.Request(), keeper: k, request: req, who: who, door: &question{f, c}})
}

// find is the app that a request belongs to: the one that the middleware's address
// names, else the one whose router matches. Nil if it is no app of ours. It makes the
// request what the visitor made it, before any middleware.
func (f *forwardAuth) find(c echo.Context, req *traefik.Request, by netip.Addr) *registry.Keeper {
	if c.Request().URL.RawQuery != "" {
		if name := c.QueryParam("app"); name != "" {
			return f.named(name, req, by)
		}
	}
	if k := f.registry.FindFor(req, by); k != nil {
		return k
	}
	return f.registry.Heard(req, by)
}

// named is the app that the middleware's address names.
func (f *forwardAuth) named(name string, req *traefik.Request, by netip.Addr) *registry.Keeper {
	k := f.registry.Named(name)
	if k == nil {
		k = f.registry.HeardName(name, by)
	}
	if k != nil {
		k.Definition().Restore(req)
	}
	return k
}

// pass lets a request through.
func (f *forwardAuth) pass(c echo.Context, k *registry.Keeper) error {
	noteLasting(k, c.Request().Header)
	return c.NoContent(http.StatusOK)
}

// question is the door of Traefik's ForwardAuth: who is let through goes on by Traefik.
type question struct {
	door *forwardAuth
	c    echo.Context
}

// through lets a held request go. Traefik carries on with the configuration that the
// request arrived with: only with a static server does that have the app's address.
// Otherwise the visitor is asked to send it again, method and body kept: a browser does so
// by itself. Who would not is told to come again.
func (q *question) through(_ context.Context, v *visit) (answered bool, err error) {
	switch {
	case v.who == PassiveClient:
		return false, nil // it was asked whether the app is open
	case !v.keeper.Pass(time.Now()):
		return false, nil
	case v.who == Person || v.keeper.Definition().HasStaticServers():
		return true, q.door.pass(q.c, v.keeper)
	case sendAgain(v.w, &v.request, registry.Ready):
		return true, nil
	default:
		return true, q.door.visits.letDown(v)
	}
}

// patience is how long a request may be held: Traefik waits for 30 s.
func (q *question) patience(v *visit) time.Duration {
	e := v.keeper.Definition()
	return e.Patience(e.HoldTimeout, mayHaveBody(&v.request))
}

func (q *question) follow(*registry.Keeper) {}

// refuse answers a question that is none.
func (f *forwardAuth) refuse(c echo.Context, err error) error {
	f.refusals.warnSeldom(problem.RemoteAddr(c.Request()), "question refused that is none of Traefik's ForwardAuth", "from", "reason", err)
	return problem.Write(c.Response(), c.Request(), problem.Document{
		Status: http.StatusForbidden,
		Title:  "Not a question of Traefik's ForwardAuth",
		Detail: err.Error(),
	})
}
