// Package page is the waiting page: what a person sees while an app wakes, or when it failed.
//
//	registry.View ──▶ State ──▶ Data ──▶ theme ──▶ page
//	an app now        whose     in a     html/     of 4,096 bytes
//	                  visit     locale   template  at most
//
// The words are in texts/, a file for each locale; the looks are in themes/, a folder for
// each, and in the folder of one's own. Preview serves the page of apps that are not there,
// for who makes a theme. It knows nothing of how a request came.
package page

import (
	"net/http"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server/problem"
)

// pageLimit is the most bytes that the waiting page has, so that Traefik's
// maxResponseBodySize can be 4096: a visitor gets no longer answer.
const pageLimit = 4096

// render is the page of a state, in a language. A theme that fails is replaced.
func (t *Themes) render(s State, in *locale) rendering {
	theme := t.of(s.View.Theme)
	drawn, err := theme.fit(s, in)
	if err == nil {
		return drawn
	}
	t.failed(theme, err)
	drawn, _ = t.built[plainTheme].fit(s, in) // it is tested with all that there is
	return drawn
}

// fit draws a page: long texts are cut, then the logo and steps left out, until it is short
// enough. A theme of one's own may be too long for that.
func (th *theme) fit(s State, t *locale) (rendering, error) {
	now := time.Now()
	b := brand(s.View.Brand)
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
	bare := State{View: registry.View{State: s.View.State}, Form: s.Form}
	return th.draw(bare.data(t, size{}, now), b.bare())
}

// Write answers with the page of a state: a person's navigation, or its own poll, which must
// never get a 2xx: that would send it on to the app. h are the visitor's headers.
func (t *Themes) Write(w http.ResponseWriter, h http.Header, status int, s State) error {
	return t.render(s, localeFor(h.Get("Accept-Language"))).write(w, status, s.View.State, s.retryIn(time.Now()))
}

// write sends a page of an app in a state, to be asked for again after a while.
func (p rendering) write(w http.ResponseWriter, status int, state registry.State, retry time.Duration) error {
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

// referrerPolicy is that of the page of an app in a state. Where a page asks again by
// itself, it must not look like the button.
func referrerPolicy(s registry.State) string {
	if s == registry.Failed {
		return "same-origin"
	}
	return "no-referrer"
}
