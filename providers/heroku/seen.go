package heroku

import (
	"time"
)

// What looks and orders tell of an app.

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
	r.scale(f)
	o.become(r, now, dynos, begun)
}

// listedWithin is how long the dynos of an app that is to have some may be missing: then it is asked
// itself whether it serves.
const listedWithin = time.Minute

// become makes an app what was seen of it. Called with the lock held.
func (o *records) become(r *record, now phase, dynos []dyno, begun uint64) {
	if now == crashed && r.phase != crashed {
		o.log.Warn("the web dynos of the app have crashed; its log says why", "app", r.name, "by", "heroku logs -a "+r.name)
	}
	r.become(now, dynos, begun)
	o.touch(r)
}

// started takes in that an app was started, with what it is to run.
func (o *records) started(id string, f formation) {
	o.captures.drop(id)
	o.ordered(id, func(r *record) { r.start(f) })
}

// stopped takes in that an app was scaled to none. What it ran is what it is known by.
func (o *records) stopped(id string, ran formation) {
	o.ordered(id, func(r *record) { r.stop(ran) })
}

// runs takes in that an app need not be started: somebody has.
func (o *records) runs(id string, f formation, dynos []dyno) {
	o.ordered(id, func(r *record) {
		r.scale(f)
		now := phaseOf(dynos)
		if now == asleep {
			now = starting
		}
		o.become(r, now, dynos, o.clock)
		r.await()
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
	r.settle(o.clock)
}

// bar takes in that Heroku lets nobody look at an app.
func (o *records) bar(id string, why error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.byID[id]; r != nil {
		r.bar(why)
		o.touch(r)
	}
}

// fault takes in that Heroku answers what cannot be read of an app, which stays as it was.
func (o *records) fault(id string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.byID[id]; r != nil {
		o.warn(r, err.Error(), "the app could not be looked at; it is taken to be as it was", "error", err)
		if r.fault() {
			o.touch(r)
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
