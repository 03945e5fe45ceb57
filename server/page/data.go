package page

import (
	"strconv"
	"strings"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/server/problem"
)

// Data is what a theme draws: an app as a visitor may see it. All texts are plain, in
// the visitor's language unless said otherwise, and cut so that the page is short enough.
// They come from outside: html/template escapes them.
type Data struct {
	// Lang is the language, as in <html lang>: "en", "fr".
	Lang string
	// T is what a theme says by itself: {{.T.Retry}}.
	T Texts
	// State is the app's, as in X-Paastis-State: asleep, starting, ready, draining,
	// stopping, failed.
	State string
	// Failed and Ready tell the two states that a page looks different in. One that was stopped
	// by hand, and stays so, looks like one that failed; HeldDown tells them apart.
	Failed, Ready, HeldDown bool
	// Name is the app's, Title is for the tab, with a sign of the state. Sentence is what
	// there is to say: why it failed, what it waits for. It changes seldom, so that a live
	// region (role="status") may say it.
	Name, Title, Sentence string
	// SentenceLang is the language of Sentence if it is not Lang, else empty.
	SentenceLang string

	// Steps are the linked apps, in start order. Empty: it needs no other.
	Steps []Step
	// More says how many more there are. Empty: none.
	More string
	// Logs are the last lines of an app that failed, where visitors may read them; else
	// empty.
	Logs string

	// Usual says how long it usually takes, that this is not known, or that it takes
	// longer. Empty for an app that is ready or failed.
	Usual string
	// Known reports whether it is known how long it usually takes. Percent is -1 if not, else
	// how much of that time has passed, at most 95, and 100 when it is ready;
	// UsualSeconds is that time, at least 1, and Remaining what is left of it. Both are 0 if
	// it is not known, and Remaining also once there is nothing left.
	Known                   bool
	Percent                 int
	UsualSeconds, Remaining int

	// Form reports whether the page is the answer to a form that could not be kept until the
	// app was ready. It has to be sent again: the page must not become the app by itself,
	// and leads back ({{.T.Back}}).
	Form string
	// Refresh is after how many seconds a page without script is to ask again
	// (<noscript>). Zero: not by itself.
	Refresh int
	// Poll is what the script sends in X-Paastis-Poll, to hear of the next change.
	Poll string
}

// Step is a linked app on its way up.
type Step struct {
	Name string
	// Progress is queued, starting, healthy, failed or skipped: for a class.
	Progress string
	// Label is the same in words.
	Label string
	// Reason is why it failed or is skipped, as a sentence; ReasonLang is its language if
	// it is not the page's. Both may be empty.
	Reason, ReasonLang string
}

// refreshSeconds is how often a page without script asks again.
const refreshSeconds = 2

// size is how much is drawn: so many steps, letters of a name, of a reason and of a step's
// reason, and lines of a log.
type size struct{ steps, name, reason, detail, lines int }

// shortName is how many letters tell most names apart.
const shortName = 24

// sizes are tried one after the other.
var sizes = []size{
	{12, 60, 200, 120, 8}, {12, 60, 200, 80, 4}, {8, 40, 200, 60, 2}, {8, shortName, 120, 0, 0}, {4, 16, 100, 0, 0}, {0, 16, 100, 0, 0},
}

// data is what a theme gets to draw.
func (s State) data(t *locale, most size, now time.Time) Data {
	v := s.View
	d := Data{
		Lang: t.code, T: t.texts, State: v.State.String(), Name: problem.Cut(v.Name, most.name), Poll: string(s.Poll(now)),
		Failed: v.State == registry.Failed || v.HeldDown, HeldDown: v.HeldDown, Ready: v.State == registry.Ready, Percent: -1,
	}
	title := t.texts.TitleWaking
	switch {
	case d.HeldDown:
		title = t.texts.TitleStopped
	case d.Failed:
		title = t.texts.TitleFailed
		d.Logs = lastLines(v.Logs, most.lines)
	case d.Ready:
		title = t.texts.TitleReady
	}
	d.Title = fill(title, "name", d.Name)
	d.say(s, t, most)
	d.count(s, t, now)
	d.list(v.Steps, t, most)
	switch {
	case s.Form:
	case d.HeldDown:
		d.Refresh = wholeSeconds(AsleepPause)
	case !d.Failed:
		d.Refresh = refreshSeconds
	}
	return d
}

// say fills in the sentences.
func (d *Data) say(s State, t *locale, most size) {
	form := t.texts.FormWaits
	switch {
	case d.Failed:
		d.Sentence = t.texts.Failed
	case d.Ready:
		d.Sentence, form = t.texts.Ready, t.texts.FormReady
	case s.Form:
		d.Sentence = t.texts.FormWaking
	default:
		d.Sentence = t.texts.Waking
	}
	if reason := s.reason(); !reason.IsZero() {
		d.Sentence, d.SentenceLang = t.cutReason(reason, most.reason)
	}
	if s.Form {
		d.Form = form
	}
}

// count fills in how long it takes.
func (d *Data) count(s State, t *locale, now time.Time) {
	usual := s.View.Usual
	if d.Known = usual > 0; d.Known {
		elapsed := time.Duration(0)
		if !s.View.Began.IsZero() {
			elapsed = max(now.Sub(s.View.Began), 0)
		}
		d.Percent = int(min(elapsed*100/usual, 95))
		d.UsualSeconds = wholeSeconds(usual)
		d.Remaining = wholeSeconds(max(usual-elapsed, 0))
	}
	switch {
	case d.Ready:
		d.Percent, d.Remaining = 100, 0
	case d.Failed:
	case s.overdue(now):
		d.Usual = fill(t.texts.Overdue, "time", t.duration(roughly(usual)))
	case d.Known:
		d.Usual = fill(t.texts.Usually, "time", t.duration(roughly(usual)))
	default:
		d.Usual = t.texts.Unknown
	}
}

// wholeSeconds are the seconds of a time, each that has begun.
func wholeSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// list fills in the steps.
func (d *Data) list(steps []registry.Step, t *locale, most size) {
	labels := map[registry.Progress]string{
		registry.Queued: t.texts.Queued, registry.Waking: t.texts.Starting, registry.Up: t.texts.Healthy,
		registry.Broken: t.texts.StepFailed, registry.Skipped: t.texts.Skipped,
	}
	fit := min(len(steps), most.steps)
	for _, step := range steps[:fit] {
		p := Step{Name: problem.Cut(step.Name, most.name), Progress: string(step.Progress), Label: labels[step.Progress]}
		p.Reason, p.ReasonLang = t.cutReason(step.Reason, most.detail)
		d.Steps = append(d.Steps, p)
	}
	if more := len(steps) - fit; more > 0 {
		d.More = fill(t.texts.More, "n", strconv.Itoa(more))
	}
}

// cutReason is a reason in a language, cut, and its language if it is another one.
func (t *locale) cutReason(reason reason.Reason, letters int) (text, lang string) {
	if reason.IsZero() || letters == 0 {
		return "", ""
	}
	text, ok := t.reason(reason)
	if !ok {
		lang = english
	}
	return problem.Cut(text, letters), lang
}

// roughly is a time that nobody needs to the second.
func roughly(d time.Duration) time.Duration {
	switch {
	case d < time.Minute:
		return d.Round(time.Second)
	case d < 10*time.Minute:
		return d.Round(10 * time.Second)
	default:
		return d.Round(time.Minute)
	}
}

// lastLines are so many of the last lines, each cut.
func lastLines(logs []string, lines int) string {
	var last []string
	for _, line := range logs[max(len(logs)-lines, 0):] {
		last = append(last, problem.Cut(line, 90))
	}
	return strings.Join(last, "\n")
}
