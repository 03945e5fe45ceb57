package scalingo

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

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

// enabled are those of its autoscalers that are on, or are to be: as soon as the app is up, or again
// after a stop that failed.
func (k *known) enabled(all []autoscaler) []string {
	waiting := k.on
	if k.flight != nil {
		waiting = k.flight.autoscalers
	}
	var ids []string
	for _, a := range all {
		if !a.Disabled || slices.Contains(waiting, a.ID) {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// What follows is called with the fleet's lock held, and is all that writes what is known.

// see takes in what a look has found, which began with that version.
func (k *known) see(info appInfo, version uint64) {
	status := string(info.Status)
	switch {
	case status == "":
		status = cmp.Or(k.status, "unreadable")
	case isKnownStatus(status):
		k.told = false
	}
	k.status, k.url, k.version = status, cmp.Or(paas.AppURL(string(info.BaseURL)), k.url), version
	if at, err := time.Parse(time.RFC3339, string(info.CreatedAt)); err == nil {
		k.created = at
	}
}

// follow takes in what the status tells of before. Was reports whether the app was up.
func (k *known) follow(was bool) {
	up := k.isUp()
	switch {
	case up && !was && k.version > 0 && k.changed > 0:
		k.ran, k.fault = time.Now(), ""
	case !up:
		k.ran = time.Time{}
	}
	if isSettled(k.status) && k.flight == nil {
		k.served = k.status == isRunning
	}
}

// change notes that the app is not as it was, as of that version.
func (k *known) change(version uint64) { k.version, k.changed = version, version }

// tell reports whether it is to be told that the app's status is not known: once, until it is.
func (k *known) tell() bool {
	first := !k.told
	k.told = true
	return first
}

// takeOff notes that Paastis scales the app; parts are the whole formation that is to be, nil: that
// is not known.
func (k *known) takeOff(fl *flight, parts []part) {
	k.flight, k.fault = fl, ""
	if fl.up && runs(parts) {
		k.parts, k.partsAt = parts, time.Now()
	}
}

// land ends that flight; it has failed for a reason, if there is one.
func (k *known) land(fl *flight, fault reason.Kind) {
	if k.flight == fl {
		k.flight, k.fault = nil, fault
	}
}

// abandon ends the flight of an app that is gone, if it has one.
func (k *known) abandon() {
	if k.flight != nil {
		k.flight.end()
		k.flight = nil
	}
}

// capture takes in what was read before a sleep: to what the app is scaled, and which of its
// autoscalers are on.
func (k *known) capture(parts []part, on []string) {
	k.parts, k.partsAt, k.captured = parts, time.Now(), on
}

// descend notes that Scalingo has taken the order to stop, and has turned off what Capture saw.
func (k *known) descend() { k.on, k.captured = k.captured, nil }

// touchDown ends a flight down, which has led to sleep, or has failed.
func (k *known) touchDown(asleep bool) {
	k.flight = nil
	if asleep {
		k.status, k.on = isStopped, nil
	}
}

// stayUp notes that types run that the order to stop did not have: they are to be read anew.
func (k *known) stayUp() { k.status, k.partsAt = isRunning, time.Time{} }

// owe takes in which autoscalers a stop that failed has turned off, and are not on again.
func (k *known) owe(autoscalers []string) { k.on = autoscalers }

// refusedFor is how long it is believed that the account may not scale an app.
const refusedFor = 24 * time.Hour

// refuse notes that the account may not scale the app, allow that it may have another role there.
func (k *known) refuse() { k.refused = time.Now() }
func (k *known) allow()  { k.refused = time.Time{} }

// mayNot is an error if the account may not scale the app: it is not tried again and again. Called
// with the fleet's lock held.
func (k *known) mayNot() error {
	if k.refused.IsZero() || time.Since(k.refused) > refusedFor {
		return nil
	}
	return errMayNot
}
