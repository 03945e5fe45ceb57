package server

import (
	"net/http"
	"time"

	"github.com/paastis/paastis/registry"
)

// pageLimit is the most bytes that the waiting page has, so that Traefik's
// maxResponseBodySize can be 4096: a visitor gets no longer answer.
const pageLimit = 4096

// Page is the waiting page: what a person sees while an app wakes, or when it failed. It
// makes data of what is to be shown; a theme draws it.
type Page struct{ theme *theme }

// NewPage makes the built-in page.
func NewPage() *Page { return &Page{theme: newTheme()} }

// render is the page of what is shown, in a language. Long texts are cut, and steps left
// out, until it is short enough.
func (p *Page) render(s shown, t *tongue) []byte {
	now := time.Now()
	for _, size := range sizes {
		if drawn := p.theme.draw(s.data(t, size, now)); len(drawn) <= pageLimit {
			return drawn
		}
	}
	bare := shown{view: registry.View{State: s.view.State}, form: s.form}
	return p.theme.draw(bare.data(t, size{}, now))
}

// write answers with the page: a person's navigation, or its own poll, which must never
// get a 2xx: that would send it on to the app. h are the visitor's headers.
func (p *Page) write(w http.ResponseWriter, h http.Header, status int, s shown) error {
	setState(w, s.view.State)
	t := tongueFor(first(h, "Accept-Language"))
	answer := w.Header()
	answer.Set("Content-Type", "text/html; charset=utf-8")
	answer.Set("Content-Language", t.code)
	answer.Set("Content-Security-Policy", p.theme.policy)
	answer.Set("Referrer-Policy", referrerPolicy(s.view.State))
	answer.Set("X-Content-Type-Options", "nosniff")
	answer.Set("Retry-After", retryAfter)
	w.WriteHeader(status)
	_, err := w.Write(p.render(s, t))
	return err
}
