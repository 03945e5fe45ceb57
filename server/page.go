package server

import (
	"net/http"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server/problem"
)

// pageLimit is the most bytes that the waiting page has, so that Traefik's
// maxResponseBodySize can be 4096: a visitor gets no longer answer.
const pageLimit = 4096

// waitingPage is what a person sees while an app wakes, or when it failed. It makes data of
// what is to be shown; the app's theme draws it.
type waitingPage struct{ themes *Themes }

// render is the page of what is shown, in a language. A theme that fails is replaced.
func (p waitingPage) render(s shown, t *tongue) page {
	theme := p.themes.of(s.view.Theme)
	drawn, err := theme.fit(s, t)
	if err == nil {
		return drawn
	}
	p.themes.failed(theme, err)
	drawn, _ = p.themes.built[plainTheme].fit(s, t) // it is tested with all that there is
	return drawn
}

// fit draws a page: long texts are cut, then the logo and steps left out, until it is short
// enough. A theme of one's own may be too long for that.
func (th *theme) fit(s shown, t *tongue) (page, error) {
	now := time.Now()
	b := brand(s.view.Brand)
	for _, size := range sizes {
		for _, b := range b.shorter(size) {
			drawn, err := th.draw(s.data(t, size, now), b)
			if err != nil || len(drawn.body) <= pageLimit {
				return drawn, err
			}
		}
	}
	if th.own {
		return th.draw(s.data(t, sizes[0], now), b)
	}
	bare := shown{view: registry.View{State: s.view.State}, form: s.form}
	return th.draw(bare.data(t, size{}, now), b.bare())
}

// write answers with the page: a person's navigation, or its own poll, which must never
// get a 2xx: that would send it on to the app. h are the visitor's headers.
func (p waitingPage) write(w http.ResponseWriter, h http.Header, status int, s shown) error {
	return p.render(s, tongueFor(first(h, "Accept-Language"))).write(w, status, s.view.State, s.retryIn(time.Now()))
}

// write sends a page of an app in a state, to be asked for again after a while.
func (p page) write(w http.ResponseWriter, status int, state registry.State, retry time.Duration) error {
	problem.SetState(w, state)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", p.lang)
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Referrer-Policy", referrerPolicy(state))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Retry-After", problem.Seconds(retry))
	w.WriteHeader(status)
	_, err := w.Write(p.body)
	return err
}
