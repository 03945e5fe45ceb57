package admin

import (
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/rules"
)

// What follows is the API's shape of what the registry tells, as openapi.yaml describes it.

type appDocument struct {
	Name         string           `json:"name"`
	Provider     string           `json:"provider"`
	OwnName      string           `json:"own_name"`
	Stack        string           `json:"stack"`
	Managed      bool             `json:"managed"`
	State        string           `json:"state"`
	Since        *time.Time       `json:"since"`
	Reason       string           `json:"reason"`
	Code         string           `json:"reason_code"`
	About        []string         `json:"reason_apps"`
	ReasonUntil  *time.Time       `json:"reason_until"`
	LastActivity *time.Time       `json:"last_activity"`
	NextStop     *time.Time       `json:"next_stop"`
	PinnedUntil  *time.Time       `json:"pinned_until"`
	Stopped      *time.Time       `json:"stopped_manually"`
	MaxIdle      *float64         `json:"max_idle_seconds"`
	Mode         string           `json:"mode"`
	URLs         []string         `json:"urls"`
	Needs        []needDocument   `json:"needs"`
	NeededBy     []string         `json:"needed_by"`
	Group        []string         `json:"group"`
	UsualWake    *float64         `json:"usual_wake_seconds"`
	Open         int              `json:"open_requests"`
	Memory       *uint64          `json:"memory_bytes"`
	Saved        savingsDocument  `json:"saved"`
	Avoided      avoidedDocument  `json:"avoided"`
	Failure      *failureDocument `json:"failure"`
}

type needDocument struct {
	Name      string `json:"name"`
	Condition string `json:"condition"`
	Optional  bool   `json:"optional"`
	Missing   bool   `json:"missing"`
}

type savingsDocument struct {
	Day   savingDocument `json:"day"`
	Month savingDocument `json:"month"`
}

type savingDocument struct {
	Asleep float64  `json:"asleep_seconds"`
	Memory *float64 `json:"memory_byte_seconds"`
}

type avoidedDocument struct {
	Since *time.Time            `json:"since"`
	Hours float64               `json:"container_hours"`
	Cost  []amountDocument      `json:"cost"`
	Sizes []avoidedSizeDocument `json:"sizes"`
}

type amountDocument struct {
	Currency string `json:"currency"`
	Amount   string `json:"amount"`
}

type avoidedSizeDocument struct {
	Provider string  `json:"provider"`
	Size     string  `json:"size"`
	Hours    float64 `json:"container_hours"`
	Price    *string `json:"hourly_price"`
}

type failureDocument struct {
	Kind     string     `json:"kind"`
	Reason   string     `json:"reason"`
	Code     string     `json:"reason_code"`
	ExitCode int        `json:"exit_code"`
	At       time.Time  `json:"at"`
	RetryAt  *time.Time `json:"retry_at"`
	Logs     []string   `json:"logs"`
}

type totalsDocument struct {
	Apps    int             `json:"apps"`
	Awake   int             `json:"awake"`
	Failed  int             `json:"failed"`
	Saved   savingsDocument `json:"saved"`
	Avoided avoidedDocument `json:"avoided"`
}

type wakeDocument struct {
	At      time.Time `json:"at"`
	Took    float64   `json:"took_seconds"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason"`
	Code    string    `json:"reason_code"`
}

type historyDocument struct {
	Now   time.Time      `json:"now"`
	From  time.Time      `json:"from"`
	Spans []spanDocument `json:"spans"`
	Wakes []wakeDocument `json:"wakes"`
}

type spanDocument struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	State string    `json:"state"`
}

type eventDocument struct {
	ID          uint64     `json:"id"`
	At          time.Time  `json:"at"`
	Kind        string     `json:"kind"`
	App         string     `json:"app"`
	State       string     `json:"state"`
	Was         string     `json:"was"`
	Reason      string     `json:"reason"`
	Code        string     `json:"reason_code"`
	ReasonUntil *time.Time `json:"reason_until"`
	Took        float64    `json:"took_seconds"`
}

func appOf(d registry.Detail) appDocument {
	return appDocument{
		Name: d.Name, Provider: d.Provider, OwnName: d.OwnName, Stack: d.Stack, Managed: d.Managed,
		State: d.State.String(), Since: when(d.Since), Reason: d.Reason.String(), Code: string(d.Reason.Kind), About: list(d.Reason.Apps), ReasonUntil: when(d.Reason.Until),
		LastActivity: when(d.LastActivity), NextStop: when(d.NextStop), PinnedUntil: when(d.PinnedUntil), Stopped: when(d.StoppedManually),
		MaxIdle: some(d.MaxIdle.Seconds(), d.MaxIdle != rules.Never), Mode: d.Mode, URLs: list(d.URLs),
		Needs: needsOf(d.Needs), NeededBy: list(d.NeededBy), Group: list(d.Group),
		UsualWake: some(d.UsualWake.Seconds(), d.UsualWake > 0), Open: d.Open,
		Memory: some(d.Memory, d.Memory > 0), Saved: savingsOf(d.Saved), Avoided: avoidedOf(d.Avoided), Failure: failureOf(d.Failure),
	}
}

func needsOf(needs []registry.Need) []needDocument {
	all := make([]needDocument, 0, len(needs))
	for _, n := range needs {
		all = append(all, needDocument{Name: n.Name, Condition: n.Condition, Optional: n.Optional, Missing: n.Missing})
	}
	return all
}

func failureOf(f *registry.FailureDetail) *failureDocument {
	if f == nil {
		return nil
	}
	return &failureDocument{
		Kind: string(f.Kind), Reason: f.Reason.String(), Code: string(f.Reason.Kind), ExitCode: f.ExitCode,
		At: f.At.UTC(), RetryAt: when(f.RetryAt), Logs: list(f.Logs),
	}
}

func savingsOf(s history.Savings) savingsDocument {
	return savingsDocument{Day: savingOf(s.Day), Month: savingOf(s.Month)}
}

func savingOf(s history.Saving) savingDocument {
	return savingDocument{Asleep: s.Asleep.Seconds(), Memory: some(s.MemoryByteSeconds, s.MemoryKnown)}
}

func avoidedOf(a registry.Avoided) avoidedDocument {
	d := avoidedDocument{Since: when(a.Since), Hours: a.Time().Hours(), Cost: []amountDocument{}, Sizes: []avoidedSizeDocument{}}
	for _, amount := range a.Cost().Amounts() {
		d.Cost = append(d.Cost, amountDocument{Currency: amount.Currency, Amount: amount.Value})
	}
	for _, s := range a.Sizes {
		size := avoidedSizeDocument{Provider: s.Provider, Size: s.Size, Hours: s.Time.Hours()}
		if s.Price != nil {
			size.Price = new(s.Price.String())
		}
		d.Sizes = append(d.Sizes, size)
	}
	return d
}

func wakesOf(wakes []history.Wake) []wakeDocument {
	all := make([]wakeDocument, 0, len(wakes))
	for _, w := range wakes {
		all = append(all, wakeOf(w))
	}
	return all
}

func wakeOf(w history.Wake) wakeDocument {
	d := wakeDocument{At: w.At.UTC(), Took: w.Took.Seconds(), Outcome: "ready"}
	if w.Failed != nil {
		d.Outcome, d.Reason, d.Code = "failed", w.Failed.String(), string(w.Failed.Kind)
	}
	return d
}

func eventOf(e registry.Event) eventDocument {
	return eventDocument{
		ID: e.ID, At: e.At.UTC(), Kind: string(e.Kind), App: e.App,
		State: e.State.String(), Was: e.Was.String(), Reason: e.Reason.String(), Code: string(e.Reason.Kind), ReasonUntil: when(e.Reason.Until), Took: e.Took.Seconds(),
	}
}

// totalsOf adds up what is managed, and what all apps have avoided.
func totalsOf(l registry.Listing) totalsDocument {
	t := totalsDocument{Avoided: avoidedOf(l.Avoided)}
	var saved history.Savings
	for _, d := range l.Details {
		if !d.Managed {
			continue
		}
		t.Apps++
		switch d.State {
		case registry.Asleep:
		case registry.Failed:
			t.Failed++
		default:
			t.Awake++
		}
		add(&saved.Day, d.Saved.Day)
		add(&saved.Month, d.Saved.Month)
	}
	t.Saved = savingsOf(saved)
	return t
}

// add adds a saving to others. What is known of the memory is that of some at least.
func add(sum *history.Saving, s history.Saving) {
	sum.Asleep += s.Asleep
	sum.MemoryByteSeconds += s.MemoryByteSeconds
	sum.MemoryKnown = sum.MemoryKnown || s.MemoryKnown
}
