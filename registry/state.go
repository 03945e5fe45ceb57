package registry

// State is where an app is in its life.
type State uint8

const (
	// Asleep: it does not run. A request wakes it.
	Asleep State = iota
	// Starting: it is on its way up, or waits for the apps that it needs.
	Starting
	// Ready: requests are passed to it.
	Ready
	// Draining: it is about to be stopped, and can still be kept awake.
	Draining
	// Stopping: the order to stop is out. A request queues the next start.
	Stopping
	// Failed: it could not be woken. The reason is kept.
	Failed
)

var stateNames = [...]string{"asleep", "starting", "ready", "draining", "stopping", "failed"}

// String is the state's name in logs, headers and the API.
func (s State) String() string { return stateNames[s] }
