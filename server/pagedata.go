package server

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/server/problem"
)

// PageData is what a theme draws: an app as a visitor may see it. All texts are plain, in
// the visitor's language unless said otherwise, and cut so that the page is short enough.
// They come from outside: html/template escapes them.
type PageData struct {
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
	Steps []PageStep
	// More says how many more there are. Empty: none.
	More string
	// Logs are the last lines of an app that failed, where visitors may read them; else
	// empty.
	Logs string

	// Usual says how long it usually takes, that this is not known, or that it takes
	// longer. Empty for an app that is ready or failed.
	Usual string
	// Known tells that it is known how long it usually takes. Percent is -1 if not, else
	// how much of that time has passed, at most 95, and 100 when it is ready;
	// UsualSeconds is that time, at least 1, and Remaining what is left of it. Both are 0 if
	// it is not known, and Remaining also once there is nothing left.
	Known                   bool
	Percent                 int
	UsualSeconds, Remaining int

	// Form tells that the page is the answer to a form that could not be kept until the
	// app was ready. It has to be sent again: the page must not become the app by itself,
	// and leads back ({{.T.Back}}).
	Form string
	// Refresh is after how many seconds a page without script is to ask again
	// (<noscript>). Zero: not by itself.
	Refresh int
	// Poll is what the script sends in X-Paastis-Poll, to hear of the next change.
	Poll string
}

// PageStep is a linked app on its way up.
type PageStep struct {
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

// overdueSlack is how much longer than usual is still usual.
const overdueSlack = time.Second

const (
	// formMark is the end of a poll of a page that answers a form.
	formMark = ".form"
	// failedMark is in that of a page that says that the app has failed.
	failedMark = ".failed"
)

// shown is what a page is of.
type shown struct {
	view    registry.View
	form    bool // it answers a form that was not sent
	refused bool // the visitor's address has woken too many apps

	wait time.Duration // until it may wake one more
}

// retryIn is in how long it is worth to ask again.
func (s shown) retryIn(now time.Time) time.Duration {
	if s.refused {
		return s.wait
	}
	return retryIn(s.view, now)
}

// reason is why things are so. Why an app failed is worth more than that the visitor was
// refused.
func (s shown) reason() reason.Reason {
	if s.refused && s.view.State != registry.Failed && !s.view.HeldDown {
		return reason.Reason{Kind: reason.TooManyWakes}
	}
	return s.view.Reason
}

// overdueAt is when an app takes longer than usual. Zero: it is not on its way up, or it
// is not known how long that takes.
func (s shown) overdueAt() time.Time {
	if s.view.Began.IsZero() || s.view.Usual == 0 {
		return time.Time{}
	}
	return s.view.Began.Add(s.view.Usual + s.view.Usual/4 + overdueSlack)
}

func (s shown) overdue(now time.Time) bool {
	due := s.overdueAt()
	return !due.IsZero() && !now.Before(due)
}

// poll is another for each picture that a visitor would tell from the last. That time
// passes is none.
func (s shown) poll(now time.Time) string {
	h := fnv.New64a()
	v := s.view
	fmt.Fprintf(h, "%q %d %q %q %t", v.Name, v.State, s.reason(), v.Logs, s.overdue(now))
	for _, step := range v.Steps {
		fmt.Fprintf(h, "%q %q %q", step.Name, step.Progress, step.Reason)
	}
	mark := hex.EncodeToString(h.Sum(nil))
	if v.State == registry.Failed && !v.Gone {
		mark += failedMark
	}
	if s.form {
		mark += formMark
	}
	return mark
}

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
func (s shown) data(t *tongue, most size, now time.Time) PageData {
	v := s.view
	d := PageData{
		Lang: t.code, T: t.texts, State: v.State.String(), Name: problem.Cut(v.Name, most.name), Poll: s.poll(now),
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
	case s.form:
	case d.HeldDown:
		d.Refresh = wholeSeconds(asleepPause)
	case !d.Failed:
		d.Refresh = refreshSeconds
	}
	return d
}

// say fills in the sentences.
func (d *PageData) say(s shown, t *tongue, most size) {
	form := t.texts.FormWaits
	switch {
	case d.Failed:
		d.Sentence = t.texts.Failed
	case d.Ready:
		d.Sentence, form = t.texts.Ready, t.texts.FormReady
	case s.form:
		d.Sentence = t.texts.FormWaking
	default:
		d.Sentence = t.texts.Waking
	}
	if reason := s.reason(); !reason.IsZero() {
		d.Sentence, d.SentenceLang = t.cutReason(reason, most.reason)
	}
	if s.form {
		d.Form = form
	}
}

// count fills in how long it takes.
func (d *PageData) count(s shown, t *tongue, now time.Time) {
	usual := s.view.Usual
	if d.Known = usual > 0; d.Known {
		elapsed := time.Duration(0)
		if !s.view.Began.IsZero() {
			elapsed = max(now.Sub(s.view.Began), 0)
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
func (d *PageData) list(steps []registry.Step, t *tongue, most size) {
	labels := map[registry.Progress]string{
		registry.Queued: t.texts.Queued, registry.Waking: t.texts.Starting, registry.Up: t.texts.Healthy,
		registry.Broken: t.texts.StepFailed, registry.Skipped: t.texts.Skipped,
	}
	fit := min(len(steps), most.steps)
	for _, step := range steps[:fit] {
		p := PageStep{Name: problem.Cut(step.Name, most.name), Progress: string(step.Progress), Label: labels[step.Progress]}
		p.Reason, p.ReasonLang = t.cutReason(step.Reason, most.detail)
		d.Steps = append(d.Steps, p)
	}
	if more := len(steps) - fit; more > 0 {
		d.More = fill(t.texts.More, "n", strconv.Itoa(more))
	}
}

// cutReason is a reason in a language, cut, and its language if it is another one.
func (t *tongue) cutReason(reason reason.Reason, letters int) (text, lang string) {
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
