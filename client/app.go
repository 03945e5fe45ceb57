package client

import (
	"strings"
	"time"
	"unicode"
)

// Text is a text from outside that is safe to show: reading it from JSON replaces
// whatever could move a terminal's cursor, hide a part, or start another line.
type Text string

// UnmarshalText cleans what it reads.
func (t *Text) UnmarshalText(data []byte) error {
	*t = Text(Clean(string(data)))
	return nil
}

// Clean replaces control characters and others that show nothing: white space by a space,
// the rest by U+FFFD.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		default:
			return unicode.ReplacementChar
		}
	}, s)
}

// Seconds is a duration as the API writes it.
type Seconds float64

// Duration rounds it to nanoseconds.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

// List is all apps.
type List struct {
	Now    time.Time `json:"now"` // by Paastis's clock
	Apps   []App     `json:"apps"`
	Totals Totals    `json:"totals"`
}

// Totals count the apps.
type Totals struct {
	Apps    int     `json:"apps"`
	Awake   int     `json:"awake"`
	Failed  int     `json:"failed"`
	Saved   Saved   `json:"saved"`
	Avoided Avoided `json:"avoided"`
}

// Avoided is what was not billed because apps slept. Since is nil if nothing is.
type Avoided struct {
	Since *time.Time    `json:"since"`
	Hours float64       `json:"container_hours"`
	Cost  []Amount      `json:"cost"`  // as far as prices are known
	Sizes []AvoidedSize `json:"sizes"` // the same hours
}

// Amount is money of one currency.
type Amount struct {
	Currency Text `json:"currency"`
	Amount   Text `json:"amount"` // a decimal number
}

// AvoidedSize is what containers of one size have avoided. The price is nil if it is not known.
type AvoidedSize struct {
	Provider Text    `json:"provider"`
	Size     Text    `json:"size"`
	Hours    float64 `json:"container_hours"`
	Price    *Text   `json:"hourly_price"`
}

// Saved is what sleep has spared.
type Saved struct {
	Day   Saving `json:"day"`
	Month Saving `json:"month"`
}

// Saving is the time that apps slept in and the memory that they did not take, in
// seconds and bytes times seconds. Memory is nil if it was never measured.
type Saving struct {
	Asleep Seconds  `json:"asleep_seconds"`
	Memory *float64 `json:"memory_byte_seconds"`
}

// App is one app. A nil pointer is what there is none of, or is not known.
type App struct {
	Name         Text       `json:"name"`
	Provider     Text       `json:"provider"`
	OwnName      Text       `json:"own_name"`
	Stack        Text       `json:"stack"`
	Managed      bool       `json:"managed"`
	State        Text       `json:"state"`
	Since        time.Time  `json:"since"`
	Reason       Text       `json:"reason"`      // why it is in that state
	ReasonCode   Text       `json:"reason_code"` // what that means, whatever its words are; see docs/reasons.md
	ReasonApps   []Text     `json:"reason_apps"` // those that it is about
	LastActivity *time.Time `json:"last_activity"`
	NextStop     *time.Time `json:"next_stop"`
	PinnedUntil  *time.Time `json:"pinned_until"`
	Stopped      *time.Time `json:"stopped_manually"` // by somebody else, to stay so
	MaxIdle      *Seconds   `json:"max_idle_seconds"` // nil: it never sleeps
	Mode         Text       `json:"mode"`
	URLs         []Text     `json:"urls"`
	Needs        []Need     `json:"needs"`
	NeededBy     []Text     `json:"needed_by"`
	Group        []Text     `json:"group"`
	UsualWake    *Seconds   `json:"usual_wake_seconds"`
	OpenRequests int        `json:"open_requests"`
	Memory       *uint64    `json:"memory_bytes"`
	Saved        Saved      `json:"saved"`
	Avoided      Avoided    `json:"avoided"`
	Failure      *Failure   `json:"failure"`
	Wakes        []Wake     `json:"wakes"` // newest first; only one app's own answer has them
}

// NeededBy is the code of the reason of an app that others keep awake.
const NeededBy Text = "needed_by"

// Need is an app that another one needs.
type Need struct {
	Name      Text `json:"name"`
	Condition Text `json:"condition"`
	Optional  bool `json:"optional"`
	Missing   bool `json:"missing"`
}

// Failure is why an app does not run.
type Failure struct {
	Kind       Text       `json:"kind"`
	Reason     Text       `json:"reason"`
	ReasonCode Text       `json:"reason_code"`
	ExitCode   *int       `json:"exit_code"`
	At         time.Time  `json:"at"`
	RetryAt    *time.Time `json:"retry_at"`
	Logs       []Text     `json:"logs"` // its last lines
}

// Wake is one way up.
type Wake struct {
	At         time.Time `json:"at"`
	Took       Seconds   `json:"took_seconds"`
	Outcome    Text      `json:"outcome"` // ready, failed
	Reason     Text      `json:"reason"`  // why it failed
	ReasonCode Text      `json:"reason_code"`
}

// Events are things that happened, oldest first.
type Events struct {
	Events []Event `json:"events"`
}

// Event is one thing that happened to an app.
type Event struct {
	ID         uint64    `json:"id"`
	At         time.Time `json:"at"`
	Kind       Text      `json:"kind"` // state, pin, gone
	App        Text      `json:"app"`
	State      Text      `json:"state"`
	Was        Text      `json:"was"`
	Reason     Text      `json:"reason"`
	ReasonCode Text      `json:"reason_code"`
	Took       *Seconds  `json:"took_seconds"`
}
