package rules

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"gopkg.in/yaml.v3"
)

// text sets a property that is a text. Empty is the same as not set.
func text(field func(*Properties) *string) func(*Properties, *yaml.Node, expander) error {
	return func(p *Properties, value *yaml.Node, expand expander) error {
		text, err := scalarText(value, expand)
		if err == nil {
			*field(p) = text
		}
		return err
	}
}

// duration sets a property that is a time between two limits; a bare number is
// seconds.
func duration(least, most time.Duration, field func(*Properties) *time.Duration) func(*Properties, *yaml.Node, expander) error {
	return func(p *Properties, value *yaml.Node, expand expander) error {
		text, err := scalarText(value, expand)
		if err != nil {
			return err
		}
		d, err := parseDuration(text, time.Second)
		switch {
		case err != nil:
			return err
		case d < least:
			return fmt.Errorf("%s is too short", text)
		case d > most:
			return fmt.Errorf("%s is too long: %s at most", text, most)
		}
		*field(p) = d
		return nil
	}
}

func setMaxIdle(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	if strings.EqualFold(text, "never") {
		p.MaxIdleTime = Never
		return nil
	}
	d, err := parseDuration(text, time.Minute)
	if err != nil {
		return fmt.Errorf("%w, or never", err)
	}
	p.MaxIdleTime = d
	return nil
}

func setManualStop(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	switch text {
	case "stay":
		p.ManualStop = StayStopped
	case "wake":
		p.ManualStop = WakeStopped
	default:
		return fmt.Errorf("%q is unknown; write stay or wake", text)
	}
	return nil
}

func setStopMethod(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	switch text {
	case "stop":
		p.StopMethod = StopContainer
	case "pause":
		p.StopMethod = PauseContainer
	default:
		return fmt.Errorf("%q is unknown; write stop or pause", text)
	}
	return nil
}

func setUnseen(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	for _, unseen := range []Unseen{UnseenAwake, UnseenSleep} {
		if text == unseen.String() {
			p.Unseen = unseen
			return nil
		}
	}
	return fmt.Errorf("%q is unknown; write awake or sleep", text)
}

func setMode(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	for _, mode := range []Mode{AutoMode, ForwardAuth, Direct} {
		if text == mode.String() {
			p.Mode = mode
			return nil
		}
	}
	return fmt.Errorf("%q is unknown; write auto, forwardauth or direct", text)
}

func setPort(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return fmt.Errorf("%q is no port; write a number from 1 to 65535", text)
	}
	p.Port = uint16(port)
	return nil
}

// boolean sets a property that is true or false.
func boolean(set func(*Properties, bool)) func(*Properties, *yaml.Node, expander) error {
	return func(p *Properties, value *yaml.Node, expand expander) error {
		text, err := scalarText(value, expand)
		if err != nil {
			return err
		}
		yes, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		set(p, yes)
		return nil
	}
}

// isOff takes the words for a floor that is not looked at.
func isOff(text string) bool {
	switch strings.ToLower(text) {
	case "off", "none", "false":
		return true
	}
	return false
}

func setTrafficFloor(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	if isOff(text) {
		p.TrafficFloor = Off
		return nil
	}
	size, err := humanize.ParseBytes(text)
	if err != nil || size >= uint64(Off) {
		return fmt.Errorf("%q is no size; write one such as 500B, 1kB or 2MB, or off", text)
	}
	p.TrafficFloor = int64(size)
	return nil
}

func setCPUFloor(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	if isOff(text) {
		p.CPUFloor = 0
		return nil
	}
	percent, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	if err != nil || !(percent > 0 && percent <= 100_000) {
		return fmt.Errorf("%q is no part of a core; write one such as 5%%, or off", text)
	}
	p.CPUFloor = percent
	return nil
}

func setAwakeUntil(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			p.AwakeUntil = t
			return nil
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			p.AwakeUntil = t
			return nil
		}
	}
	return fmt.Errorf("%q is no time; write one such as 2026-12-24T18:00:00+01:00", text)
}

func setMaxStarts(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(text)
	if isOff(text) {
		n, err = 0, nil
	}
	if err != nil || n < 0 {
		return fmt.Errorf("%q is no number of apps; write one such as 4, or 0 for any number", text)
	}
	p.MaxConcurrentStarts = n
	return nil
}

// parseDuration reads 90s, 2h, 1h30m; a bare number counts in unit.
func parseDuration(text string, unit time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if n, nerr := strconv.ParseFloat(text, 64); nerr == nil {
		if math.IsNaN(n) || math.Abs(n)*float64(unit) > float64(Never)/2 {
			return 0, fmt.Errorf("%q is too long", text)
		}
		d, err = time.Duration(n*float64(unit)), nil
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is no duration; write one such as 90s, 30m or 2h", text)
	case d < 0:
		return 0, fmt.Errorf("%q is negative; write one such as 90s, 30m or 2h", text)
	}
	return d, nil
}

func scalarText(value *yaml.Node, expand expander) (string, error) {
	value = deref(value)
	if value.Kind != yaml.ScalarNode || value.Tag == "!!null" {
		return "", errors.New("expected one value")
	}
	return expand(strings.TrimSpace(value.Value))
}

func idleText(d time.Duration) string {
	if d == Never {
		return "never"
	}
	return d.String()
}

func sizeText(bytes int64) string {
	if bytes == Off {
		return "off"
	}
	return humanize.Bytes(uint64(bytes))
}

func percentText(percent float64) string {
	if percent == 0 {
		return "off"
	}
	return strconv.FormatFloat(percent, 'f', -1, 64) + "%"
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

func startsText(n int) string {
	if n == 0 {
		return "any"
	}
	return strconv.Itoa(n)
}

func portText(port uint16) string {
	if port == 0 {
		return ""
	}
	return strconv.Itoa(int(port))
}

func enableText(p Properties) string {
	if p.Enable == nil {
		return ""
	}
	return strconv.FormatBool(*p.Enable)
}

func trueText(yes bool) string {
	if yes {
		return "true"
	}
	return ""
}
