package rules

import (
	"math"
	"time"
)

// Never is the MaxIdleTime of an app that is kept awake.
const Never = time.Duration(math.MaxInt64)

// Properties are the settings of one app, after defaults, rules and labels.
type Properties struct {
	// AppName is the name by which the app is known. Empty: its provider's own name.
	AppName string
	// LinkedApps are the apps that it needs. Nil: none but those of its provider.
	LinkedApps []Link
	// AppGroup makes all apps of the same group linked to each other. Empty: no group.
	AppGroup string
	// MaxIdleTime is how long the app stays awake unused. Never keeps it awake; zero
	// puts it to sleep at the first look.
	MaxIdleTime time.Duration
	// HoldTimeout is how long a program's request waits for the app; 0 to 25 s.
	HoldTimeout time.Duration
	// StartTimeout is how long a wake may take before it counts as failed.
	StartTimeout time.Duration
	// StopMethod is how the app is put to sleep.
	StopMethod StopMethod
	// Probe is how Paastis finds out that the app answers.
	Probe Probe
	// Enable is what `enable` says: nil if nothing does.
	Enable *bool
}

// StopMethod is how an app is put to sleep.
type StopMethod uint8

const (
	// StopContainer ends the app's processes with its own signal and grace period.
	StopContainer StopMethod = iota
	// PauseContainer freezes them: memory stays taken, the wake is instant.
	PauseContainer
)

// Probe is Paastis's own look at whether an app answers.
type Probe struct {
	Kind ProbeKind
	// Port to connect to; 0: the port that Traefik uses, else the app's only one.
	Port uint16
	// Path of an HTTP probe, with its query; starts with a slash.
	Path string
}

// ProbeKind tells the ways to probe apart.
type ProbeKind uint8

const (
	// AutoProbe connects to the app's TCP port if it has no health check of its own.
	AutoProbe ProbeKind = iota
	// NoProbe trusts the provider: running is ready.
	NoProbe
	// TCPProbe connects, health check or not.
	TCPProbe
	// HTTPProbe asks for Path and takes any answer below 400.
	HTTPProbe
)
