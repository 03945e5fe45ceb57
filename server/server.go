// Package server is what Traefik, visitors and monitors talk to.
//
//	GET /auth             Traefik's ForwardAuth: may this request pass?
//	GET /traefik/config   Traefik's HTTP provider: the routes of direct mode
//	GET /traefik/config/NAME   the same for a Traefik that has settings of its own
//	GET /healthz          Paastis itself: 200 as soon as it serves
//	/…                    admins, if Options.AdminPath says where
//	/.paastis/MARK/…      a request that came by a published route, for the app
//
// An answer of 2xx to /auth lets the request through; Traefik hands any other answer
// to the visitor as it is. So everything that a visitor is to see is not a 2xx.
//
// A person sees the waiting page meanwhile (server/page). It asks at its own URL, by /auth
// or by the published route, whether there is another picture (X-Paastis-Poll), and is
// answered when there is.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server/page"
	"github.com/paastis/paastis/server/problem"
)

const (
	// drainLimit bounds the answers that are under way when the server ends.
	drainLimit = 10 * time.Second
	// writeLimit is a little over what Traefik waits for an answer: 30 s.
	writeLimit = 35 * time.Second
	// idleLimit is over the 90 s for which Traefik keeps a connection, so that it is
	// never closed under a request.
	idleLimit = 2 * time.Minute
	// leaveTime is how long before its end the server has every connection closed by who
	// made it: one that the server itself closes may have a request on its way, which
	// nobody sends again. Traefik uses those that it has again soon, or not at all.
	leaveTime = 200 * time.Millisecond
	// heldOfBody is how much of a body is taken in that nobody reads yet, on a connection
	// of HTTP/2, where heldOnConnection is for all of its requests together: so many held
	// requests do not stop the others.
	heldOfBody       = 64 << 10
	heldOnConnection = 4<<20 - 1
)

// Options are what a server is made of.
type Options struct {
	// Registry, Classifier and Log are required.
	Registry   *registry.Registry
	Classifier Classifier
	Log        *slog.Logger
	// Themes draw the waiting page. Nil: the built-in ones.
	Themes *page.Themes
	// WakesPerMinute is how many apps one source address may wake. Zero: any number.
	WakesPerMinute int
	// ConfigToken is what gets the routes. Empty: ConfigSources alone do.
	ConfigToken string
	// EndpointTokens are those that get the routes of an endpoint instead, by its name. Empty,
	// or not there: as at /traefik/config.
	EndpointTokens map[string]string
	// ConfigSources are who gets the routes where no token is asked for. Nil: nobody.
	ConfigSources []netip.Prefix
	// Public reports whether anybody gets here, past Traefik: then nobody is believed to be it who
	// asks about a request (/auth), for a question has nothing that would show who asks.
	Public bool
	// Admin answers admins, below AdminPath (/paastis-admin). It sees paths without that.
	// Nil, with an empty AdminPath: nobody does here.
	Admin     http.Handler
	AdminPath string
}

// Server answers Traefik, visitors and monitors: it leads each to the door that he came to.
type Server struct {
	auth      *forwardAuth
	direct    *direct
	routes    *routes
	log       *slog.Logger
	echo      *echo.Echo
	admin     http.Handler // nil: not here
	adminPath string
	refusals  *refusals
	leaving   atomic.Bool        // it ends soon, so connections are not to be used again
	close     context.CancelFunc // lets held requests go
	cut       context.CancelFunc // cuts those that are on their way to an app

	writeLimit, drainLimit time.Duration
}

// New makes a server. It does not listen yet.
func New(o Options) *Server {
	closing, closeAll := context.WithCancel(context.Background())
	cutting, cutAll := context.WithCancel(context.Background())
	refused, hosts := newRefusals(o.Log), new(ownHosts)
	all := &visits{registry: o.Registry, page: o.Themes, limit: problem.PerMinute(o.WakesPerMinute), closing: closing}
	if all.page == nil {
		all.page = page.NewThemes("", o.Log)
	}
	s := &Server{
		auth: &forwardAuth{registry: o.Registry, visitors: o.Classifier, visits: all, refusals: refused, public: o.Public},
		direct: &direct{
			registry: o.Registry, visitors: o.Classifier, visits: all, refusals: refused, log: o.Log,
			proxy: newProxy(cutting, o.Registry, refused, o.Log), hosts: hosts, far: o.ConfigToken != "" || len(o.EndpointTokens) > 0,
		},
		routes:   &routes{registry: o.Registry, access: routesAccess{o.ConfigToken, o.EndpointTokens, o.ConfigSources}, hosts: hosts, refusals: refused},
		log:      o.Log,
		echo:     echo.New(),
		refusals: refused,
		close:    closeAll,
		cut:      cutAll,

		writeLimit: writeLimit, drainLimit: drainLimit,
	}
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.HTTPErrorHandler = s.answerError
	s.echo.Any("/auth", s.recoverPanic(s.auth.answer))
	s.echo.RouteNotFound("/auth", s.recoverPanic(s.auth.answer)) // Any knows no PURGE, QUERY, MKCOL, …: see preserveRequestMethod
	s.echo.Any("/traefik/config", s.recoverPanic(s.routes.answer))
	s.echo.Any("/traefik/config/:endpoint", s.recoverPanic(s.routes.answer))
	s.echo.GET("/healthz", s.recoverPanic(healthz))
	if o.AdminPath != "" {
		s.admin, s.adminPath = http.StripPrefix(o.AdminPath, o.Admin), o.AdminPath
	}
	return s
}

// ServeHTTP answers one request. Those that came by a published route are none of Echo's,
// which has an opinion on paths.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.leaving.Load() && r.Header["Upgrade"] == nil {
		w.Header().Set("Connection", "close")
	}
	if published(r) {
		s.direct.receive(w, r)
		return
	}
	if s.admin != nil && s.administers(w, r) {
		return
	}
	s.echo.ServeHTTP(w, r)
}

// administers lets the admin answer what is his. Only a path that is written as the
// setting says is: one with escapes is anybody's. Links on his pages need the slash at the
// end of his root.
func (s *Server) administers(w http.ResponseWriter, r *http.Request) bool {
	rest, his := strings.CutPrefix(rawPath(r.URL), s.adminPath)
	switch {
	case his && rest == "":
		w.Header().Set("Location", path.Base(s.adminPath)+"/")
		w.WriteHeader(http.StatusPermanentRedirect)
	case his && rest[0] == '/':
		s.admin.ServeHTTP(w, r)
	default:
		return false
	}
	return true
}

// Serve answers requests until ctx ends, and for leaveTime more. Then it lets held requests
// go with a 503, waits for the answers that are under way, and returns nil. What is not done
// in drainLimit, such as a download or a WebSocket, is cut. It returns an error if it cannot
// go on. It closes the listeners, of which there must be one at least.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	srv := &http.Server{
		Handler:           s,
		Protocols:         protocols(),
		HTTP2:             &http.HTTP2Config{MaxReceiveBufferPerConnection: heldOnConnection, MaxReceiveBufferPerStream: heldOfBody},
		ReadHeaderTimeout: drainLimit,
		WriteTimeout:      s.writeLimit,
		IdleTimeout:       idleLimit,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error)
	for _, ln := range listeners {
		go func() { served <- srv.Serve(ln) }()
	}
	select {
	case err := <-served:
		_ = srv.Close()
		for range listeners[1:] {
			<-served
		}
		return err
	case <-ctx.Done():
	}
	s.leaving.Store(true)
	time.Sleep(min(leaveTime, s.drainLimit))
	s.close()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.drainLimit)
	defer cancel()
	err := srv.Shutdown(limit)
	select {
	case <-s.direct.routed.none(): // WebSockets are none of the server's any more
	case <-limit.Done():
		s.log.Info("requests are cut, for they took too long to end")
	}
	s.cut()
	_ = srv.Close()
	for range listeners {
		<-served
	}
	<-s.direct.routed.none()
	s.direct.proxy.kept.CloseIdleConnections()
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// protocols are those that Traefik may speak: also HTTP/2 without TLS, by which it sends
// requests to apps of gRPC.
func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

func healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// recoverPanic answers 503 where a handler panics: no answer at all would be Traefik's 500. It
// is put around each handler once; as a middleware of Echo's it would be for each request.
func (s *Server) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if cause := recover(); cause != nil {
				s.log.Error("panic in a handler", "path", c.Request().URL.Path, "cause", cause, "stack", stack())
				if !c.Response().Committed {
					err = tell(c.Response(), c.Request(), problem.InternalError)
				}
			}
		}()
		return next(c)
	}
}

func stack() string { return string(debug.Stack()) }

// answerError turns Echo's own errors (no such path, …) into problem documents.
func (s *Server) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	s.refusals.send(c.Response(), c.Request(), problem.Of(err))
}
