package scalingo

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// The statuses of an app (https://developers.scalingo.com/apps, "Get a precise application").
// Others are accepted: see known.isUnknown.
const (
	isNew        = "new"        // nothing was deployed
	isRunning    = "running"    // at least one container runs
	isStopped    = "stopped"    // none does
	isCrashed    = "crashed"    // it crashed more than 12 times in a row
	isRestarting = "restarting" // these three: an operation is under way, and no other is taken
	isScaling    = "scaling"
	isBooting    = "booting"
)

// isSettled reports whether an app of that status takes an order.
func isSettled(status string) bool {
	return status != isRestarting && status != isScaling && status != isBooting
}

// isKnownStatus reports whether it is known what a status means.
func isKnownStatus(status string) bool {
	switch status {
	case isNew, isRunning, isStopped, isCrashed:
		return true
	default:
		return !isSettled(status)
	}
}

// known is an app as it was last seen. The fleet's lock guards all but its id, its region, which never
// change, and its name.
type known struct {
	id      string
	region  *region
	called  atomic.Pointer[string] // see name
	status  string
	url     string // base_url
	created time.Time
	alias   string // what it is called outside Scalingo: its name, unless two regions have that
	version uint64 // of the last look at it
	changed uint64 // of the last look at it that saw anything new
	self    bool   // Paastis runs in it
	served  bool   // it ran when it was last seen settled
	ran     time.Time
	fault   reason.Kind // why its last start failed; empty: it did not
	told    bool        // that nobody knows its status has been told
	parts   []part      // what it is scaled to while it is awake, as last seen; nil: not seen
	partsAt time.Time   // when that was
	// captured are the autoscalers that were on when Capture last saw them, and on those of them that
	// an order to stop has turned off, until they are on again or the app sleeps.
	captured, on []string
	flight       *flight   // nil: Paastis does not scale it
	refused      time.Time // since when the account may not scale it; zero: it may, as far as is known
}

// name is what the app is called at Scalingo.
func (k *known) name() string { return *k.called.Load() }

// isUnknown reports whether nobody knows what the app's status means.
func (k *known) isUnknown() bool { return !isKnownStatus(k.status) }

// visited is where visitors reach the app. Empty: nowhere, for no "web" is among what it is scaled to,
// and Scalingo's routers answer 503 at its URL however well it runs.
func (k *known) visited() string {
	isWeb := func(p part) bool { return p.Name == "web" && p.Amount > 0 }
	if runs(k.parts) && !slices.ContainsFunc(k.parts, isWeb) {
		return ""
	}
	return k.url
}

// app is what is reported of it.
func (k *known) app() inventory.App {
	a := inventory.App{
		Name: k.alias, Origin: "Scalingo app " + k.name() + " in " + k.region.name,
		URL: k.visited(), CreatedAt: k.created, Version: k.version, Instances: []inventory.Instance{k.instance()},
		Labels: map[string]string{"paastis.id": k.id}, // it stays, whatever the app is called
	}
	switch {
	case k.self:
		a.Protected = inventory.IsPaastis
	case k.status == isNew:
		a.Unstartable = "nothing was deployed to it; deploy it once, and Paastis takes over"
		a.Instances = nil
	case k.isUnknown():
		a.Protected = reason.UnknownState
	case !k.refused.IsZero() && k.isUp():
		a.Protected = reason.NotAllowed
	case !k.refused.IsZero():
		a.Unstartable = "the token's owner is a limited collaborator of it, who may not scale; ask its owner for the role of collaborator"
	}
	return a
}

// isUp reports whether the app runs, or is on its way up, or down.
func (k *known) isUp() bool {
	return k.status == isRunning || !isSettled(k.status) || k.flight != nil
}

// instance is the one that speaks for the app: the list of apps does not tell its containers.
func (k *known) instance() inventory.Instance {
	i := inventory.Instance{Name: k.name(), ID: k.id, StartedAt: k.ran, Fault: k.fault}
	switch {
	case k.flight != nil && k.flight.up:
		i.Status, i.Health = inventory.Running, inventory.HealthStarting
	case k.status == isRunning, k.flight != nil, !isSettled(k.status) && k.served:
		i.Status, i.Health = inventory.Running, inventory.Healthy
	case !isSettled(k.status):
		i.Status, i.Health = inventory.Running, inventory.HealthStarting
	case k.status == isCrashed:
		i.ExitCode = 1
	case k.fault != "":
		i.ExitCode = 1
	case k.isUnknown():
		i.Status, i.Health = inventory.Running, inventory.Healthy // it is left alone, whatever it is
	}
	return i
}
