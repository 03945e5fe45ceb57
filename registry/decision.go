package registry

import (
	"fmt"
	"strings"
	"time"

	"github.com/paastis/paastis/rules"
)

// Snapshot is all that the idle decision looks at: one awake app, together with the
// apps that are linked to it in a circle and so share its sleep.
type Snapshot struct {
	// LastUse is when a request last came for the app or for an app that needs it,
	// or when it became ready if that is later.
	LastUse time.Time
	// MaxIdle is how long it stays awake unused; rules.Never: always.
	MaxIdle time.Duration
	// NeededBy are the awake apps that need it, sorted.
	NeededBy []string
	// Waking is an app of the same circle that is on its way up. Empty if none.
	Waking string
	// NotBefore holds off a stop after one that failed. Zero: at any time.
	NotBefore time.Time
}

// Decision is what becomes of an awake app, and why.
type Decision struct {
	// Sleep tells that it may be put to sleep now.
	Sleep bool
	// Reason is the same in the log, the API and explain.
	Reason string
	// Again is when time alone could change the decision. Zero: never.
	Again time.Time
}

// shortestStay is how long an app stays awake at least: those who waited for it must
// get in.
const shortestStay = 2 * time.Second

// Decide says whether an app goes to sleep. It is pure: same input, same answer.
func Decide(s Snapshot, now time.Time) Decision {
	stay := max(s.MaxIdle, shortestStay)
	switch idle := now.Sub(s.LastUse); {
	case len(s.NeededBy) > 0:
		return Decision{Reason: "needed by " + strings.Join(s.NeededBy, ", ")}
	case s.Waking != "":
		return Decision{Reason: s.Waking + " is on its way up"}
	case s.MaxIdle == rules.Never:
		return Decision{Reason: "max_idle_time is never"}
	case idle < stay:
		return Decision{
			Reason: fmt.Sprintf("used %s ago, sleeps after %s", short(idle), stay),
			Again:  s.LastUse.Add(stay),
		}
	case now.Before(s.NotBefore):
		return Decision{Reason: "the last stop failed, tried again soon", Again: s.NotBefore}
	default:
		return Decision{Sleep: true, Reason: "unused for " + short(idle)}
	}
}

// short rounds a time for people.
func short(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
