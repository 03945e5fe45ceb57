package page

import (
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/reason"
)

// overdueSlack is how much longer than usual is still usual.
const overdueSlack = time.Second

// State is what a page is of: an app, and how whoever looks at it stands to it.
type State struct {
	View registry.View
	// Form reports whether the page answers a form that was not sent.
	Form bool
	// Refused reports whether the visitor's address has woken too many apps; Wait is until it may
	// wake one more.
	Refused bool
	Wait    time.Duration
}

// retryIn is in how long it is worth to ask again.
func (s State) retryIn(now time.Time) time.Duration {
	if s.Refused {
		return s.Wait
	}
	return RetryIn(s.View, now)
}

// reason is why things are so. Why an app failed is worth more than that the visitor was
// refused.
func (s State) reason() reason.Reason {
	if s.Refused && s.View.State != registry.Failed && !s.View.HeldDown {
		return reason.Reason{Kind: reason.TooManyWakes}
	}
	return s.View.Reason
}

// OverdueAt is when an app takes longer than usual. Zero: it is not on its way up, or it
// is not known how long that takes.
func (s State) OverdueAt() time.Time {
	if s.View.Began.IsZero() || s.View.Usual == 0 {
		return time.Time{}
	}
	return s.View.Began.Add(s.View.Usual + s.View.Usual/4 + overdueSlack)
}

func (s State) overdue(now time.Time) bool {
	due := s.OverdueAt()
	return !due.IsZero() && !now.Before(due)
}
