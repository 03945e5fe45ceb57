package registry

import "time"

// routing is what becomes of an app's published routes.
type routing struct {
	version       uint64    // of the routes, the one in which its own were turned last
	withdrawnAt   time.Time // when all Traefiks lead its requests to Paastis again; zero: not known
	stale         bool      // Traefik may lead requests to it by routes that are published no more
	trafficSeenAt time.Time // when traffic was last seen in this wake that Paastis was not asked about; zero: never
}

// begin forgets what Traefik led to the app in the wake before.
func (o *routing) begin() { o.stale, o.trafficSeenAt = false, time.Time{} }

// turn notes that the routes lead elsewhere from a version on.
func (o *routing) turn(version uint64) { o.version, o.withdrawnAt = version, time.Time{} }

// withdraw notes from when on no Traefik leads requests to the app.
func (o *routing) withdraw(at time.Time) { o.withdrawnAt = at }

// unpublish notes that Traefik may use routes that are published no more.
func (o *routing) unpublish() { o.stale = true }

// see notes traffic that Paastis was not asked about.
func (o *routing) see(at time.Time) { o.trafficSeenAt = at }
