package command

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/paastis/paastis/client"
)

// pin keeps an app from sleeping.
func (r remote) pin(ctx context.Context, a arguments) (client.Reply[client.App], error) {
	if text, ok := a.own["--for"]; ok {
		d, _ := parseFor(text) // validated
		return r.PinFor(ctx, a.operand, d)
	}
	until, _ := parseUntil(a.own["--until"], time.Now()) // validated
	return r.Pin(ctx, a.operand, until)
}

// checkPin tells whether a pin has one end.
func (a arguments) checkPin(now time.Time) error {
	length, hasLength := a.own["--for"]
	end, hasEnd := a.own["--until"]
	var err error
	switch {
	case hasLength == hasEnd:
		return errors.New("pin: needs --for 2h or --until 18:00, one of both")
	case hasLength:
		_, err = parseFor(length)
	default:
		_, err = parseUntil(end, now)
	}
	return err
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
