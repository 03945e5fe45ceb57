package provider

// Sized is a Provider of a platform that bills by the size of what runs: of its apps it can tell
// what is not billed while they sleep.
type Sized interface {
	Provider
	// Formation is what an app runs while it is awake, as the provider has last seen it: while it
	// sleeps, what a wake would bring back. Kept is what Resumer.Capture returned before its stop,
	// perhaps to a Paastis before this one; nil: nothing is kept. It makes no call and waits for
	// none, nor for a lock that is held while Watch reports, for it is called with the registry's
	// lock held. Nil: that is not known.
	Formation(name string, kept []byte) []Part
}

// Part is as many of the containers of an app as are alike.
type Part struct {
	// Type is what they do in the app, as its platform calls that: "web", "worker". Empty: there
	// are no types.
	Type string
	// Size is what the platform's price list calls one of them: "M", "standard-1X". Empty: there
	// are no sizes.
	Size string
	// Amount of them; 0: such a part costs nothing.
	Amount int
}
