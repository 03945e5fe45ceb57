package command

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/paastis/paastis/client"
)

func (s *shell) pinCommand() *cobra.Command {
	c := s.aboutApp(newCommand("pin NAME", "keep an app from sleeping for a time (--for 2h, --until 18:00)", nil))
	c.Flags().Var(&textFlag{called: "DURATION"}, "for", "for so long: 90m, 2h, 3d")
	c.Flags().Var(&textFlag{called: "TIME"}, "until", "until then: 18:00, 2026-12-24, '2026-12-24 18:00', 2026-12-24T18:00:00+01:00")
	var end pinEnd
	ask := s.asking(c, func(ctx context.Context, r *remote) error {
		reply, err := r.pin(ctx, end)
		if err != nil {
			return err
		}
		return r.writeOrder(reply, pinText)
	})
	c.RunE = func(c *cobra.Command, words []string) (err error) {
		if end, err = pinEndOf(c.Flags(), time.Now()); err != nil { // before anybody is asked
			return wrongUse{err}
		}
		return ask(c, words)
	}
	return c
}

func (s *shell) unpinCommand() *cobra.Command {
	c := s.aboutApp(newCommand("unpin NAME", "take a pin back", nil))
	c.RunE = s.asking(c, func(ctx context.Context, r *remote) error {
		reply, err := r.Unpin(ctx, r.app)
		if err != nil {
			return err
		}
		return r.writeOrder(reply, unpinText)
	})
	return c
}

// pinEnd is when a pin ends: after a time, or if that is 0 at one.
type pinEnd struct {
	after time.Duration
	at    time.Time
}

// pin keeps the app from sleeping.
func (r remote) pin(ctx context.Context, end pinEnd) (client.Reply[client.App], error) {
	if end.after > 0 {
		return r.PinFor(ctx, r.app, end.after)
	}
	return r.Pin(ctx, r.app, end.at)
}

// pinEndOf is the one end that flags give a pin.
func pinEndOf(flags *pflag.FlagSet, now time.Time) (end pinEnd, err error) {
	after, at := flags.Lookup("for"), flags.Lookup("until")
	switch {
	case after.Changed == at.Changed:
		return end, errors.New("pin: needs --for 2h or --until 18:00, one of both")
	case after.Changed:
		end.after, err = parseFor(after.Value.String())
	default:
		end.at, err = parseUntil(at.Value.String(), now)
	}
	return end, err
}

func pinText(app client.App, now time.Time) string {
	return fmt.Sprintf("%s is pinned until %s", app.Name, textOr(future, app.PinnedUntil, now))
}

func unpinText(app client.App, now time.Time) string {
	text := fmt.Sprintf("%s is not pinned: it is %s", app.Name, app.State)
	if app.NextStop != nil {
		text += ", and sleeps " + ahead(*app.NextStop, now) + " if nobody comes"
	}
	return text
}

// parseFor reads a duration; beyond time.ParseDuration's units it knows days.
func parseFor(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n float64
		n, err = strconv.ParseFloat(days, 64)
		d = time.Duration(n * 24 * float64(time.Hour))
	}
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("--for: %q is no duration; write one such as 90m, 2h or 3d", client.Clean(text))
	}
	return d, nil
}

// untilLayouts are the ways to write an end, those without a zone by the clock of this
// machine.
var untilLayouts = []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly}

// parseUntil reads a time to come. One without a date is the next one of the clock.
func parseUntil(text string, now time.Time) (time.Time, error) {
	now = now.Local()
	if t, err := time.ParseInLocation("15:04", text, time.Local); err == nil {
		until := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, time.Local)
		if !until.After(now) {
			until = until.AddDate(0, 0, 1)
		}
		return until, nil
	}
	for _, layout := range untilLayouts {
		until, err := time.ParseInLocation(layout, text, time.Local)
		if err != nil {
			continue
		}
		if !until.After(now) {
			return until, fmt.Errorf("--until: %s is over", client.Clean(text))
		}
		return until, nil
	}
	return time.Time{}, fmt.Errorf("--until: %q is no time; write one such as 18:00, 2026-12-24 or 2026-12-24T18:00:00+01:00", client.Clean(text))
}
