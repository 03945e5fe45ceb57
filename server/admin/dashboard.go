package admin

import (
	"embed"
	"net/http"

	"github.com/labstack/echo/v4"
)

var (
	//go:embed dashboard/index.html
	dashboardHTML []byte
	//go:embed dashboard/app.js
	dashboardJS []byte
	//go:embed dashboard/modules/*.js
	dashboardModules embed.FS
	//go:embed dashboard/style.css
	dashboardCSS []byte
)

const (
	// dashboardPolicy lets the page have what is its own, and send it home.
	dashboardPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

	scriptType = "text/javascript; charset=utf-8"
)

// showDashboard answers with the page of who is logged in.
func showDashboard(c echo.Context) error {
	c.Response().Header().Set("Content-Security-Policy", dashboardPolicy)
	return c.Blob(http.StatusOK, "text/html; charset=utf-8", dashboardHTML)
}

func script(c echo.Context) error {
	return c.Blob(http.StatusOK, scriptType, dashboardJS)
}

// module answers with one of the modules that the script is made of.
func module(c echo.Context) error {
	text, err := dashboardModules.ReadFile("dashboard/modules/" + c.Param("module"))
	if err != nil {
		return echo.ErrNotFound
	}
	return c.Blob(http.StatusOK, scriptType, text)
}

func style(c echo.Context) error {
	return c.Blob(http.StatusOK, "text/css; charset=utf-8", dashboardCSS)
}
