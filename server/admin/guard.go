package admin

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/server"
	"github.com/paastis/paastis/server/problem"
)

const (
	csrfHeader = "X-Paastis-CSRF"
	// sessionKey is where the guard leaves the session of a request that has one.
	sessionKey = "session"
	// apiPolicy is the Content-Security-Policy of what is no page.
	apiPolicy = "default-src 'none'; frame-ancestors 'none'"
)

// crossSite tells by Sec-Fetch-Site, or else by Origin, which requests another site's page
// has sent that change something.
var crossSite = http.NewCrossOriginProtection()

// guard is who lets in: programs by the token, people by a session that they have logged in
// for.
type guard struct {
	verifier verifier
	sessions *sessions
	login    loginPage
	log      *slog.Logger
}

func newGuard(sum Sum, log *slog.Logger) *guard {
	return &guard{verifier: newVerifier(sum), sessions: newSessions(), login: newLoginPage(), log: log}
}

// handler lets nobody in without the token or a session, before anything is looked at but
// whether it is a log-in.
func (g *guard) handler(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, h := c.Request(), c.Response().Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", apiPolicy)
		h.Set("Referrer-Policy", "same-origin") // with no-referrer forms would come from the origin null
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Method == http.MethodPost && echo.GetPath(r) == "/login" { // as it is routed: not with escapes
			return next(c)
		}
		if err := g.identify(c); err != nil {
			return g.turnAway(c, err)
		}
		if err := g.checkOrigin(c); err != nil {
			return err
		}
		return next(c)
	}
}

// identify finds out who asks, and leaves the session of who has one in the context.
func (g *guard) identify(c echo.Context) error {
	r := c.Request()
	if token := problem.Bearer(r.Header.Get(echo.HeaderAuthorization)); token != "" {
		return g.admit(c, token, g.verifier.carried)
	}
	s, ok := g.sessions.of(r, time.Now())
	if !ok {
		return unauthorized
	}
	c.Set(sessionKey, s)
	return nil
}

// admit returns nil for the right token. What is wrong with another one is the same
// wherever it comes from: a header or a form.
func (g *guard) admit(c echo.Context, token string, limit *guessLimit) error {
	from := clientOf(c.Request())
	switch right, wait := g.verifier.verify(token, limit, from, time.Now()); {
	case right:
		return nil
	case wait > 0:
		return tooMany(c, wait)
	default:
		g.log.Warn("an admin was not let in: wrong token", "from", from.String())
		return unauthorized
	}
}

// turnAway answers who was not let in: a person at the door with the login page.
func (g *guard) turnAway(c echo.Context, err error) error {
	r := c.Request()
	if r.Method == http.MethodGet && r.URL.Path == "/" && server.Navigates(r.Header) {
		return g.login.write(c, http.StatusUnauthorized, "")
	}
	if err == unauthorized {
		c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Bearer realm="Paastis"`)
	}
	return err
}

// checkOrigin refuses requests that another site may have made a browser send.
func (g *guard) checkOrigin(c echo.Context) error {
	r := c.Request()
	if err := crossSite.Check(r); err != nil {
		return fromElsewhere
	}
	s, hasSession := c.Get(sessionKey).(session)
	if !hasSession || r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
		return nil
	}
	sent := r.Header.Get(csrfHeader)
	if sent == "" && r.URL.Path == "/logout" {
		sent = formValue(c, "csrf")
	}
	if !s.sent(sent) {
		return forged
	}
	return nil
}
