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
	// DirectHoldTimeout is the same in direct mode; 0 to 1 h.
	DirectHoldTimeout time.Duration
	// Mode is how Paastis stands before the app.
	Mode Mode
	// Rule is a rule of Traefik's for the requests that are the app's in direct mode, for
	// an app without a router in its labels. Empty: there is none.
	Rule string
	// Hosts are those of the requests that are the app's in direct mode, for one without a
	// router in its labels and without a Rule; see HostOf. Nil: it has none.
	Hosts []string
	// EntryPoints of Traefik's, TLS, CertResolver and Middlewares are those of the routers that
	// Rule and Hosts make. Zero: none is said.
	EntryPoints  []string
	TLS          bool
	CertResolver string
	Middlewares  []string
	// PassHost asks a platform for the host that a visitor asks for. Without, for that of the
	// URL by which it has the app.
	PassHost bool
	// Port that the app listens on, where nothing else tells. Zero: nothing tells.
	Port uint16
	// StartTimeout is how long a wake may take before it counts as failed.
	StartTimeout time.Duration
	// JobTimeout is for how long a job, whose end another app waits for, runs before it is
	// an app like any other: it may sleep, and who waits for its end does so no longer.
	JobTimeout time.Duration
	// StopMethod is how the app is put to sleep.
	StopMethod StopMethod
	// ManualStop is what a stop by somebody else than Paastis means.
	ManualStop ManualStop
	// Probe is how Paastis finds out that the app answers.
	Probe Probe
	// ProbeHost is the host that an HTTP probe asks for. Empty: that of the app's router.
	ProbeHost string
	// ProbeScheme is by what its visitor came, as a proxy would tell: http or https. Empty:
	// that of the app's router.
	ProbeScheme string
	// ProbeStatus are the statuses by which an app is taken to serve.
	ProbeStatus Statuses
	// TrafficFloor is how many bytes an app that nobody uses may move within its quiet
	// time; more is use. Off: its traffic is not looked at.
	TrafficFloor int64
	// QuietTime is for how long the app must have been quiet before it sleeps.
	QuietTime time.Duration
	// StreamQuietTime is the same once a WebSocket or an event stream was let through,
	// which is alive between two pings.
	StreamQuietTime time.Duration
	// CPUFloor is how much of one core an app that nobody uses may take, in percent;
	// more is use. Zero: its CPU time is not looked at.
	CPUFloor float64
	// Unseen is what becomes of the app where nobody can see whether it is in use.
	Unseen Unseen
	// Busy is the app's own word. The zero value: it has none.
	Busy Busy
	// KeepAwake are the times at which the app does not sleep.
	KeepAwake []Window
	// AwakeUntil keeps the app awake until then. Zero: nothing does.
	AwakeUntil time.Time
	// MaxConcurrentStarts is how many apps may be starting at once when this one starts.
	// Zero: any number.
	MaxConcurrentStarts int
	// ShowLogs reports whether visitors may read the last log lines of the app if it fails.
	ShowLogs bool
	// Theme is the name of the theme of its waiting page.
	Theme string
	// Brand is how that page looks, in a theme that has brands.
	Brand Brand
	// Enable is what `enable` says: nil if nothing does.
	Enable *bool
}

// Off is the TrafficFloor of an app whose traffic does not count.
const Off = int64(math.MaxInt64)

// Unseen is what becomes of an app where nobody can see whether it is in use.
type Unseen uint8

const (
	// UnseenAwake: it stays awake.
	UnseenAwake Unseen = iota
	// UnseenSleep: it sleeps as if it were not in use.
	UnseenSleep
)

// StopMethod is how an app is put to sleep.
type StopMethod uint8

const (
	// StopContainer ends the app's processes with its own signal and grace period.
	StopContainer StopMethod = iota
	// PauseContainer freezes them: memory stays taken, the wake is instant.
	PauseContainer
)

// ManualStop is what a person's own stop of an app means (docker stop, kill or pause).
type ManualStop uint8

const (
	// StayStopped keeps it stopped until a person wakes or starts it.
	StayStopped ManualStop = iota
	// WakeStopped lets the next request wake it, as if Paastis had put it to sleep.
	WakeStopped
)

// Mode is how Paastis stands before an app.
type Mode uint8

const (
	// AutoMode is Direct once Traefik fetches its routes from Paastis, else ForwardAuth.
	AutoMode Mode = iota
	// ForwardAuth: Traefik asks about each request.
	ForwardAuth
	// Direct: Paastis publishes the app's routes, which lead to the app while it is awake.
	Direct
)
