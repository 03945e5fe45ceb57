// Package reason says why: why an app is in its state, stays awake, waits or failed, and why
// a provider did not do something. A reason is a value with a kind, which programs compare,
// and the apps, times and figures that it is about; its sentence is made of these.
//
//	Reason{Kind: UsedRecently, For: 5 * time.Minute, Limit: 15 * time.Minute}
//	       used_recently      "used 5m0s ago, sleeps after 15m0s"
//
// It knows nothing of what moves apps, and imports none of ours.
package reason

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// Reason is why an app is in its state, stays awake, waits or failed. What it means is its
// Kind; the sentence is for people alone, and may change. The zero Reason is none. It is a
// value: nobody changes one that others have.
type Reason struct {
	Kind Kind
	// Apps are those that it is about, by the names by which they are known. Of a use that was
	// seen, the linked app whose use it is; none: the app's own.
	Apps []string
	// Until is when what keeps the app awake ends. Zero: nothing says.
	Until time.Time
	// For is how long something went on, Limit how long it may. Zero: there is no such time.
	For, Limit time.Duration
	// Count is how many there are of what it is about.
	Count int
	// Place is that in a queue, from 1 on. Zero: it is about none.
	Place int
	// Code is an exit code, the status of an answer, or a port.
	Code int
	// Rate is in bytes a second, or in percent of a core.
	Rate float64
	// Router is the name of a router of Traefik's. Empty: it is about none.
	Router string
	// Text is what somebody else said: a provider, an app, the configuration. Empty: nothing.
	Text string
	// Pending tells, of what a provider says, that what was asked of it may still come about.
	// False: it did not do that.
	Pending bool
	// Because is the reason of this one. Nil: it has none. It must not be changed.
	Because *Reason
}

// Kind tells reasons apart. Its text is stable: programs compare it, and it is among
// the words of the admin API. The empty one is that of no reason.
type Kind string

// IsZero reports whether there is no reason.
func (r Reason) IsZero() bool { return r.Kind == "" }

// Equal reports whether both say the same, with the same figures.
func (r Reason) Equal(o Reason) bool {
	if (r.Because == nil) != (o.Because == nil) || r.Because != nil && !r.Because.Equal(*o.Because) {
		return false
	}
	return r.Kind == o.Kind && slices.Equal(r.Apps, o.Apps) && r.Until.Equal(o.Until) && r.For == o.For && r.Limit == o.Limit &&
		r.Count == o.Count && r.Place == o.Place && r.Code == o.Code && r.Rate == o.Rate && r.Router == o.Router && r.Text == o.Text && r.Pending == o.Pending
}

// String is the reason in English; empty if there is none.
func (r Reason) String() string {
	known := textsOf[r.Kind]
	text := r.phrase()
	switch {
	case known.refusal && r.Pending:
		return "How it fares is not known: " + text + "."
	case known.refusal:
		return "It could not be started: " + text + "."
	case known.use && len(r.Apps) > 0:
		return r.Apps[0] + ": " + text
	case r.Kind == NeedsDown && r.Because != nil:
		return r.Because.String() + "; " + text
	default:
		return text
	}
}

// And is a second reason beside the first, if there is that.
func (r Reason) And(second Reason) Reason {
	if !r.IsZero() {
		second.Because = &r
	}
	return second
}

// template is the English text of the reason; the only one of a kind that is not known is
// what was said.
func (r Reason) template(known texts) string {
	switch {
	case known.text == "", known.refusal && r.Text != "":
		return "{text}"
	case known.one != "" && r.Count == 1:
		return known.one
	default:
		return known.text
	}
}

// because is the reason of this one, as a sentence or as a part of one. Empty: there is none.
func (r Reason) because(part bool) string {
	switch {
	case r.Because == nil:
		return ""
	case part && r.Because.Kind.OfProvider():
		return r.Because.phrase()
	default:
		return r.Because.String()
	}
}

// phrase is the text of the reason alone, in English.
func (r Reason) phrase() string { return fill(r.template(textsOf[r.Kind]), r.value) }

// value is what stands for a placeholder of a text in English.
func (r Reason) value(name string) string {
	switch name {
	case "time":
		return Short(r.For)
	case "limit":
		return r.Limit.String()
	case "apps":
		if len(r.Apps) == 0 {
			return "its turn" // nothing but that it waits for
		}
		return r.Value(name)
	case "why", "refusal":
		return r.because(name == "refusal")
	default:
		return r.Value(name)
	}
}

// Value is what stands for a placeholder in the text of a reason, in any language: {app},
// {apps}, {named} (the same, each in quotes), {n}, {place}, {code}, {bytes}, {percent}, {until}, {router}
// (in quotes), {text}.
// {time}, {limit}, {why} and {refusal} are for who knows the language. Unknown ones are empty.
func (r Reason) Value(name string) string {
	switch name {
	case "app":
		if len(r.Apps) == 0 {
			return ""
		}
		return r.Apps[0]
	case "apps":
		return strings.Join(r.Apps, ", ")
	case "named":
		return strings.Join(Quoted(r.Apps), ", ")
	case "n":
		return strconv.Itoa(r.Count)
	case "place":
		return strconv.Itoa(r.Place)
	case "code":
		return strconv.Itoa(r.Code)
	case "bytes":
		return humanize.Bytes(uint64(r.Rate))
	case "percent":
		return fmt.Sprintf("%.1f", r.Rate)
	case "until":
		return clockText(r.Until)
	case "router":
		return strconv.Quote(r.Router)
	case "text":
		return r.Text
	default:
		return ""
	}
}

// Quoted are names, each in quotes.
func Quoted(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = strconv.Quote(name)
	}
	return all
}

// fill puts values into a text, for the names that stand in braces.
func fill(text string, value func(name string) string) string {
	var filled strings.Builder
	for {
		before, after, found := strings.Cut(text, "{")
		name, rest, closed := strings.Cut(after, "}")
		filled.WriteString(before)
		if !found || !closed {
			return filled.String()
		}
		filled.WriteString(value(name))
		text = rest
	}
}

// Topic is what a reason is about, whatever its figures are.
type Topic struct {
	kind Kind
	apps string
}

func (r Reason) Topic() Topic { return Topic{r.Kind, strings.Join(r.Apps, ", ")} }

// OfProvider reports whether a provider says it of what it did not do. In the middle of a
// sentence its text is a part of that.
func (k Kind) OfProvider() bool { return textsOf[k].refusal }

// English is the text of a kind, and that of one of what it counts, if that is another; what
// is to be filled in stands in braces. Both are empty if the kind is not known.
func (k Kind) English() (text, one string) { return textsOf[k].text, textsOf[k].one }

// Known reports whether there is such a kind: a later Paastis may have others.
func (k Kind) Known() bool {
	_, known := textsOf[k]
	return known
}

// Kinds are all that there are, sorted.
func Kinds() []Kind {
	kinds := make([]Kind, 0, len(textsOf))
	for kind := range textsOf {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// Reasoned is an error of a provider's that says why it did not do something, beside the chain
// for logs.
type Reasoned interface {
	error
	// Reason is of a kind that OfProvider reports true for. A visitor may read its text: it
	// is without names of hosts and without secrets.
	Reason() Reason
}

// Of is why a provider did not do something: of one that does not say, that it did not.
func Of(err error) Reason {
	var reasoned Reasoned
	if errors.As(err, &reasoned) {
		if r := reasoned.Reason(); r.Kind.OfProvider() {
			return r
		}
	}
	return Reason{Kind: ProviderRefused}
}

// NewError is an error that says nothing but why, for errors.Is, and a text for logs.
func NewError(kind Kind, text string) error { return kindOfError{kind, text} }

// kindOfError is an error that is known by nothing but the kind of its reason.
type kindOfError struct {
	kind Kind
	text string
}

func (e kindOfError) Error() string  { return e.text }
func (e kindOfError) Reason() Reason { return Reason{Kind: e.kind} }

// Short rounds a time for people.
func Short(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// clockText is a moment for people.
func clockText(t time.Time) string { return t.Format("Mon 2 Jan 15:04 MST") }
