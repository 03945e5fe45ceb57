package clevercloud

import (
	"cmp"
	"fmt"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

// The states of an app, as its vendor's clients know them. Each is what is wanted of the app.
const (
	shouldBeUp       = "SHOULD_BE_UP"
	shouldBeDown     = "SHOULD_BE_DOWN"
	wantsToBeUp      = "WANTS_TO_BE_UP"
	moderated        = "MODERATED"
	defaultOfPayment = "DEFAULT_OF_PAYMENT"
)

const (
	// task is the lifetime of an app that is a job.
	task = "TASK"
	// byGit is how an app is deployed that has commits. Others have none: FTP, SFTP.
	byGit = "GIT"
	// mostInstances is how many instances of one app are told at most: no app may have more.
	mostInstances = 40
	// orderLag is for how long after an order a listing is not believed that has not heard of it:
	// an order is queued before it changes the state of the app.
	orderLag = time.Minute
)

// app is what is known of one. Its fields are guarded by the lock of its apps.
type app struct {
	id, owner, ownerName string
	self                 bool   // Paastis runs in it
	version              uint64 // of the last look at its state; 0: there was none
	state                string
	unknown              string // the last state that Paastis does not know; empty: it knows it

	name     string // as its owner has called it
	archived bool

	// Nothing of these is known before detailed.

	detailed     bool
	detailsAsked bool // they were asked for
	created      int64
	hosts        []string
	lifetime     string
	commit       string // that is deployed; empty: none
	deployedBy   string // how it is deployed
	amount       int    // of instances
	size         string // of each

	up        bool // what is wanted has come about
	fault     reason.Kind
	orderedAt time.Time // when Paastis has ordered a deployment that has not ended; zero: none
	orderID   string    // its id; empty: it was not told
	stoppedAt time.Time // when Paastis has stopped it last; zero: it has not
	startedAt time.Time // zero: it runs since before it was known, or does not
	endedAt   time.Time // zero: not since it is known
}

// isBlocked is why an app cannot run at all; empty: nothing is against it.
func isBlocked(state string) reason.Kind {
	switch state {
	case moderated:
		return reason.Blocked
	case defaultOfPayment:
		return reason.PaymentRequired
	default:
		return ""
	}
}

// isRunning reports whether something of it runs, or is about to.
func (a *app) isRunning() bool {
	return a.state == shouldBeUp || a.state == wantsToBeUp && a.fault == ""
}

// isStarting reports whether what is wanted of it has not come about yet.
func (a *app) isStarting() bool { return a.isRunning() && !a.up }

// setState takes in a state. One that Paastis does not know changes nothing but that.
func (a *app) setState(state string, now time.Time) {
	before := a.isRunning()
	a.unknown = ""
	switch {
	case state == shouldBeDown && now.Sub(a.orderedAt) < orderLag,
		state == shouldBeUp && a.state == shouldBeDown && now.Sub(a.stoppedAt) < orderLag:
		return // it has not heard of the order
	case state == shouldBeDown:
		a.state, a.fault, a.up = state, "", false
	case state == wantsToBeUp && a.state == state:
	case state == wantsToBeUp:
		a.state, a.fault, a.up = state, "", false
	case state == shouldBeUp:
		a.state, a.fault = state, ""
		a.up = a.up || a.orderedAt.IsZero()
	case isBlocked(state) != "":
		a.state, a.fault, a.up = state, isBlocked(state), false
	default:
		a.unknown = cmp.Or(state, "none")
		if a.state == "" {
			a.fault = reason.UnknownState
		}
	}
	a.noteRun(before, now)
}

// noteRun notes when it began or ended to run. Of one that was not known before that is not known.
func (a *app) noteRun(before bool, now time.Time) {
	switch runs := a.isRunning(); {
	case runs && !before && a.version > 0:
		a.startedAt = now
	case !runs && before:
		a.endedAt, a.orderedAt, a.orderID = now, time.Time{}, ""
	}
}

// setStopped takes in that it was stopped, by whomever, whatever was ordered a moment ago.
func (a *app) setStopped(now time.Time) {
	a.orderedAt, a.orderID = time.Time{}, ""
	a.setState(shouldBeDown, now)
}

// setOrdered notes that Paastis has ordered a deployment.
func (a *app) setOrdered(order string, now time.Time) {
	before := a.isRunning()
	a.state, a.fault, a.up, a.unknown = wantsToBeUp, "", false, ""
	a.orderID, a.orderedAt = order, now
	a.noteRun(before, now)
}

// setOutcome takes in what came of a start: whether it went well.
func (a *app) setOutcome(well bool, now time.Time) {
	before := a.isRunning()
	a.orderedAt, a.orderID = time.Time{}, ""
	switch {
	case well:
		a.state, a.up, a.fault = shouldBeUp, true, ""
	case a.state == shouldBeUp: // what ran before runs on
		a.up = true
	default:
		a.fault = reason.OperationFailed
	}
	a.noteRun(before, now)
}

// setStoppedMeanwhile takes in that somebody has stopped it while it started.
func (a *app) setStoppedMeanwhile(now time.Time) {
	a.setStopped(now)
	a.fault = reason.OperationFailed
}

// setUnderWay takes in that a deployment goes on, perhaps one more after one that failed.
func (a *app) setUnderWay(now time.Time) {
	before := a.isRunning()
	a.fault = ""
	a.noteRun(before, now)
}

// setDetails takes in what the summary does not tell. What cannot be read stays as it was.
func (a *app) setDetails(raw rawApp) {
	a.detailed = true
	if raw.VHosts.value != nil {
		a.hosts = raw.hosts()
	}
	scale := raw.Instance.value
	a.created = cmp.Or(int64(raw.Created), a.created)
	a.commit, a.deployedBy = cmp.Or(string(raw.Commit), a.commit), cmp.Or(string(raw.Deployment.value.Type), a.deployedBy)
	a.lifetime, a.size = cmp.Or(string(scale.Lifetime), a.lifetime), cmp.Or(string(scale.Flavor.value.Name), a.size)
	a.amount = min(cmp.Or(int(scale.Min.value), a.amount, 1), mostInstances)
}

// report is what is told of it, under a name.
func (a *app) report(name string) inventory.App {
	r := inventory.App{
		Name: name, Origin: fmt.Sprintf("app %s of %s", a.id, a.ownerName), URL: a.url(), Version: a.version,
		Unstartable: a.unstartable(), Instances: a.instances(name),
		Labels: map[string]string{"paastis.id": a.id}, // it stays, whatever the app is called
	}
	if a.created > 0 {
		r.CreatedAt = time.UnixMilli(a.created)
	}
	if name != a.id {
		r.Aliases = []string{a.id}
	}
	switch {
	case a.self:
		r.Protected = inventory.IsPaastis
	case a.lifetime == task:
		r.Protected = inventory.IsPlatformJob
	}
	return r
}

// instances are as many as it has while it is awake.
func (a *app) instances(name string) []inventory.Instance {
	var all []inventory.Instance
	one := inventory.Instance{Fault: a.fault, StartedAt: a.startedAt, EndedAt: a.endedAt}
	if a.isRunning() {
		one.Status, one.Health = inventory.Running, inventory.HealthStarting
	}
	if a.up {
		one.Health = inventory.Healthy
	}
	for n := range max(a.amount, 1) {
		one.Name, one.ID = fmt.Sprintf("%s-%02d", name, n+1), fmt.Sprintf("%s-%02d", a.id, n+1)
		all = append(all, one)
	}
	return all
}

// unstartable says why it cannot wake as it is, and what to do. Empty: nothing is known against it.
func (a *app) unstartable() string {
	switch {
	case a.lifetime == task:
		return "it is a job (lifetime TASK), which Clever Cloud runs to its end; take it out of the rule"
	case a.archived:
		return "it is archived at Clever Cloud; unarchive it there"
	case a.state == moderated:
		return "Clever Cloud has blocked it (MODERATED); ask its support"
	case a.state == defaultOfPayment:
		return "Clever Cloud wants to be paid first (DEFAULT_OF_PAYMENT); see the invoices in its console"
	case a.neverDeployed():
		return "it was never deployed; push a commit to it"
	default:
		return ""
	}
}

// neverDeployed reports whether there is nothing to start.
func (a *app) neverDeployed() bool { return a.commit == "" && a.deployedBy == byGit }

// formation is what it runs while it is awake. Nil: that is not known.
func (a *app) formation() []provider.Part {
	if !a.detailed || a.size == "" {
		return nil
	}
	return []provider.Part{{Size: a.size, Amount: a.amount}}
}
