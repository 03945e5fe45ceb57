package heroku

import (
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// record is what is known of an app. It is guarded by the lock of records.
type record struct {
	app
	phase phase
	// formation is what the app runs, or is to run; asleep, what it ran last. Nil: not known.
	formation formation
	// kinds are the phases of its process types, of those that have dynos.
	kinds map[string]phase
	// ended tells that web has crashed on its way up, by the last look: then all of it counts as
	// ended, so that whoever waits hears so at once.
	ended bool
	// since is when it was started, as far as is known. Zero: it does not run.
	since time.Time
	// begun is the number of the look that phase is of, or of the last order.
	begun uint64
	// ordered is when Paastis last started it. Zero: never, or it has come up since.
	ordered time.Time
	// looked is when somebody looked at its dynos. Zero: nobody did, or what was seen is in doubt.
	looked time.Time
	// listed is the number of the listing that app is of.
	listed uint64
	// barred is why Heroku lets nobody look at it. Nil: it does.
	barred error
	// version is of the last report or change of it.
	version uint64
	told    string // what was last warned of
}

// list takes in what a listing with that number tells of an app. It reports whether that is
// something else than was known.
func (r *record) list(a app, begun uint64) bool {
	if begun < r.listed {
		return false
	}
	was := r.app
	a.fill(was)
	if r.app, r.listed = a, begun; was.deployed != a.deployed {
		r.doubt() // something has happened to it
	}
	return a != was
}

// doubt has it be looked at anew: nobody saw what happened to it meanwhile.
func (r *record) doubt() { r.looked, r.barred = time.Time{}, nil }

// isUnknown reports whether nobody has looked at it, or what was seen is in doubt.
func (r *record) isUnknown() bool { return r.looked.IsZero() && r.barred == nil }

// become makes it what was seen of it, by a look with that number.
func (r *record) become(now phase, dynos []dyno, begun uint64) {
	was := r.phase
	r.ended = now == crashed && was == starting
	r.phase, r.begun, r.looked, r.barred = now, begun, time.Now(), nil
	if counted := countedOf(dynos); len(counted) > 0 {
		r.formation = counted
	}
	r.kinds = kindsOf(dynos, r.formation)
	switch {
	case !now.isAwake():
		r.since = time.Time{}
	case r.since.IsZero():
		r.since = oldest(dynos)
	}
	if now != starting || !r.isOnItsWay() {
		r.ordered = time.Time{}
	}
	if was != starting {
		r.await() // somebody else may have started it
	}
}

// await has it be looked at often while it is on its way up.
func (r *record) await() {
	if r.phase == starting && r.ordered.IsZero() {
		r.ordered = time.Now()
	}
}

// isAwaited reports whether it is to be looked at as one that is on its way up, by an order or by
// somebody else: one that takes long is more seldom.
func (r *record) isAwaited() bool {
	return !r.ordered.IsZero() && (time.Since(r.ordered) < usualBoot || time.Since(r.looked) >= slowPause)
}

// giveUp has it be looked at seldom again if it does not come up.
func (r *record) giveUp() {
	if !r.ordered.IsZero() && !r.isOnItsWay() {
		r.ordered = time.Time{}
	}
}

// startPatience is for how long an app that was started is asked for often.
const startPatience = 10 * time.Minute

// isOnItsWay reports whether the app was started a while ago, and not long.
func (r *record) isOnItsWay() bool {
	return !r.ordered.IsZero() && time.Since(r.ordered) < startPatience
}

// scale takes in what it is to run. None says nothing: it is known by what it ran last.
func (r *record) scale(f formation) {
	if len(f.running()) > 0 {
		r.formation = f
	}
}

// start takes in that it was started, with what it is to run.
func (r *record) start(f formation) {
	r.phase, r.formation, r.kinds, r.since, r.ordered = starting, f, nil, time.Now(), time.Now()
}

// stop takes in that it was scaled to none. What it ran is what it is known by.
func (r *record) stop(ran formation) {
	r.phase, r.formation, r.kinds, r.since, r.ordered = asleep, ran, nil, time.Time{}, time.Time{}
}

// settle has no look count that was begun before that number.
func (r *record) settle(number uint64) { r.begun, r.looked = number, time.Now() }

// bar takes in that Heroku lets nobody look at it.
func (r *record) bar(why error) { r.barred, r.looked = why, time.Now() }

// fault takes in that what was seen of it cannot be read. It reports whether that changes it: of
// one that is on its way up nobody would ever hear that it is, so it is asked itself.
func (r *record) fault() bool {
	r.looked = time.Now()
	if r.phase != starting {
		return false
	}
	r.phase = strange
	return true
}

// reported is an app as the registry is told of it. Paastis is one of self, names and ids.
func (r *record) reported(self []string) inventory.App {
	a := inventory.App{Name: r.name, Origin: `Heroku app "` + r.name + `"`, URL: r.url, CreatedAt: r.created, Version: r.version, Unstartable: r.unstartable()}
	a.Labels = map[string]string{"paastis.id": r.id} // it stays, whatever the app is called
	if r.team != "" {
		a.Origin += ` of team "` + r.team + `"`
	}
	if slices.Contains(self, r.name) || slices.Contains(self, r.id) {
		a.Protected = inventory.IsPaastis
	}
	if r.phase.isAwake() {
		for _, p := range r.formation.running() {
			a.Instances = append(a.Instances, r.instance(p.Type))
		}
	}
	return a
}

// unstartable says why an app could not be started, and what to do. Empty: nothing is known.
func (r *record) unstartable() string {
	switch {
	case r.barred != nil && reason.Of(r.barred).Kind == reason.Blocked:
		return "Heroku has suspended it; write to its support"
	case r.barred != nil:
		return "the account of the token may not see its dynos; give it the permission to operate the app (heroku access:add)"
	case r.archived:
		return "it is archived at Heroku; unarchive it"
	case !r.released:
		return "nothing was ever deployed to it; deploy it (git push heroku main)"
	default:
		return ""
	}
}

// instance is all dynos of a process type, as one. Its health is the app's: the others serve
// nobody, so an app whose web is not up is not up.
func (r *record) instance(kind string) inventory.Instance {
	i := inventory.Instance{Name: kind, ID: r.id + "/" + kind, Status: inventory.Running, Health: healthOf[r.phase], StartedAt: r.since}
	if r.ended || r.kinds[kind] == crashed {
		i.Status, i.Health, i.Fault, i.ExitCode = inventory.Exited, inventory.NoHealth, reason.OperationFailed, 1
	}
	return i
}

// healthOf is what a phase says of whether the app serves. Of one that is strange nothing is said:
// it is asked itself.
var healthOf = map[phase]inventory.Health{
	starting: inventory.HealthStarting, up: inventory.Healthy, crashed: inventory.HealthStarting, strange: inventory.NoHealth,
}
