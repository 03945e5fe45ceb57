package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

const (
	// maxHold is the longest that a request may be held by ForwardAuth: Traefik gives up
	// after 30 s.
	maxHold = 25 * time.Second
	// maxDirectHold is the longest in direct mode, where nobody but the visitor gives up.
	maxDirectHold = time.Hour
)

// Property is one setting of an app: a key in rules, and the label paastis.<key>.
type Property struct {
	// Key in rules and labels.
	Key string
	// Aliases are other keys with the same meaning.
	Aliases []string
	// Doc is one line for people.
	Doc string
	// Default is its value where nothing else is said, as a rule would have it. Empty: the
	// zero value.
	Default string

	// global reports whether the property also has a value for all apps.
	global bool
	// set reads a value. Its texts go through expand.
	set func(p *Properties, value *yaml.Node, expand expander) error
	// text is the value for people; empty if there is none.
	text func(p Properties) string
}

// Text is the property's value for people. Empty: none.
func (p Property) Text(values Properties) string { return p.text(values) }

// properties is every property, with its default. A new one is an entry here and a field of
// Properties. One that is global is a field of config.Config as well, by the same key.
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
		Default: "15m",
		set:     setMaxIdle,
		text:    func(p Properties) string { return idleText(p.MaxIdleTime) },
	}, {
		Key: "hold_timeout", Doc: "how long a program's request waits for it", global: true,
		Default: "25s",
		set:     duration(0, maxHold, func(p *Properties) *time.Duration { return &p.HoldTimeout }),
		text:    func(p Properties) string { return p.HoldTimeout.String() },
	}, {
		Key: "mode", Doc: "how Paastis stands before it: auto, forwardauth or direct", global: true,
		Default: "auto",
		set:     setMode,
		text:    func(p Properties) string { return p.Mode.String() },
	}, {
		Key: "direct_hold_timeout", Doc: "hold_timeout in direct mode, where Traefik limits only uploads", global: true,
		Default: "2m",
		set:     duration(0, maxDirectHold, func(p *Properties) *time.Duration { return &p.DirectHoldTimeout }),
		text:    func(p Properties) string { return p.DirectHoldTimeout.String() },
	}, {
		Key: "rule", Doc: "Traefik rule of the requests that are its own in direct mode, if it has no Traefik labels",
		set:  setRule,
		text: func(p Properties) string { return p.Rule },
	}, {
		Key: "host", Doc: "hosts that are its own in direct mode, if it has no Traefik labels; {name} is its own name",
		set:  setHosts,
		text: func(p Properties) string { return strings.Join(p.Hosts, ", ") },
	}, {
		Key: "entry_points", Doc: "entry points of Traefik's for its rule or host; none: Traefik's default ones",
		set:  list(func(p *Properties) *[]string { return &p.EntryPoints }),
		text: func(p Properties) string { return strings.Join(p.EntryPoints, ", ") },
	}, {
		Key: "tls", Doc: "whether its rule or host takes HTTPS alone; without, the entry point says",
		set:  boolean(func(p *Properties, yes bool) { p.TLS = yes }),
		text: func(p Properties) string { return trueText(p.TLS) },
	}, {
		Key: "cert_resolver", Doc: "certificate resolver of Traefik's for its rule or host, which take HTTPS alone then",
		set:  text(func(p *Properties) *string { return &p.CertResolver }),
		text: func(p Properties) string { return p.CertResolver },
	}, {
		Key: "middlewares", Doc: "middlewares of Traefik's for its rule or host, such as auth@file",
		set:  list(func(p *Properties) *[]string { return &p.Middlewares }),
		text: func(p Properties) string { return strings.Join(p.Middlewares, ", ") },
	}, {
		Key: "pass_host", Doc: "whether its platform is asked for the host that the visitor asks for; without, for that of its URL there",
		set:  boolean(func(p *Properties, yes bool) { p.PassHost = yes }),
		text: func(p Properties) string { return trueText(p.PassHost) },
	}, {
		Key: "port", Doc: "port that it listens on, if neither Traefik labels nor its image tell",
		set:  setPort,
		text: func(p Properties) string { return portText(p.Port) },
	}, {
		Key: "start_timeout", Doc: "how long a wake may take", global: true,
		Default: "5m",
		set:     duration(1, Never, func(p *Properties) *time.Duration { return &p.StartTimeout }),
		text:    func(p Properties) string { return p.StartTimeout.String() },
	}, {
		Key: "job_timeout", Doc: "for how long a job, whose end another app waits for, may run",
		Default: "1h",
		set:     duration(1, Never, func(p *Properties) *time.Duration { return &p.JobTimeout }),
		text:    func(p Properties) string { return p.JobTimeout.String() },
	}, {
		Key: "stop_method", Doc: "how it is put to sleep", global: true,
		Default: "stop",
		set:     setStopMethod,
		text:    func(p Properties) string { return p.StopMethod.String() },
	}, {
		Key: "manual_stop", Doc: "what a stop by hand means: stay, until a person wakes it, or wake, as the next request comes", global: true,
		Default: "stay",
		set:     setManualStop,
		text:    func(p Properties) string { return p.ManualStop.String() },
	}, {
		Key: "probe", Doc: "how to find out that it answers", global: true,
		Default: "auto",
		set:     setProbe,
		text:    func(p Properties) string { return p.Probe.String() },
	}, {
		Key: "probe_host", Doc: "host that an HTTP probe asks for, if not that of its router",
		set:  setProbeHost,
		text: func(p Properties) string { return p.ProbeHost },
	}, {
		Key: "probe_scheme", Doc: "http or https: by what an HTTP probe says that it came, if not as its router has it",
		set:  setProbeScheme,
		text: func(p Properties) string { return p.ProbeScheme },
	}, {
		Key: "probe_status", Doc: "statuses of HTTP that are signs of life",
		Default: signsOfLife,
		set:     setProbeStatus,
		text:    func(p Properties) string { return p.ProbeStatus.String() },
	}, {
		Key: "traffic_floor", Doc: "how many bytes it may move within its quiet time and still be unused", global: true,
		Default: "1kB",
		set:     setTrafficFloor,
		text:    func(p Properties) string { return sizeText(p.TrafficFloor) },
	}, {
		Key: "quiet_time", Doc: "for how long it must have been quiet before it sleeps", global: true,
		Default: "15s",
		set:     duration(time.Second, Never, func(p *Properties) *time.Duration { return &p.QuietTime }),
		text:    func(p Properties) string { return p.QuietTime.String() },
	}, {
		Key: "stream_quiet_time", Doc: "the same, once a WebSocket or an event stream was let through", global: true,
		Default: "90s",
		set:     duration(time.Second, Never, func(p *Properties) *time.Duration { return &p.StreamQuietTime }),
		text:    func(p Properties) string { return p.StreamQuietTime.String() },
	}, {
		Key: "cpu_floor", Doc: "how much of a core it may take and still be unused", global: true,
		Default: "off",
		set:     setCPUFloor,
		text:    func(p Properties) string { return percentText(p.CPUFloor) },
	}, {
		Key: "unseen", Doc: "what becomes of it where its use cannot be seen: awake or sleep", global: true,
		Default: "awake",
		set:     setUnseen,
		text:    func(p Properties) string { return p.Unseen.String() },
	}, {
		Key: "busy", Doc: "a command in it, or a URL of it, that says whether it is busy",
		set:  setBusy,
		text: func(p Properties) string { return p.Busy.String() },
	}, {
		Key: "keep_awake", Doc: "times at which it does not sleep",
		set:  setWindows,
		text: func(p Properties) string { return windowsText(p.KeepAwake) },
	}, {
		Key: "awake_until", Doc: "a time until which it does not sleep",
		set:  setAwakeUntil,
		text: func(p Properties) string { return timeText(p.AwakeUntil) },
	}, {
		Key: "max_concurrent_starts", Doc: "how many apps may be starting at once when it starts", global: true,
		Default: "8",
		set:     setMaxStarts,
		text:    func(p Properties) string { return startsText(p.MaxConcurrentStarts) },
	}, {
		Key: "show_logs", Doc: "whether visitors may read its last log lines if it fails", global: true,
		Default: "false",
		set:     boolean(func(p *Properties, yes bool) { p.ShowLogs = yes }),
		text:    func(p Properties) string { return strconv.FormatBool(p.ShowLogs) },
	}, {
		Key: "theme", Doc: "theme of its waiting page", global: true,
		Default: "plain",
		set:     setTheme,
		text:    func(p Properties) string { return p.Theme },
	}, {
		Key: "brand_color", Doc: "first colour of a branded waiting page", global: true,
		set:  color(func(p *Properties) *string { return &p.Brand.Color }),
		text: func(p Properties) string { return p.Brand.Color },
	}, {
		Key: "brand_accent", Doc: "second colour of a branded waiting page", global: true,
		set:  color(func(p *Properties) *string { return &p.Brand.Accent }),
		text: func(p Properties) string { return p.Brand.Accent },
	}, {
		Key: "brand_logo", Doc: "logo of a branded waiting page", global: true,
		set:  setLogo,
		text: func(p Properties) string { return logoText(p.Brand.Logo) },
	}, {
		Key: "enable", Doc: "whether Paastis manages it",
		set:  boolean(func(p *Properties, yes bool) { p.Enable = &yes }),
		text: enableText,
	},
}

// Keys are all properties, in the order in which people are told of them.
func Keys() []Property { return slices.Clone(properties) }

// Defaults are the properties of an app of which nothing is said.
func Defaults() Resolved {
	r := Resolved{Origins: map[string]string{}}
	for _, p := range properties {
		if p.Default != "" {
			// It is right: a test has it that each reads as it is written.
			_ = p.set(&r.Properties, scalar(p.Default), verbatim)
		}
		if p.global {
			r.Origins[p.Key] = "default"
		}
	}
	return r
}

// GlobalDefault is the default of a property that also has a value for all apps, as a rule
// would have it. It reports whether the key is that of one.
func GlobalDefault(key string) (value string, global bool) {
	p := propertyOf(key)
	if p == nil || !p.global {
		return "", false
	}
	return p.Default, true
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
	switch p.Key {
	case "linked_apps":
		return labelLinks(value)
	case "keep_awake":
		return labelWindows(value)
	default:
		return scalar(value)
	}
}

// String is the mode as it is written in rules.
func (m Mode) String() string {
	switch m {
	case ForwardAuth:
		return "forwardauth"
	case Direct:
		return "direct"
	default:
		return "auto"
	}
}

// String is the word as it is written in rules.
func (u Unseen) String() string {
	if u == UnseenSleep {
		return "sleep"
	}
	return "awake"
}

// String is what a stop by hand means, as it is written in rules.
func (m ManualStop) String() string {
	if m == WakeStopped {
		return "wake"
	}
	return "stay"
}

// String is the method as it is written in rules.
func (m StopMethod) String() string {
	if m == PauseContainer {
		return "pause"
	}
	return "stop"
}
