package admin

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/server"
	"github.com/paastis/paastis/server/page"
)

var (
	//go:embed login.html
	loginHTML string
	//go:embed login.css
	loginCSS string
)

// loginPage asks a person for the token.
type loginPage struct {
	template *template.Template
	policy   string // Content-Security-Policy
}

func newLoginPage() loginPage {
	style := func() template.CSS { return template.CSS(loginCSS) }
	return loginPage{
		template: template.Must(template.New("login").Funcs(template.FuncMap{"style": style}).Parse(loginHTML)),
		policy: "default-src 'none'; style-src " + page.SourceOf(loginCSS) +
			"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	}
}

// write answers with the page, and with a sentence on what went wrong, if something did.
func (p loginPage) write(c echo.Context, status int, sentence string) error {
	var page bytes.Buffer
	if err := p.template.Execute(&page, sentence); err != nil {
		return err
	}
	c.Response().Header().Set("Content-Security-Policy", p.policy)
	return c.HTMLBlob(status, page.Bytes())
}

// logIn gives a session to who knows the token.
func (g *guard) logIn(c echo.Context) error {
	if err := crossSite.Check(c.Request()); err != nil {
		return fromElsewhere
	}
	if err := g.admit(c, formValue(c, "token"), g.verifier.typed); err != nil {
		return g.refuseLogin(c, err)
	}
	g.sessions.endOf(c.Request()) // the browser has no use for an older one any more
	setCookie(c.Response(), c.Request(), g.sessions.begin(time.Now()))
	return g.home(c)
}

// refuseLogin answers a log-in with a wrong token: a person with the login page, a program
// with a problem.
func (g *guard) refuseLogin(c echo.Context, err error) error {
	switch {
	case !server.Navigates(c.Request().Header):
		return g.turnAway(c, err)
	case err == unauthorized:
		return g.login.write(c, http.StatusUnauthorized, "That is not the token. It is what admin.token of Paastis's configuration says.")
	default:
		return g.login.write(c, http.StatusTooManyRequests, "That is not the token, as many before it were not. The right one is let in at any time.")
	}
}

// logOut ends the session, for whoever else has a copy of its cookie too, and takes the
// cookie away.
func (g *guard) logOut(c echo.Context) error {
	g.sessions.endOf(c.Request())
	setCookie(c.Response(), c.Request(), "")
	return g.home(c)
}

// home leads to the admin root, wherever a proxy may have put it.
func (g *guard) home(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderLocation, "./")
	return c.NoContent(http.StatusSeeOther)
}

// sessionDocument is what a page has to know of its session.
type sessionDocument struct {
	CSRF    string     `json:"csrf"`
	Expires *time.Time `json:"expires"`
}

func (g *guard) session(c echo.Context) error {
	s, ok := c.Get(sessionKey).(session)
	if !ok {
		return c.JSON(http.StatusOK, sessionDocument{})
	}
	return c.JSON(http.StatusOK, sessionDocument{CSRF: s.csrf, Expires: when(s.expires)})
}
