// Package admin is what admins talk to: an API, and a page on it.
//
//	/                     the dashboard, or the login page
//	/login, /logout       sessions of people
//	/api/v1/…             the API, as openapi.yaml tells
//
// All of it is behind the guard: without a token or a session every path, known or not,
// answers alike.
//
//	request ──▶ guard ──▶ handler ──▶ registry
//	              │ programs: the token, with each request
//	              │ people: a session's cookie, and its csrf with what changes something
//	              └──▶ 401, or the login page
//
// It is a handler of its own that package server knows nothing of but where it is put, so
// no question of Traefik's and no visitor's path leads into it.
package admin

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server/problem"
)

const (
	// drainLimit bounds the answers that are under way when Paastis ends.
	drainLimit = 10 * time.Second
	// readLimit bounds the time for a request to come in, and writeLimit that for an
	// answer, or a part of a stream, to go out.
	readLimit  = 10 * time.Second
	writeLimit = 30 * time.Second
	// idleLimit is how long a connection is kept that nothing is asked on.
	idleLimit = 2 * time.Minute
)

// api is where the API is, below the admin root.
const api = "/api/v1"

// Options are what an Admin is made of. All are required, but Version and TrustedProxies.
type Options struct {
	Registry *registry.Registry
	// Token is the sum of what lets in.
	Token Sum
	// TrustedProxies are the addresses of those that are believed about whom they have
	// requests from. Nil: nobody is.
	TrustedProxies []netip.Prefix
	Log            *slog.Logger
	// Version of Paastis, for people.
	Version string
	// Started is when Paastis did.
	Started time.Time
}

// Admin answers admins. The paths that it sees begin at the admin root.
type Admin struct {
	registry *registry.Registry
	log      *slog.Logger
	version  string
	started  time.Time

	proxies proxies
	guard   *guard
	echo    *echo.Echo
	closing context.Context // ends when streams have to
	close   context.CancelFunc
}

// New makes an Admin, which does not listen yet.
func New(o Options) *Admin {
	a := &Admin{
		registry: o.Registry, log: o.Log, version: o.Version, started: o.Started,
		proxies: o.TrustedProxies, guard: newGuard(o.Token, o.Log), echo: echo.New(),
	}
	a.closing, a.close = context.WithCancel(context.Background())
	a.echo.HideBanner, a.echo.HidePort = true, true
	a.echo.HTTPErrorHandler = a.answerError
	a.echo.Pre(a.recoverPanic, a.guard.handler)
	a.echo.Use(refuseOptions)
	a.route()
	return a
}

// route says what is where. openapi.yaml says the same.
func (a *Admin) route() {
	e, of := a.echo, apps{a.registry}
	happened := &events{registry: a.registry, closing: a.closing}
	e.GET("/", showDashboard)
	e.GET("/app.js", script)
	e.GET("/modules/:module", module)
	e.GET("/style.css", style)
	e.POST("/login", a.guard.logIn)
	e.POST("/logout", a.guard.logOut)
	e.GET(api+"/session", a.guard.session)
	e.GET(api+"/apps", of.list)
	e.GET(api+"/apps/:name", of.one)
	e.GET(api+"/apps/:name/history", of.history)
	e.POST(api+"/apps/:name/wake", of.wake)
	e.POST(api+"/apps/:name/retry", of.retry)
	e.POST(api+"/apps/:name/sleep", of.sleep)
	e.POST(api+"/apps/:name/pin", of.pin)
	e.POST(api+"/apps/:name/unpin", of.unpin)
	e.GET(api+"/events", happened.answer)
	e.GET(api+"/rules", a.rules)
	e.GET(api+"/health", a.health)
	e.GET(api+"/openapi.yaml", describeAPI)
}

// ServeHTTP answers one request.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	deadline(w, time.Now().Add(writeLimit))
	a.echo.ServeHTTP(w, a.proxies.unwrap(r))
}

// Serve answers requests until ctx ends, then ends the streams, waits drainLimit at most
// for the other answers, and returns nil; an error if it cannot go on. It closes the
// listeners. Without any it still ends the streams of whoever else serves the Admin.
func (a *Admin) Serve(ctx context.Context, listeners ...net.Listener) error {
	defer a.close()
	srv := &http.Server{
		Handler:           a,
		ReadHeaderTimeout: readLimit,
		WriteTimeout:      writeLimit,
		IdleTimeout:       idleLimit,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),

		DisableGeneralOptionsHandler: true, // OPTIONS * is nobody's either
	}
	served := make(chan error)
	for _, ln := range listeners {
		go func() { served <- srv.Serve(ln) }()
	}
	var failed error
	left := len(listeners)
	select {
	case failed = <-served:
		left--
	case <-ctx.Done():
	}
	a.close()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
	defer cancel()
	if err := srv.Shutdown(limit); err != nil {
		_ = srv.Close() // what is not done by now is cut
	}
	for range left {
		<-served
	}
	return failed
}

// recoverPanic answers 503 where a handler panics. An answer that has begun is broken off, so
// that it does not look whole.
func (a *Admin) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause != http.ErrAbortHandler {
				a.log.Error("panic in a handler of the admin API", "path", c.Path(), "cause", cause, "stack", string(debug.Stack()))
			}
			if cause == http.ErrAbortHandler || c.Response().Committed {
				panic(http.ErrAbortHandler)
			}
			err = problem.Write(c.Response(), c.Request(), problem.InternalError)
		}()
		return next(c)
	}
}

// refuseOptions answers OPTIONS as any method that a path does not have: nobody has to ask
// what may be done from another origin.
func refuseOptions(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		allowed, known := c.Get(echo.ContextKeyHeaderAllow).(string)
		if c.Request().Method == http.MethodOptions && known {
			c.Response().Header().Set(echo.HeaderAllow, allowed)
			return echo.ErrMethodNotAllowed
		}
		return next(c)
	}
}

// answerError turns errors of handlers, and Echo's own, into problem documents.
func (a *Admin) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		a.log.Debug("answer not sent", "error", err)
		return
	}
	h := c.Response().Header()
	if allowed := h.Get(echo.HeaderAllow); allowed != "" {
		h.Set(echo.HeaderAllow, strings.TrimPrefix(allowed, "OPTIONS, "))
	}
	if err := problem.Write(c.Response(), c.Request(), problemOf(err)); err != nil {
		a.log.Debug("answer not sent", "error", err)
	}
}

// problemOf says what an error means to who asked.
func problemOf(err error) problem.Document {
	var p *refusal
	if errors.As(err, &p) {
		return problem.Document(*p)
	}
	return problem.Of(err)
}

// deadline sets when the next part of an answer has to be out. Where that is not supported
// there is no limit.
func deadline(w http.ResponseWriter, t time.Time) {
	_ = http.NewResponseController(w).SetWriteDeadline(t)
}
