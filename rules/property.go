package rules

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// maxHold is the longest that a request may be held: Traefik gives up after 30 s.
const maxHold = 25 * time.Second

// Property is one setting of an app: a key in rules, and the label paastis.<key>.
type Property struct {
	// Key in rules and labels.
	Key string
	// Aliases are other keys with the same meaning.
	Aliases []string
	// Doc is one line for people.
	Doc string

	// global tells that the property also has a value for all apps.
	global bool
	// set reads a value. Its texts go through expand.
	set func(p *Properties, value *yaml.Node, expand expander) error
	// text is the value for people; empty if there is none.
	text func(p Properties) string
}

// Text is the property's value for people. Empty: none.
func (p Property) Text(values Properties) string { return p.text(values) }

// properties is every property. A new one is an entry here and a field of Properties.
var properties = []Property{
	{
		Key: "app_name", Aliases: []string{"name"}, Doc: "name by which the app is known",
		set:  text(func(p *Properties) *string { return &p.AppName }),
		text: func(p Properties) string { return p.AppName },
	}, {
		Key: "linked_apps", Doc: "apps that are woken with it and kept awake by it",
		set:  setLinks,
		text: func(p Properties) string { return linksText(p.LinkedApps) },
	}, {
		Key: "app_group", Doc: "all apps of a group are linked to each other",
		set:  text(func(p *Properties) *string { return &p.AppGroup }),
		text: func(p Properties) string { return p.AppGroup },
	}, {
		Key: "max_idle_time", Aliases: []string{"app_max_idle_time"}, Doc: "how long it stays awake unused", global: true,
		set:  setMaxIdle,
		text: func(p Properties) string { return idleText(p.MaxIdleTime) },
	}, {
		Key: "hold_timeout", Doc: "how long a program's request waits for it", global: true,
		set:  duration(0, maxHold, func(p *Properties) *time.Duration { return &p.HoldTimeout }),
		text: func(p Properties) string { return p.HoldTimeout.String() },
	}, {
		Key: "start_timeout", Doc: "how long a wake may take", global: true,
		set:  duration(1, Never, func(p *Properties) *time.Duration { return &p.StartTimeout }),
		text: func(p Properties) string { return p.StartTimeout.String() },
	}, {
		Key: "stop_method", Doc: "how it is put to sleep", global: true,
		set:  setStopMethod,
		text: func(p Properties) string { return p.StopMethod.String() },
	}, {
		Key: "probe", Doc: "how to find out that it answers", global: true,
		set:  setProbe,
		text: func(p Properties) string { return p.Probe.String() },
	}, {
		Key: "enable", Doc: "whether Paastis manages it",
		set:  setEnable,
		text: enableText,
	},
}

// Keys are all properties, in the order in which people are told of them.
func Keys() []Property { return slices.Clone(properties) }

// Defaults are the properties of an app of which nothing is said.
func Defaults() Resolved {
	r := Resolved{
		Properties: Properties{MaxIdleTime: 15 * time.Minute, HoldTimeout: maxHold, StartTimeout: 5 * time.Minute},
		Origins:    map[string]string{},
	}
	for _, p := range properties {
		if p.global {
			r.Origins[p.Key] = "default"
		}
	}
	return r
}

// SetGlobal sets a property for all apps. The error does not repeat key and origin.
func (r *Resolved) SetGlobal(key, value, origin string) error {
	p := propertyOf(key)
	if p == nil || !p.global {
		return fmt.Errorf("%q is no setting for all apps", key)
	}
	if err := p.set(&r.Properties, scalar(value), verbatim); err != nil {
		return err
	}
	r.Origins[p.Key] = origin
	return nil
}

// propertyOf finds a property by its key or an alias. Nil: there is none.
func propertyOf(key string) *Property {
	for i := range properties {
		if p := &properties[i]; p.Key == key || slices.Contains(p.Aliases, key) {
			return p
		}
	}
	return nil
}

// labelNode is a label's value as YAML: a label can only hold text.
func labelNode(p *Property, value string) *yaml.Node {
	if p.Key == "linked_apps" {
		return labelLinks(value)
	}
	return scalar(value)
}

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

func setEnable(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	enable, err := strconv.ParseBool(strings.ToLower(text))
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", text)
	}
	p.Enable = &enable
	return nil
}

func setProbe(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	probe, err := parseProbe(text)
	if err == nil {
		p.Probe = probe
	}
	return err
}

var errProbe = errors.New("write auto, none, tcp, tcp:PORT, http:/path or http:PORT/path")

// parseProbe reads auto, none, tcp, tcp:PORT, http:/path, http:PORT/path; also with ://.
func parseProbe(text string) (Probe, error) {
	kind, rest, _ := strings.Cut(text, ":")
	rest = strings.TrimPrefix(strings.TrimPrefix(rest, "//"), ":")
	switch {
	case kind == "auto" && rest == "":
		return Probe{Kind: AutoProbe}, nil
	case kind == "none" && rest == "":
		return Probe{Kind: NoProbe}, nil
	case kind != "tcp" && kind != "http":
		return Probe{}, fmt.Errorf("%q is unknown; %w", text, errProbe)
	}
	probe := Probe{Kind: TCPProbe}
	port, path, hasPath := strings.Cut(rest, "/")
	if kind == "http" {
		probe = Probe{Kind: HTTPProbe, Path: "/" + path}
	} else if hasPath {
		return Probe{}, fmt.Errorf("%q: tcp has no path; %w", text, errProbe)
	}
	if port == "" {
		return probe, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return Probe{}, fmt.Errorf("%q: %q is no port; %w", text, port, errProbe)
	}
	probe.Port = uint16(n)
	return probe, nil
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

// String is the method as it is written in rules.
func (m StopMethod) String() string {
	if m == PauseContainer {
		return "pause"
	}
	return "stop"
}

// String is the probe as it is written in rules.
func (p Probe) String() string {
	kind := [...]string{"auto", "none", "tcp", "http"}[p.Kind]
	port := ""
	if p.Port != 0 {
		port = strconv.Itoa(int(p.Port))
	}
	if port+p.Path == "" {
		return kind
	}
	return kind + ":" + port + p.Path
}

func idleText(d time.Duration) string {
	if d == Never {
		return "never"
	}
	return d.String()
}

func enableText(p Properties) string {
	if p.Enable == nil {
		return ""
	}
	return strconv.FormatBool(*p.Enable)
}
