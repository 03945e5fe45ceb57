package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server/page"
	"github.com/paastis/paastis/traefik"
)

// The waiting page hears of changes by asking again and again at its own URL: nothing
// streams through ForwardAuth. It says which picture it shows (page.Poll), is held for
// as long as that is how things are, and is answered with the page drawn anew.

// refusedPause is when somebody who may not wake an app tries again.
const refusedPause = 2 * time.Second

// retryHeader is what the waiting page's button sends with its poll.
const retryHeader = "X-Paastis-Retry"

// retriesByLink reports whether a person has pressed the button of a page that says why the app
// failed, without script: it leads from the page to itself. Nothing else does, see
// Themes.Write; and where an app's own page does, that is a person as well.
func retriesByLink(req *traefik.Request) bool {
	from, err := url.Parse(first(req.Header, "Referer"))
	return err == nil && from.Host != "" && strings.EqualFold(from.Host, req.Authority) && from.RequestURI() == req.URI
}

// poll answers the waiting page as soon as there is something else to show than it does,
// and after page.PollLimit anyway. It never lets the poll through to the app, and is no activity
// once the app is awake.
func (s *visits) poll(ctx context.Context, w http.ResponseWriter, k *registry.Keeper, req *traefik.Request) error {
	ctx, cancel := s.patient(ctx, k.Definition().Patience(page.PollLimit, false))
	defer cancel()
	seen := page.PollOf(req.Header)
	form := seen.AnswersForm()
	insists := req.Header[retryHeader] != nil
	// A page that says that the app has failed has a button: it must not wake the app by
	// itself, when that sleeps after all. Nobody may look at it any more.
	passive := seen.SaysFailed() && !insists
	for {
		is := s.polled(k, req, insists, passive)
		says := is
		if passive && sleeps(is.View.State) {
			says.View = s.stillFailed(k, is.View)
		}
		says.Form = form
		if says.Poll(time.Now()) != seen || ctx.Err() != nil {
			return s.page.Write(w, req.Header, http.StatusServiceUnavailable, says)
		}
		insists = false
		s.awaitAnother(ctx, k, is)
	}
}

// polled is what a poll gets to see of an app, which it has woken unless that is awake or
// has failed, or it only looks on, or the person insists.
func (s *visits) polled(k *registry.Keeper, req *traefik.Request, insists, passive bool) page.State {
	view := s.registry.View(k)
	wakes := insists || !passive && view.State != registry.Failed && view.State != registry.Ready
	if wakes && !s.wake(k, req, insists) {
		return s.refused(k, req)
	}
	return page.State{View: s.registry.View(k)}
}

// stillFailed is the picture of an app that sleeps since it has failed, for whoever was told
// that it did.
func (s *visits) stillFailed(k *registry.Keeper, v registry.View) registry.View {
	failure, _ := s.registry.Failure(k)
	v.State, v.Reason, v.Steps = registry.Failed, failure.Reason, nil
	if k.Definition().ShowLogs {
		v.Logs = slices.Clone(failure.Logs)
	}
	return v
}

// sleeps reports whether an app sleeps, or is about to.
func sleeps(s registry.State) bool {
	return s == registry.Asleep || s == registry.Draining || s == registry.Stopping
}

// awaitAnother blocks until the picture may be another, because of the app or because time
// has passed, or until ctx ends.
func (s *visits) awaitAnother(ctx context.Context, k *registry.Keeper, is page.State) {
	limit := page.PollLimit
	if due := time.Until(is.OverdueAt()); due > 0 {
		limit = min(limit, due)
	}
	if is.Refused {
		limit = min(limit, refusedPause)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s.registry.ViewAfter(ctx, k, is.View)
}
