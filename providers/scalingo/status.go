package scalingo

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
