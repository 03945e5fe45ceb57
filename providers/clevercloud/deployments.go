package clevercloud

import (
	"cmp"
	"slices"
	"time"
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
	// deploymentLimit is how many deployments of an app are looked at: the youngest decides, and the one
	// that Paastis has ordered is rarely older than the second.
	deploymentLimit = 3
	// listedAtLast is how long a deployment takes at most until it is in the list ("fetching it too soon
	// may result in an error", says clever-tools; its client's own tests wait for 5 s).
	listedAtLast = time.Minute
	// listedUsually is when one whose id was not told is taken to be in the list.
	listedUsually = 5 * time.Second
)

// outcome is what the deployments of an app say of its start.
type outcome int

const (
	// pending: they do not have it yet.
	pending outcome = iota
	succeeded
	hasFailed
	// stoppedMeanwhile: somebody has stopped the app.
	stoppedMeanwhile
	inProgress
)

// startOutcome says what became of a start, by the deployments of an app: the youngest decides. One
// that Paastis has ordered may not be among them yet.
func (a *app) startOutcome(all []rawDeployment, now time.Time) outcome {
	if len(all) == 0 || !a.isListed(all, now) {
		return pending
	}
	slices.SortStableFunc(all, func(x, y rawDeployment) int { return cmp.Compare(y.Date, x.Date) })
	youngest := all[0]
	switch {
	case youngest.Action == undeploy && a.orderID != "" && hasOrder(all, a.orderID):
		return stoppedMeanwhile
	case youngest.Action == undeploy && a.state == shouldBeUp && now.Sub(a.orderedAt) > listedAtLast:
		return succeeded // the list does not have it, and the platform says that it is up
	case youngest.Action == undeploy:
		return pending
	case youngest.State == deployedOK:
		return succeeded
	case youngest.State == failed, youngest.State == cancelled:
		return hasFailed
	default:
		return inProgress
	}
}

// isListed reports whether what Paastis has ordered is among the deployments, or will never be.
func (a *app) isListed(all []rawDeployment, now time.Time) bool {
	since := now.Sub(a.orderedAt)
	return a.orderedAt.IsZero() || hasOrder(all, a.orderID) || a.orderID == "" && since > listedUsually || since > listedAtLast
}

func hasOrder(all []rawDeployment, order string) bool {
	return slices.ContainsFunc(all, func(d rawDeployment) bool { return string(d.UUID) == order })
}

// needsDeployments reports whether the deployments of an app are to be looked at: it is on its way
// up, or somebody may have started it once more after it failed.
func (a *app) needsDeployments() bool { return a.state == wantsToBeUp || !a.orderedAt.IsZero() }

// applyOutcome takes in the deployments of an app. Called with s.mu held.
func (s *apps) applyOutcome(a *app, all []rawDeployment, now time.Time) {
	switch before := a.isRunning(); a.startOutcome(all, now) {
	case succeeded:
		a.setOutcome(true, now)
	case hasFailed:
		if before {
			s.log.Warn("a deployment did not go well; its log says why: clever logs --app "+a.id+" --deployment-id "+string(all[0].UUID),
				"app", a.name, "state", string(all[0].State))
		}
		a.setOutcome(false, now)
	case stoppedMeanwhile:
		s.log.Warn("an app was stopped at Clever Cloud while it started", "app", a.name, "id", a.id)
		a.setStoppedMeanwhile(now)
	case inProgress:
		a.setUnderWay(now)
		if state := string(all[0].State); state != underWay {
			s.warn("deployment "+state, "a deployment has a state that Paastis does not know; it is waited for", "app", a.name, "state", state)
		}
	}
}

// trustStates lets the apps of an owner count as up of which the platform says so, for what became
// of their deployments cannot be found out.
func (s *apps) trustStates(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.all {
		if a.owner == owner && a.state == shouldBeUp && !a.orderedAt.IsZero() {
			a.setOutcome(true, time.Now())
		}
	}
}
