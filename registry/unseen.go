package registry

import (
	"net/netip"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

// What cannot be seen is not idle. An app is in use while a connection to it is open, however
// silent it is. Where connections are counted nothing has to be guessed. Elsewhere their
// packets tell of them: Traefik sends one that has no content each 30 s on a connection that
// is silent, and the app answers it (KeepAlive in pkg/server/service/transport.go of 3.6.12);
// one that nobody uses Traefik closes after 90 s. But what an app has open to others sends
// such packets, too. So they count only where something may be open that is silent, and of
// what is no stream for sure only for a time.

const (
	// lastingMaybe: a request was let through that may go on for long, as few of its kind do.
	lastingMaybe uint32 = 1 + iota
	// lastingStream: a WebSocket or another stream was.
	lastingStream
)

// longestSilence is how long after its last use an app may have something open that is
// silent, if that is not known to be a stream; at least, and twice its max_idle_time.
const longestSilence = 10 * time.Minute

// mayBeSilent reports whether something may be open that was let through and is silent. That
// is not asked where connections are counted.
func (k *Keeper) mayBeSilent(now time.Time) bool {
	lasting := k.lasting.Load()
	switch {
	case k.usage.counted():
		return false
	case lasting == lastingStream:
		return true
	case lasting == 0 && !k.usage.unseen:
		return false
	}
	longest := longestSilence
	if idle := k.Definition().MaxIdleTime; idle != rules.Never {
		longest = max(longest, 2*idle)
	}
	return now.Sub(k.lastUse()) < longest
}

// linkedAddresses are the app's own, and those of the apps that keep it awake by themselves
// while they are: of its component, and that need it. Their connections tell nothing more.
// Those of a Traefik count all the same. Called with the lock held.
func linkedAddresses(e *inventory.Definition) []netip.Addr {
	var all []netip.Addr
	for _, o := range slices.Concat(e.Component.Members, e.Component.Dependents) {
		if o.App.Traefik == nil && o.App.Protected == "" {
			all = append(all, KeeperOf(o).app.Addresses()...)
		}
	}
	return all
}
