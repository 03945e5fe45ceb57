package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/traefik/paerser/env"
	"github.com/traefik/paerser/flag"
	"github.com/traefik/paerser/types"
	"gopkg.in/yaml.v3"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/server"
	"github.com/paastis/paastis/traefik"
)

// configFiles are where the configuration is looked for when --config names none.
var configFiles = []string{"paastis.yml", "/etc/paastis/paastis.yml"}

// Config is the configuration: defaults, then paastis.yml, then PAASTIS_* variables,
// then flags. Each of its values has one key in all of them (see settings).
type Config struct {
	Listen        string         `yaml:"listen" description:"Address to listen on"`
	Log           LogConfig      `yaml:"log"`
	Provider      string         `yaml:"provider" description:"What runs the apps: docker"`
	AuditInterval types.Duration `yaml:"audit_interval" description:"Time between two looks at everything, in case an event was lost"`
	Traefik       TraefikConfig  `yaml:"traefik"`
	NeverWake     NeverWake      `yaml:"never_wake"`

	// Defaults of the apps' properties; package rules reads them.
	MaxIdleTime  string `yaml:"max_idle_time" description:"How long an unused app stays awake: 30m, 2h, never; a bare number is minutes"`
	HoldTimeout  string `yaml:"hold_timeout" description:"How long a program's request waits for its app; 25s at most"`
	StartTimeout string `yaml:"start_timeout" description:"How long a wake may take before it counts as failed"`
	StopMethod   string `yaml:"stop_method" description:"How an app is put to sleep: stop or pause"`
	Probe        string `yaml:"probe" description:"How to find out that an app answers: auto, none, tcp:PORT, http:PORT/PATH"`
}

// LogConfig says what is logged.
type LogConfig struct {
	Level  string `yaml:"level" description:"Least level that is logged: debug, info, warn, error"`
	Format string `yaml:"format" description:"Format of the log: text or json"`
}

// TraefikConfig is what Paastis has to know of Traefik's own configuration.
type TraefikConfig struct {
	Middleware  string         `yaml:"middleware" description:"Name of the ForwardAuth middleware that asks Paastis, without its provider"`
	Throttle    types.Duration `yaml:"throttle" description:"Traefik's providersThrottleDuration"`
	DefaultRule string         `yaml:"default_rule" description:"Traefik's defaultRule, if it has one"`
}

// NeverWake is who may look at an app without waking it. A list replaces its default.
type NeverWake struct {
	UserAgents []string `yaml:"user_agents" description:"Parts of user agents that never wake an app"`
	Paths      []string `yaml:"paths" description:"Paths that never wake an app; * stands for anything but a slash"`
	Methods    []string `yaml:"methods" description:"Methods that never wake an app"`
	Sources    []string `yaml:"sources" description:"Addresses and CIDR ranges that never wake an app"`
	Prefetch   bool     `yaml:"prefetch" description:"Requests that a browser makes ahead never wake an app"`
}

// Loaded is a configuration that is whole and valid.
type Loaded struct {
	Config
	// File it was read from. Empty: none was found, which is fine.
	File string
	// Rules of that file.
	Rules *rules.Set
	// Defaults of the apps' properties, with the origin of each.
	Defaults rules.Resolved
	// Origins of the settings that are not defaults, by key.
	Origins map[string]string

	environ []string          // for the next reload
	flags   map[string]string // likewise
}

func defaultConfig() Config {
	never := server.DefaultNeverWake()
	return Config{
		Listen:        ":3000",
		Log:           LogConfig{Level: "info", Format: "text"},
		Provider:      "docker",
		AuditInterval: types.Duration(time.Minute),
		Traefik:       TraefikConfig{Middleware: "paastis", Throttle: types.Duration(2 * time.Second)},
		NeverWake: NeverWake{
			UserAgents: never.UserAgents, Paths: never.Paths, Methods: never.Methods, Prefetch: never.Prefetch,
		},
		MaxIdleTime:  "15m",
		HoldTimeout:  "25s",
		StartTimeout: "5m",
		StopMethod:   "stop",
		Probe:        "auto",
	}
}

// loadConfig lays the configuration together. file is what --config says; empty: the
// first of configFiles that exists. flags are canonical (see parseArgs). All faults are
// reported, a line each.
func loadConfig(file string, environ []string, flags map[string]string) (Loaded, error) {
	l := Loaded{Config: defaultConfig(), Origins: map[string]string{}, environ: environ, flags: flags}
	var err error
	if l.File, err = findFile(file); err != nil {
		return l, err
	}
	faults := []error{l.readFile(), l.readEnv(environ), l.readFlags(flags)}
	if err := errors.Join(faults...); err != nil {
		return l, err
	}
	return l, l.validate()
}

// findFile is the file to read. Empty if none was asked for and none is there.
func findFile(asked string) (string, error) {
	if asked != "" {
		if _, err := os.Stat(asked); err != nil {
			return "", fmt.Errorf("%s: %w; --config must name a file", asked, reason(err))
		}
		return asked, nil
	}
	for _, f := range configFiles {
		if _, err := os.Stat(f); err == nil {
			return f, nil
		}
	}
	return "", nil
}

// document is paastis.yml as it is written.
type document struct {
	Config `yaml:",inline"`
	Rules  yaml.Node `yaml:"rules"`
	Ignore yaml.Node `yaml:"ignore"`
}

func (l *Loaded) readFile() error {
	if l.File == "" {
		return nil
	}
	data, err := os.ReadFile(l.File)
	if err != nil {
		return fmt.Errorf("%s: %w; Paastis must be allowed to read it", l.File, reason(err))
	}
	return l.parseFile(data)
}

func (l *Loaded) parseFile(data []byte) error {
	name := filepath.Base(l.File)
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return yamlFaults(name, err)
	}
	if root.Kind == 0 {
		return nil // an empty file
	}
	doc := document{Config: l.Config}
	faults := []error{l.checkKeys(name, root.Content[0], "")}
	if err := root.Decode(&doc); err != nil {
		faults = append(faults, yamlFaults(name, err))
	}
	var err error
	l.Rules, err = rules.Parse(name, &doc.Rules, &doc.Ignore)
	l.Config = doc.Config
	return errors.Join(append(faults, err)...)
}

// checkKeys reports the keys that are unknown or given twice, and notes where the
// others were set.
func (l *Loaded) checkKeys(file string, node *yaml.Node, prefix string) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: expected keys such as max_idle_time or rules", file, node.Line)
	}
	var faults []error
	known := append(settingKeys(), "rules", "ignore")
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		path := prefix + key.Value
		switch {
		case slices.Contains(known, path):
			l.Origins[path] = fmt.Sprintf("%s:%d", file, key.Line)
		case slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(k, path+".") }):
			faults = append(faults, l.checkKeys(file, value, path+"."))
		default:
			faults = append(faults, fmt.Errorf("%s:%d: unknown key %q%s", file, key.Line, path, didYouMean(path, known)))
		}
	}
	return errors.Join(faults...)
}

// readEnv lays PAASTIS_* variables over the configuration, those ending in _FILE by
// what their file holds.
func (l *Loaded) readEnv(environ []string) error {
	var faults []error
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, envPrefix) {
			continue
		}
		s, value, err := readVariable(name, value)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		l.Origins[s.Key] = name
		canonical := envPrefix + strings.ReplaceAll(strings.ToUpper(s.Path), ".", "_") + "=" + value
		if err := env.Decode([]string{canonical}, envPrefix, &l.Config); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, trimPaerser(err)))
		}
	}
	return errors.Join(faults...)
}

// readVariable finds the setting of a variable, and its value.
func readVariable(name, value string) (setting, string, error) {
	all := settings()
	if s, ok := settingBy(all, func(s setting) bool { return s.Env == name }); ok {
		return s, value, nil
	}
	base, isFile := strings.CutSuffix(name, "_FILE")
	if s, ok := settingBy(all, func(s setting) bool { return s.Env == base }); ok && isFile {
		data, err := os.ReadFile(value)
		if err != nil {
			return s, "", fmt.Errorf("%s: %s: %w", name, value, reason(err))
		}
		return s, strings.TrimSpace(string(data)), nil
	}
	var known []string
	for _, s := range all {
		known = append(known, s.Env)
	}
	return setting{}, "", fmt.Errorf("%s: unknown variable%s", name, didYouMean(name, known))
}

// readFlags lays flags over the configuration.
func (l *Loaded) readFlags(flags map[string]string) error {
	var faults []error
	for _, s := range settings() {
		value, ok := flags[s.Flag]
		if !ok {
			continue
		}
		l.Origins[s.Key] = s.Flag
		if err := flag.Decode([]string{"--" + s.Path + "=" + value}, &l.Config); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", s.Flag, trimPaerser(err)))
		}
	}
	return errors.Join(faults...)
}

// validate checks what the types do not, and makes the defaults of the apps.
func (l *Loaded) validate() error {
	l.Defaults = rules.Defaults()
	var faults []error
	fault := func(key, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s: %s: %s", cmp.Or(l.Origins[key], "default"), key, fmt.Sprintf(format, args...)))
	}
	for key, value := range l.properties() {
		if l.Origins[key] == "" {
			continue
		}
		if err := l.Defaults.SetGlobal(key, value, l.Origins[key]); err != nil {
			fault(key, "%v", err)
		}
	}
	if _, _, err := net.SplitHostPort(l.Listen); err != nil {
		fault("listen", "%q is no address; write HOST:PORT or :PORT", l.Listen)
	}
	if l.Provider != "docker" {
		fault("provider", "%q is unknown; known: docker", l.Provider)
	}
	if err := new(slog.Level).UnmarshalText([]byte(l.Log.Level)); err != nil {
		fault("log.level", "%q is unknown; known: debug, info, warn, error", l.Log.Level)
	}
	if l.Log.Format != "text" && l.Log.Format != "json" {
		fault("log.format", "%q is unknown; known: text, json", l.Log.Format)
	}
	if l.AuditInterval <= 0 {
		fault("audit_interval", "must be more than 0")
	}
	if l.Traefik.Throttle < 0 {
		fault("traefik.throttle", "must not be negative")
	}
	if _, err := l.Traefik.rule(); err != nil {
		fault("traefik.default_rule", "%v", err)
	}
	if _, err := l.classifier(); err != nil {
		fault("never_wake", "%v", err)
	}
	return errors.Join(faults...)
}

// properties are the settings that package rules reads, by key.
func (c Config) properties() map[string]string {
	return map[string]string{
		"max_idle_time": c.MaxIdleTime,
		"hold_timeout":  c.HoldTimeout,
		"start_timeout": c.StartTimeout,
		"stop_method":   c.StopMethod,
		"probe":         c.Probe,
	}
}

// registrySettings are what names, rules and labels are read with.
func (l Loaded) registrySettings() registry.Settings {
	rule, _ := l.Traefik.rule()
	return registry.Settings{
		Rules:       l.Rules,
		Defaults:    l.Defaults,
		Middleware:  l.Traefik.Middleware,
		Throttle:    time.Duration(l.Traefik.Throttle),
		DefaultRule: rule,
	}
}

func (n NeverWake) equal(m NeverWake) bool {
	return slices.Equal(n.UserAgents, m.UserAgents) && slices.Equal(n.Paths, m.Paths) &&
		slices.Equal(n.Methods, m.Methods) && slices.Equal(n.Sources, m.Sources) && n.Prefetch == m.Prefetch
}

func (t TraefikConfig) rule() (*template.Template, error) {
	if t.DefaultRule == "" {
		return nil, nil
	}
	return traefik.ParseDefaultRule(t.DefaultRule)
}

func (c Config) classifier() (server.Classifier, error) {
	never := server.NeverWake{
		UserAgents: c.NeverWake.UserAgents,
		Paths:      c.NeverWake.Paths,
		Methods:    c.NeverWake.Methods,
		Prefetch:   c.NeverWake.Prefetch,
	}
	for _, source := range c.NeverWake.Sources {
		prefix, err := parseSource(source)
		if err != nil {
			return server.Classifier{}, err
		}
		never.Sources = append(never.Sources, prefix)
	}
	return server.NewClassifier(never)
}

// parseSource reads an address or a CIDR range.
func parseSource(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return prefix, fmt.Errorf("sources: %q is neither an address nor a range such as 10.0.0.0/8", s)
	}
	return prefix, nil
}

// yamlFaults gives every line of a YAML error its file and line.
func yamlFaults(file string, err error) error {
	var typed *yaml.TypeError
	lines := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	if errors.As(err, &typed) {
		lines = typed.Errors
	}
	var faults []error
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "line "); ok {
			number, what, _ := strings.Cut(rest, ": ")
			faults = append(faults, fmt.Errorf("%s:%s: %s", file, number, what))
			continue
		}
		faults = append(faults, fmt.Errorf("%s: %s", file, line))
	}
	return errors.Join(faults...)
}

// trimPaerser cuts a paerser error down to what is wrong with the value.
func trimPaerser(err error) error {
	text := err.Error()
	if i := strings.LastIndex(text, "invalid "); i >= 0 {
		text = text[i:]
	}
	return errors.New(strings.TrimPrefix(text, "time: "))
}

// reason is what the operating system says, without the operation and the path.
func reason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func didYouMean(word string, known []string) string {
	if near := rules.Nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; paastis --help lists the known ones"
}
