package clevercloud

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/reason"
)

// What becomes of a deployment. Any other state is that of one that is under way.
const (
	deployedOK = "OK"
	failed     = "FAIL"
	cancelled  = "CANCELLED"
	underWay   = "WIP"
	undeploy   = "UNDEPLOY" // an action: that of a stop
)

const (
	// looked is how many deployments of an app are looked at: the youngest decides, and the one
	// that Paastis has ordered is rarely older than the second.
	looked = 3
	// shows is how long a deployment takes at most until it is in the list ("fetching it too soon
	// may result in an error", says clever-tools; its client's own tests wait for 5 s).
	shows = time.Minute
	// shown is when one whose id was not told is taken to be in the list.
	shown = 5 * time.Second
)

// verdict is what the deployments of an app say of its start.
type verdict int

const (
	wait verdict = iota
	cameUp
	didNot
	wasStopped
	goesOn
)

// judge says what became of a start, by the deployments of an app: the youngest decides. One that
// Paastis has ordered may not be among them yet.
func (a *app) judge(all []rawDeployment, now time.Time) verdict {
	if len(all) == 0 || !a.isShown(all, now) {
		return wait
	}
	slices.SortStableFunc(all, func(x, y rawDeployment) int { return cmp.Compare(y.Date, x.Date) })
	youngest := all[0]
	switch {
	case youngest.Action == undeploy && a.order != "" && hasOrder(all, a.order):
		return wasStopped
	case youngest.Action == undeploy:
		return wait
	case youngest.State == deployedOK:
		return cameUp
	case youngest.State == failed, youngest.State == cancelled:
		return didNot
	default:
		return goesOn
	}
}

// isShown reports whether what Paastis has ordered is among the deployments, or will never be.
func (a *app) isShown(all []rawDeployment, now time.Time) bool {
	since := now.Sub(a.ordered)
	return a.ordered.IsZero() || hasOrder(all, a.order) || a.order == "" && since > shown || since > shows
}

func hasOrder(all []rawDeployment, order string) bool {
	return slices.ContainsFunc(all, func(d rawDeployment) bool { return string(d.UUID) == order })
}

// wants reports whether the deployments of an app are to be looked at: it is on its way up, or
// somebody may have started it once more after it failed.
func (a *app) wants() bool { return a.state == wantsToBeUp || !a.ordered.IsZero() }

// takeDeployments takes in a look at the deployments of some apps.
func (s *apps) takeDeployments(version uint64, of map[string]json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, raw := range of {
		a := s.all[id]
		var all []rawDeployment
		if a == nil || !a.wants() || a.look >= version || json.Unmarshal(raw, &all) != nil {
			continue
		}
		s.heed(a, all, time.Now())
		a.look = version
	}
}

// heed takes in the deployments of an app. Called with s.mu held.
func (s *apps) heed(a *app, all []rawDeployment, now time.Time) {
	switch before := a.runs(); a.judge(all, now) {
	case cameUp:
		a.settle(true, now)
	case didNot:
		if before {
			s.log.Warn("a deployment did not go well; its log says why: clever logs --app "+a.id+" --deployment-id "+string(all[0].UUID),
				"app", a.name, "state", string(all[0].State))
		}
		a.settle(false, now)
	case wasStopped:
		s.log.Warn("an app was stopped at Clever Cloud while it started", "app", a.name, "id", a.id)
		a.stop(now)
		a.fault = reason.OperationFailed
	case goesOn:
		a.fault = ""
		a.note(before, now)
		if state := string(all[0].State); state != underWay {
			s.warn("deployment "+state, "a deployment has a state that Paastis does not know; it is waited for", "app", a.name, "state", state)
		}
	}
}

// believe lets the apps of an owner count as up of which the platform says so, for what became of
// their deployments cannot be found out.
func (s *apps) believe(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.all {
		if a.owner == owner && a.state == shouldBeUp && !a.ordered.IsZero() {
			a.settle(true, time.Now())
		}
	}
}
