package command

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/paastis/paastis/client"
)

// wakesShown is how many of an app's last wakes status tells.
const wakesShown = 5

func (s *shell) statusCommand() *cobra.Command {
	c := s.aboutApp(newCommand("status [NAME]", "show what a running Paastis says of its apps, or all that it knows of one", nil))
	c.RunE = s.asking(c, func(ctx context.Context, r *remote) error {
		if r.app == "" {
			return r.status(ctx)
		}
		return r.statusOf(ctx)
	})
	return c
}

// status lists all apps.
func (r remote) status(ctx context.Context) error {
	reply, err := r.Apps(ctx)
	if err != nil {
		return err
	}
	if r.json {
		return r.writeJSON(reply.JSON)
	}
	writeApps(r.out, reply.Value)
	return nil
}

// statusOf says all about one app.
func (r remote) statusOf(ctx context.Context) error {
	reply, err := r.App(ctx, r.app)
	if err != nil {
		return err
	}
	if r.json {
		return r.writeJSON(reply.JSON)
	}
	writeApp(r.out, reply.Value, reply.At)
	return nil
}

func writeApps(out io.Writer, list client.List) {
	if len(list.Apps) == 0 {
		fmt.Fprintln(out, "no apps; paastis check says what is managed, and why the rest is not")
		return
	}
	rows := [][]string{{"NAME", "STATE", "SINCE", "SLEEPS-IN", "WHY"}}
	for _, app := range list.Apps {
		rows = append(rows, []string{
			string(app.Name), string(app.State), since(app, list.Now), sleepsIn(app, list.Now), string(app.Reason),
		})
	}
	writeTable(out, rows)
	fmt.Fprintf(out, "\n%s\n", totalsText(list.Totals))
	if text := avoidedText(list.Totals.Avoided, list.Now); text != "" {
		fmt.Fprintf(out, "not run: %s\n", text)
	}
}

// since is for how long an app has been in its state; a dash: that is not known, as of one
// that is not managed.
func since(app client.App, now time.Time) string {
	if app.Since.IsZero() {
		return "-"
	}
	return ago(app.Since, now)
}

// awake reports whether an app may sleep next: one on its way up or down cannot be told of.
func awake(app client.App) bool {
	return app.State == "ready" || app.State == "draining"
}

// neededBy are the apps that keep an app awake. It sleeps after them, and their way down
// takes a time that its next_stop cannot know.
func neededBy(app client.App) []string {
	if app.ReasonCode != client.NeededBy {
		return nil
	}
	return texts(app.ReasonApps)
}

// sleepsIn is how long it is until an app sleeps if nobody comes, or after which it does; a
// dash: that cannot be told, or it does not run.
func sleepsIn(app client.App, now time.Time) string {
	needing := neededBy(app)
	switch {
	case !awake(app):
		return "-"
	case len(needing) == 1:
		return "after " + needing[0]
	case len(needing) > 1:
		return fmt.Sprintf("after %d apps", len(needing))
	case app.NextStop != nil:
		return brief(app.NextStop.Sub(now))
	case app.PinnedUntil != nil:
		return "pinned"
	case app.MaxIdle == nil || !app.Managed:
		return "never"
	default:
		return "-"
	}
}

func totalsText(t client.Totals) string {
	apps := "apps"
	if t.Apps == 1 {
		apps = "app"
	}
	return fmt.Sprintf("%d %s: %d awake, %d asleep, %d failed; last 24 h: %s",
		t.Apps, apps, t.Awake, t.Apps-t.Awake-t.Failed, t.Failed, savingText(t.Saved.Day))
}

func savingText(s client.Saving) string {
	asleep := s.Asleep.Duration()
	text := brief(asleep) + " asleep"
	if asleep >= time.Hour {
		text = fmt.Sprintf("%.1f h asleep", asleep.Hours())
	}
	if s.Memory != nil {
		text += fmt.Sprintf(", %s·h of memory saved", humanize.IBytes(uint64(max(0, *s.Memory)/3600)))
	}
	return text
}

func writeApp(out io.Writer, app client.App, now time.Time) {
	fmt.Fprintf(out, "app %s (%s)\n", app.Name, identity(app))
	state := string(app.State)
	if !app.Since.IsZero() {
		state += " since " + past(app.Since, now)
	}
	rows := [][]string{{"state", state}}
	add := func(key, value string) {
		if value != "" {
			rows = append(rows, []string{key, value})
		}
	}
	add("why", string(app.Reason))
	add("last used", textOr(past, app.LastActivity, now))
	add("sleeps", sleepsText(app, now))
	add("pinned until", textOr(future, app.PinnedUntil, now))
	add("usual wake", usualText(app))
	add("mode", string(app.Mode))
	add("memory", memoryText(app))
	add("saved", fmt.Sprintf("last 24 h: %s", savingText(app.Saved.Day)))
	add("", fmt.Sprintf("last 30 d: %s", savingText(app.Saved.Month)))
	rows[len(rows)-1][0] = " " // belongs to the row before
	add("not run", avoidedText(app.Avoided, now))
	w := tabwriter.NewWriter(out, len("  pinned until  "), 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintf(w, "  %s\t%s\n", row[0], row[1])
	}
	w.Flush()
	writeList(out, "addresses", texts(app.URLs))
	writeList(out, "needs", needs(app.Needs))
	writeList(out, "starts and sleeps together with", texts(app.Group))
	writeList(out, "needed by", texts(app.NeededBy))
	writeWakes(out, app.Wakes, now)
	writeFailure(out, app.Failure, now)
}

// identity is what an app is called elsewhere.
func identity(app client.App) string {
	parts := []string{string(app.Provider)}
	if app.OwnName != app.Name {
		parts = append(parts, "there "+string(app.OwnName))
	}
	if app.Stack != "" {
		parts = append(parts, "stack "+string(app.Stack))
	}
	if !app.Managed {
		parts = append(parts, "not managed")
	}
	return strings.Join(parts, ", ")
}

// moment is a time by the clock of this machine, without the day if that is today.
func moment(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	layout := "2006-01-02 15:04"
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		layout = "15:04:05"
	}
	return t.Format(layout)
}

// past is a time and how long ago it was; future how long it is until then.
func past(t, now time.Time) string   { return fmt.Sprintf("%s (%s)", moment(t, now), ago(t, now)) }
func future(t, now time.Time) string { return fmt.Sprintf("%s (%s)", moment(t, now), ahead(t, now)) }

// textOr is a text of a time; empty if there is none.
func textOr(text func(t, now time.Time) string, t *time.Time, now time.Time) string {
	if t == nil {
		return ""
	}
	return text(*t, now)
}

func sleepsText(app client.App, now time.Time) string {
	if awake(app) && app.NextStop != nil {
		text := future(*app.NextStop, now) + ", if nobody comes"
		if needing := neededBy(app); len(needing) > 0 {
			text = "after " + strings.Join(needing, ", ") + "; not before " + text
		}
		return text
	}
	if app.MaxIdle == nil || !app.Managed {
		return "never"
	}
	return "after " + brief(app.MaxIdle.Duration()) + " without use"
}

func usualText(app client.App) string {
	if app.UsualWake == nil {
		return ""
	}
	return "about " + took(*app.UsualWake)
}

// took is how long something took: 0.8 s, 12 s.
func took(s client.Seconds) string {
	if d := s.Duration(); d >= 10*time.Second {
		return brief(d)
	}
	return fmt.Sprintf("%.1f s", float64(s))
}

func memoryText(app client.App) string {
	if app.Memory == nil {
		return ""
	}
	return humanize.IBytes(*app.Memory) + " while awake"
}

func texts(all []client.Text) []string {
	var list []string
	for _, t := range all {
		list = append(list, string(t))
	}
	return list
}

func needs(all []client.Need) []string {
	var list []string
	for _, n := range all {
		text := string(n.Name)
		if n.Condition != "" {
			text += ", " + string(n.Condition)
		}
		if n.Optional {
			text += ", optional"
		}
		if n.Missing {
			text += ": does not exist, skipped"
		}
		list = append(list, text)
	}
	return list
}

func writeList(out io.Writer, title string, list []string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", title)
	for _, line := range list {
		fmt.Fprintf(out, "  %s\n", line)
	}
}

func writeWakes(out io.Writer, wakes []client.Wake, now time.Time) {
	var list []string
	for _, w := range wakes[:min(wakesShown, len(wakes))] {
		line := fmt.Sprintf("%s: %s after %s", past(w.At, now), w.Outcome, took(w.Took))
		if w.Reason != "" {
			line += ": " + string(w.Reason)
		}
		list = append(list, line)
	}
	writeList(out, "last wakes", list)
}

// fromThen is from when on something may be; empty if it may be now.
func fromThen(t, now time.Time) string {
	if !t.After(now) {
		return ""
	}
	return " from " + moment(t, now) + " on"
}

func writeFailure(out io.Writer, f *client.Failure, now time.Time) {
	if f == nil {
		return
	}
	fmt.Fprintf(out, "\nfailed %s\n  %s\n", past(f.At, now), cmp.Or(f.Reason, f.Kind))
	if f.ExitCode != nil {
		fmt.Fprintf(out, "  exit code %d\n", *f.ExitCode)
	}
	if f.RetryAt != nil {
		fmt.Fprintf(out, "  a request may start it again%s; paastis retry does it at once\n", fromThen(*f.RetryAt, now))
	}
	writeList(out, "its last lines", texts(f.Logs))
}
