package rules

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Window is a time of the week in which an app is kept awake.
type Window struct {
	// Days on which it begins, by time.Weekday.
	Days [7]bool
	// From and To are times of the day, from midnight; To may be 24 h. A To that is not
	// after From is on the next day.
	From, To time.Duration
	// Location whose clock is meant. Never nil.
	Location *time.Location
	// Wake reports whether the app is also woken when it begins.
	Wake bool

	text string
}

var dayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

var errWindow = errors.New("write one such as 'Mon-Fri 08:00-19:00 Europe/Paris', with wake at its end to wake the app as it begins")

// String is the window as it was written.
func (w Window) String() string { return w.text }

// At reports whether t is in the window, and from when until when that occurrence is; if
// it is not, those of the next one. Where the clock is put forward or back, times are
// those of the wall clock.
func (w Window) At(t time.Time) (from, until time.Time, inside bool) {
	local := t.In(w.Location)
	for day := -1; day <= 7; day++ {
		if !w.Days[(int(local.Weekday())+day+7)%7] {
			continue
		}
		from, until = clock(local, day, w.From), clock(local, day, w.To)
		if w.To <= w.From {
			until = clock(local, day+1, w.To)
		}
		if t.Before(until) {
			return from, until, !t.Before(from)
		}
	}
	return from, until, false
}

// clock is the moment at which the wall clock shows a time, so many days after t.
func clock(t time.Time, days int, at time.Duration) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+days, 0, int(at.Minutes()), 0, 0, t.Location())
}

// setWindows reads one window or a list of them.
func setWindows(p *Properties, value *yaml.Node, expand expander) error {
	value = deref(value)
	items := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		items = value.Content
	}
	windows := make([]Window, 0, len(items))
	for _, item := range items {
		w, err := readWindow(deref(item), expand)
		if err != nil {
			return err
		}
		windows = append(windows, w)
	}
	p.KeepAwake = windows
	return nil
}

// readWindow reads a text, or {window, wake}.
func readWindow(node *yaml.Node, expand expander) (w Window, err error) {
	if node.Kind != yaml.MappingNode {
		text, err := scalarText(node, expand)
		if err != nil {
			return w, err
		}
		return parseWindow(text)
	}
	wake := false
	for key, value := range pairs(node) {
		switch key.Value {
		case "window":
			w, err = readWindow(value, expand)
		case "wake":
			if err = value.Decode(&wake); err != nil {
				err = fmt.Errorf("wake: %q is neither true nor false", value.Value)
			}
		default:
			err = fmt.Errorf("unknown key %q of a window%s", key.Value, suggest(key.Value, []string{"window", "wake"}))
		}
		if err != nil {
			return w, err
		}
	}
	if w.Location == nil {
		return w, fmt.Errorf("a window without a time; %w", errWindow)
	}
	w.Wake = w.Wake || wake
	return w, nil
}

// parseWindow reads [days] from-to [zone] [wake].
func parseWindow(text string) (Window, error) {
	w := Window{text: text, Location: time.Local}
	fields := strings.Fields(text)
	if n := len(fields); n > 0 && strings.EqualFold(fields[n-1], "wake") {
		w.Wake, fields = true, fields[:n-1]
	}
	days := "sun-sat"
	if len(fields) > 0 && !strings.Contains(fields[0], ":") {
		days, fields = fields[0], fields[1:]
	}
	if len(fields) == 0 || len(fields) > 2 {
		return w, fmt.Errorf("%q is no window; %w", text, errWindow)
	}
	if len(fields) == 2 {
		zone, err := time.LoadLocation(fields[1])
		if err != nil {
			return w, fmt.Errorf("%q is no time zone such as Europe/Paris; %w", fields[1], errWindow)
		}
		w.Location = zone
	}
	return w, errors.Join(w.setDays(days), w.setTimes(fields[0]))
}

// setDays reads Mon-Fri, or Sat,Sun.
func (w *Window) setDays(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, to := dayOf(first), dayOf(last)
		if from < 0 || to < 0 {
			return fmt.Errorf("%q are no days of the week; %w", text, errWindow)
		}
		for day := from; ; day = (day + 1) % 7 {
			w.Days[day] = true
			if day == to {
				break
			}
		}
	}
	return nil
}

func (w *Window) setTimes(text string) error {
	first, last, _ := strings.Cut(text, "-")
	from, ok := timeOfDay(first)
	to, ok2 := timeOfDay(last)
	if !ok || !ok2 || from == 24*time.Hour || from == to {
		return fmt.Errorf("%q are no times of the day; %w", text, errWindow)
	}
	w.From, w.To = from, to
	return nil
}

// dayOf takes mon and monday, in any case; -1 for anything else.
func dayOf(text string) int {
	text = strings.ToLower(text)
	return slices.IndexFunc(dayNames[:], func(name string) bool {
		return text == name || strings.HasPrefix(text, name) && strings.HasSuffix(text, "day")
	})
}

// timeOfDay reads 8:00, 08:00, up to 24:00.
func timeOfDay(text string) (time.Duration, bool) {
	hours, minutes, _ := strings.Cut(text, ":")
	h, err := strconv.ParseUint(hours, 10, 8)
	m, err2 := strconv.ParseUint(minutes, 10, 8)
	at := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	return at, err == nil && err2 == nil && len(minutes) == 2 && m < 60 && at <= 24*time.Hour
}

// labelWindows is the label's "Mon-Fri 08:00-19:00; Sat 10:00-12:00 wake" as a list.
func labelWindows(value string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for item := range strings.SplitSeq(value, ";") {
		if item = strings.TrimSpace(item); item != "" {
			list.Content = append(list.Content, scalar(item))
		}
	}
	return list
}

func windowsText(windows []Window) string {
	all := make([]string, 0, len(windows))
	for _, w := range windows {
		text := w.text
		if w.Wake && !strings.HasSuffix(strings.ToLower(text), "wake") {
			text += " wake"
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}
