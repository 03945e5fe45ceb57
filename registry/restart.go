package registry

import "github.com/paastis/paastis/registry/reason"

// restartCutOff orders the restart of an app that runs in namespaces which are those of
// nothing any more, since the app that lends them was started again, or whose owner wants it
// restarted with one that it needs. It reports whether it did.
func (o *descent) restartCutOff(k *Keeper) bool {
	if !k.app.Alive() || k.busy {
		return false
	}
	why := o.cutOff(k)
	switch {
	case why.IsZero():
		return false
	case o.now.Before(k.failures.stopAfter):
		o.at(k.failures.stopAfter)
		return false
	case k.failures.startedOften(k.app):
		o.at(k.failures.startsAgain())
		return false
	}
	since := o.now
	if k.state == Starting {
		since = k.attempt.wakeBegan
	}
	k.attempt.stopFor(why, since)
	o.stop(k, why)
	return true
}

// cutOff says why an app that runs has to be started again. Zero: it has not.
func (o *descent) cutOff(k *Keeper) reason.Reason {
	began := k.app.RunningSince()
	if began.IsZero() {
		return reason.Reason{}
	}
	for _, n := range k.Definition().Needs {
		t := KeeperOf(n.To)
		if n.Inside && !n.Ordered || n.To.Job || !t.app.Running() || !began.Before(t.app.RunningSince()) || !met(n, k) {
			continue
		}
		switch {
		case n.Lends:
			return reason.Reason{Kind: reason.LenderRestarted, Apps: []string{t.Name()}}
		case n.Restart && !n.Optional && n.To.Managed && t.attempt.startSent:
			return reason.Reason{Kind: reason.RestartedWith, Apps: []string{t.Name()}}
		}
	}
	return reason.Reason{}
}
