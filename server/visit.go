package server

import (
	"context"
	"net/http"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server/page"
	"github.com/paastis/paastis/server/problem"
	"github.com/paastis/paastis/traefik"
)

// visit is a visitor's request for an app that is not open, or may not be, by whichever of
// the two front doors it has come. What becomes of it is the same by both:
//
//	passive client   through, or a problem
//	poll             what has changed on its page
//	person           through, else wake and the waiting page
//	program, form    wake and hold until it gets through
type visit struct {
	w       http.ResponseWriter
	r       *http.Request
	keeper  *registry.Keeper
	request traefik.Request // as the visitor made it, before any middleware
	who     Visitor
	door    door
}

// door is one of the front doors: the question of Traefik's ForwardAuth, or a published
// route. They differ in how a visit is let through.
type door interface {
	// through lets a visit through to its app if that is open, and reports whether it
	// has answered. It may wait until ctx ends.
	through(ctx context.Context, v *visit) (answered bool, err error)
	// patience is how long a visit may be held.
	patience(v *visit) time.Duration
	// follow is called when the visit's app has another keeper.
	follow(successor *registry.Keeper)
}

// visits answers visits, whichever door they come by, and wakes apps for them.
type visits struct {
	registry *registry.Registry
	page     *page.Themes
	limit    *problem.SourceLimit // of wakes, for each address; nil: none
	closing  context.Context      // ends when held requests have to be let go
}

// receive answers a visit.
func (s *visits) receive(v *visit) error {
	switch v.who {
	case PassiveClient:
		return s.answerPassive(v)
	case Poll:
		return s.poll(v.r.Context(), v.w, v.keeper, &v.request)
	case Person:
		return s.welcome(v)
	default:
		return s.hold(v)
	}
}

// answerPassive answers who must not wake an app.
func (s *visits) answerPassive(v *visit) error {
	ctx, cancel := s.patient(v.r.Context(), dialLimit)
	defer cancel()
	if answered, err := v.door.through(ctx, v); answered {
		return err
	}
	return tell(v.w, v.r, passiveProblem(s.registry.View(v.keeper)))
}

// welcome answers a person: through to the app, or the waiting page.
func (s *visits) welcome(v *visit) error {
	ctx, cancel := s.patient(v.r.Context(), personPatience)
	defer cancel()
	if answered, err := v.door.through(ctx, v); answered {
		return err
	}
	if !s.wake(v.keeper, &v.request, retriesByLink(&v.request)) {
		return s.page.Write(v.w, v.request.Header, http.StatusTooManyRequests, s.refused(v.keeper, &v.request))
	}
	if answered, err := v.door.through(ctx, v); answered {
		return err
	}
	return s.page.Write(v.w, v.request.Header, http.StatusServiceUnavailable, page.State{View: s.registry.View(v.keeper)})
}

// hold keeps a program's request, or a person's form, until the app is ready, and answers
// for it if that takes too long. The body stays with the visitor until then.
func (s *visits) hold(v *visit) error {
	ctx, cancel := s.patient(v.r.Context(), v.door.patience(v))
	defer cancel()
	for {
		if answered, err := v.door.through(ctx, v); answered {
			return err
		}
		if !s.wake(v.keeper, &v.request, false) {
			return s.turnDown(v)
		}
		state, successor := s.registry.Await(ctx, v.keeper), s.registry.Successor(v.keeper)
		switch {
		case successor != v.keeper:
			v.keeper = successor // somebody has put another in its place
			v.door.follow(successor)
		case state != registry.Ready:
			return s.letDown(v)
		}
		if ctx.Err() != nil {
			return s.letDown(v)
		}
	}
}

// letDown answers for an app a request that was held in vain.
func (s *visits) letDown(v *visit) error {
	view := s.registry.View(v.keeper)
	if v.who == Form {
		return s.page.Write(v.w, v.request.Header, http.StatusServiceUnavailable, page.State{View: view, Form: true})
	}
	return tell(v.w, v.r, appProblem(view))
}

// turnDown answers for an app a request that might have been held, but for its address
// having woken too many.
func (s *visits) turnDown(v *visit) error {
	is := s.refused(v.keeper, &v.request)
	if v.who == Form {
		is.Form = true
		return s.page.Write(v.w, v.request.Header, http.StatusTooManyRequests, is)
	}
	return tell(v.w, v.r, tooManyProblem(is.View, is.Wait))
}

// refused is what is shown of an app to an address that has woken too many.
func (s *visits) refused(k *registry.Keeper, req *traefik.Request) page.State {
	return page.State{View: s.registry.View(k), Refused: true, Wait: s.limit.Wait(req.ClientIP, time.Now())}
}

// impatience is how long after a failure a page's button counts.
const impatience = time.Second

// wake wakes an app, unless the visitor's address has woken too many. Who insists within
// impatience of a failure has pressed the button of a page that does not show it yet.
func (s *visits) wake(k *registry.Keeper, req *traefik.Request, insist bool) bool {
	if failure, failed := s.registry.Failure(k); failed && time.Since(failure.At) < impatience {
		insist = false
	}
	if s.registry.Sleeps(k, insist) && !s.limit.Allows(req.ClientIP, time.Now()) {
		return false
	}
	s.registry.Wake(k, insist)
	return true
}

// patient ends with the request, after some time, or when the server does.
func (s *visits) patient(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	stop := context.AfterFunc(s.closing, cancel)
	return ctx, func() { stop(); cancel() }
}
