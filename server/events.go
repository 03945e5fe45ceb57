package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/paastis/paastis/registry"
)

const (
	// heartbeat is how often a stream of events says that it is alive, so that nobody
	// between cuts it, and that a visitor who has left is noticed.
	heartbeat = 10 * time.Second
	// eventsLimit is how long it goes on. The page then asks again.
	eventsLimit = 5 * time.Minute
)

// report answers the waiting page: with a stream of events if it wants one, which
// ForwardAuth could not hand on. It is no activity, and is never carried to the app.
func (s *Server) report(a *arrival) {
	view := s.polled(a.keeper, &a.request)
	if !strings.Contains(a.r.Header.Get("Accept"), "text/event-stream") {
		s.said(writePoll(a.w, view))
		return
	}
	ctx, cancel := s.patient(a.r.Context(), eventsLimit)
	defer cancel()
	setState(a.w, view.State)
	a.w.Header().Set("Content-Type", "text/event-stream")
	a.w.WriteHeader(http.StatusOK)
	s.said(s.follow(ctx, a, view))
}

// follow tells how far the app is at once and at each change, until it is ready, has
// failed or sleeps, or ctx ends.
func (s *Server) follow(ctx context.Context, a *arrival, view registry.View) error {
	text := eventOf(view)
	for {
		if _, err := fmt.Fprintf(a.w, "%s\n\n", text); err != nil {
			return err
		}
		if err := http.NewResponseController(a.w).Flush(); err != nil || ends(view) {
			return err
		}
		beat, cancel := context.WithTimeout(ctx, heartbeat)
		changed := false
		view, changed = s.registry.ViewAfter(beat, a.keeper, view)
		cancel()
		switch {
		case changed:
			text = eventOf(view)
		case ctx.Err() != nil:
			return nil
		default:
			text = ": no news"
		}
	}
}

func eventOf(v registry.View) string { return fmt.Sprintf("data: %s", fit(v, encode)) }

// ends tells that nothing will come of an app by itself any more.
func ends(v registry.View) bool {
	return v.State == registry.Ready || v.State == registry.Failed || v.State == registry.Asleep
}
