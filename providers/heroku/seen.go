package heroku

import (
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// What looks and orders tell of an app, and what is reported of it.

// saw takes in the dynos of an app, by a look with that number. It reports whether they contradict
// what is known: then the app's formation has to be asked for, for a dyno may take its time to
// appear, or to end, after an order.
func (o *records) saw(id string, dynos []dyno, begun uint64) (contradicts bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.byID[id]
	if r == nil || begun < r.begun {
		return false
	}
	now := phaseOf(dynos)
	switch {
	case r.phase == unseen:
	case now.isAwake() && (r.phase == asleep), now == asleep && r.phase.isAwake():
		return true
	case now == idling && r.isOnItsWay():
		now = starting
	}
	o.warn(r, strangeState(dynos), "Heroku says of a dyno what is not documented; whether the app serves is found out by asking it", "state", strangeState(dynos))
	o.become(r, now, dynos, begun)
	return false
}

// sawFormation takes in dynos that contradicted what was known, and what the app is to run.
func (o *records) sawFormation(id string, dynos []dyno, f formation, begun uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.byID[id]
	if r == nil || begun < r.begun {
		return
	}
	now := phaseOf(dynos)
	switch wanted := len(f.running()) > 0; {
	case !wanted:
		now, dynos = asleep, nil
	case now == asleep && (r.phase == strange || r.isOnItsWay() && time.Since(r.ordered) > listedWithin):
		now = strange
	case now == asleep:
		now = starting
	}
	if len(f.running()) > 0 {
		r.formation = f
	}
	o.become(r, now, dynos, begun)
}

// become makes an app what was seen of it. Called with the lock held.
func (o *records) become(r *record, now phase, dynos []dyno, begun uint64) {
	was := r.phase
	r.ended = now == crashed && was == starting
	r.phase, r.begun, r.looked, r.barred = now, begun, time.Now(), nil
	if counted := countedOf(dynos); len(counted) > 0 {
		r.formation = counted
	}
	r.kinds = map[string]phase{}
	for _, p := range r.formation {
		var own []dyno
		for _, d := range dynos {
			if d.Type == p.Type {
				own = append(own, d)
			}
		}
		if len(own) > 0 {
			r.kinds[p.Type] = phaseOf(own)
		}
	}
	switch {
	case !now.isAwake():
		r.since = time.Time{}
	case r.since.IsZero():
		r.since = oldest(dynos)
	}
	if now != starting || !r.isOnItsWay() {
		r.ordered = time.Time{}
	}
	if now == crashed && was != crashed {
		o.log.Warn("the web dynos of the app have crashed; its log says why", "app", r.name, "by", "heroku logs -a "+r.name)
	}
	if now == starting && was != starting && r.ordered.IsZero() {
		r.ordered = time.Now() // by somebody else
	}
	o.touch(r)
}

// listedWithin is how long the dynos of an app that is to have some may be missing: then it is asked
// itself whether it serves.
const listedWithin = time.Minute

// startPatience is for how long an app that was started is asked for often.
const startPatience = 10 * time.Minute

// isOnItsWay reports whether the app was started a while ago, and not long.
func (r *record) isOnItsWay() bool {
	return !r.ordered.IsZero() && time.Since(r.ordered) < startPatience
}

// started takes in that an app was started, with what it is to run.
func (o *records) started(id string, f formation) {
	o.ordered(id, func(r *record) {
		r.phase, r.formation, r.kinds, r.since, r.ordered, r.captured = starting, f, nil, time.Now(), time.Now(), capture{}
	})
}

// stopped takes in that an app was scaled to none. What it ran is what it is known by.
func (o *records) stopped(id string, ran formation) {
	o.ordered(id, func(r *record) {
		r.phase, r.formation, r.kinds, r.since, r.ordered = asleep, ran, nil, time.Time{}, time.Time{}
	})
}

// runs takes in that an app need not be started: somebody has.
func (o *records) runs(id string, f formation, dynos []dyno) {
	o.ordered(id, func(r *record) {
		r.formation = f
		now := phaseOf(dynos)
		if now == asleep {
			now = starting
		}
		o.become(r, now, dynos, o.clock)
		if now == starting && r.ordered.IsZero() {
			r.ordered = time.Now()
		}
	})
}

// ordered takes in what an order was answered with: no look counts that was begun before.
func (o *records) ordered(id string, how func(*record)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.byID[id]
	if r == nil {
		return
	}
	how(r)
	o.touch(r)
	r.begun, r.looked = o.clock, time.Now()
}

// bar takes in that Heroku lets nobody look at an app.
func (o *records) bar(id string, why error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.byID[id]; r != nil {
		r.barred, r.looked = why, time.Now()
		o.touch(r)
	}
}

// fault takes in that Heroku answers what cannot be read of an app, which stays as it was. Of one
// that is on its way up nobody would ever hear that it is: it is asked itself.
func (o *records) fault(id string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.byID[id]; r != nil {
		o.warn(r, err.Error(), "the app could not be looked at; it is taken to be as it was", "error", err)
		r.looked = time.Now()
		if r.phase == starting {
			r.phase = strange
			o.touch(r)
		}
	}
}

// giveUp has apps be looked at seldom again that do not come up.
func (o *records) giveUp() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.byID {
		if !r.ordered.IsZero() && !r.isOnItsWay() {
			r.ordered = time.Time{}
		}
	}
}

// standing is what decides what may be done with an app.
type standing struct {
	app
	formation formation
	phase     phase
	left      bool // to Heroku's own sleep
}

// standing is that of an app. False: there is none.
func (o *records) standing(id string) (standing, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.byID[id]
	if r == nil {
		return standing{}, false
	}
	return standing{r.app, r.formation, r.phase, o.leaves(r.formation)}, true
}

// leaves reports whether an app that runs so is left to Heroku's own sleep.
func (o *records) leaves(f formation) bool { return o.left && f.isEco() }

// reported is an app as the registry is told of it. Called with the lock held.
func (o *records) reported(r *record) inventory.App {
	a := inventory.App{Name: r.name, Origin: `Heroku app "` + r.name + `"`, URL: r.url, CreatedAt: r.created, Version: r.version, Unstartable: r.unstartable()}
	a.Labels = map[string]string{"paastis.id": r.id} // it stays, whatever the app is called
	if r.team != "" {
		a.Origin += ` of team "` + r.team + `"`
	}
	for _, self := range o.self {
		if self == r.name || self == r.id {
			a.Protected = inventory.IsPaastis
		}
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
