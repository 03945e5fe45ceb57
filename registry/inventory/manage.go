package inventory

import (
	"strings"

	"github.com/paastis/paastis/registry/reason"
)

// managing decides which apps Paastis may start and stop: a step of Resolve.
type managing struct{ *Inventory }

// manage decides which apps Paastis may start and stop: those that ask for it, and
// what they link to within their stack.
func (inv managing) manage(s Settings) {
	var queue []*Definition
	for _, e := range inv.Definitions {
		if e.Managed, e.Why = asks(e, s); e.Managed {
			queue = append(queue, e)
		}
		inv.reportFate(e, s)
	}
	for ; len(queue) > 0; queue = queue[1:] {
		from := queue[0]
		for to := range from.links {
			if to.Managed || !to.Excluded().IsZero() || to.App.Stack == "" || to.App.Stack != from.App.Stack {
				continue
			}
			to.Managed, to.Why = true, reason.Reason{Kind: reason.LinkedFromStack, Apps: []string{from.Name}}
			queue = append(queue, to)
		}
	}
}

// asks tells whether the app itself is to be managed, and why or why not.
func asks(e *Definition, s Settings) (bool, reason.Reason) {
	if why := e.Excluded(); !why.IsZero() {
		return false, why
	}
	return wants(e, s)
}

// wants is asks for an app that nothing excludes.
func wants(e *Definition, s Settings) (bool, reason.Reason) {
	if e.Enable != nil {
		return true, reason.Reason{Kind: reason.Enabled, Text: e.Origins["enable"]}
	}
	for _, r := range e.Routers {
		if r.Paastis && (r.HeldBy == nil || r.HeldBy.App.Stack == e.App.Stack) {
			if r.Asked {
				return true, reason.Reason{Kind: reason.RouterAsks, Router: r.Name}
			}
			return true, reason.Reason{Kind: reason.RouterUses, Router: r.Name, Text: s.Middleware}
		}
	}
	if e.reported.Asked == AskedByName {
		return true, reason.Reason{Kind: reason.AskedByName}
	}
	if len(e.Matches) > 0 {
		return true, reason.Reason{Kind: reason.RuleMatches, Text: e.Matches[0].String()}
	}
	return false, unasked(e)
}

// unasked says why nothing enables the app, and what would.
func unasked(e *Definition) reason.Reason {
	for _, r := range e.Routers {
		if len(r.Unknown) > 0 {
			return reason.Reason{Kind: reason.MiddlewareUnknown, Router: r.Name, Text: strings.Join(r.Unknown, ", ")}
		}
	}
	return reason.Reason{Kind: reason.NotEnabled}
}

// reportFate makes a problem of what keeps the app from sleeping or from waking, whatever
// its owner has said of it.
func (inv managing) reportFate(e *Definition, s Settings) {
	if e.App.Protected == IsOtherPaastis {
		e.problem(Rival, "%s runs another Paastis on the same engine: each puts to sleep what the other has woken, and takes it for a stop by hand, so those do not count now; stop one of them, or give each an engine of its own", e.App.Origin)
	}
	if e.Managed && e.App.Unstartable != "" {
		e.problem(Unstartable, "app %q cannot wake: %s", e.Name, e.App.Unstartable)
	}
	if !e.App.Ephemeral || e.App.Protected != "" || e.Enable != nil && !*e.Enable {
		return
	}
	if wanted, why := wants(e, s); wanted {
		e.problem(RemovedOnStop, "app %q (%s) is never put to sleep: its provider removes it once it stops; start it without --rm (%s)", e.Name, why, e.App.Origin)
	}
}

// IsLeftAlone reports whether the app's platform says that Paastis must not move it: a state that
// nobody knows, a token that may not scale it. Visitors have to get to it all the same, whatever
// becomes of it there.
func (e *Definition) IsLeftAlone() bool {
	switch e.App.Protected {
	case "", IsPaastis, IsOtherPaastis, RunsTraefik, ServesProvider, SharesNetwork:
		return false
	}
	return e.URL != nil && e.Ignored == "" && (e.Enable == nil || *e.Enable)
}

// Excluded says why the app is never managed; the zero Reason if nothing excludes it.
func (e *Definition) Excluded() reason.Reason {
	switch {
	case e.Enable != nil && !*e.Enable:
		return reason.Reason{Kind: reason.Disabled, Text: e.Origins["enable"]}
	case e.App.Protected != "":
		return reason.Reason{Kind: e.App.Protected}
	case e.App.Ephemeral:
		return reason.Reason{Kind: reason.Ephemeral}
	case e.Ignored != "":
		return reason.Reason{Kind: reason.Ignored, Text: e.Ignored}
	default:
		return reason.Reason{}
	}
}
