package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/traefik/paerser/env"
	"github.com/traefik/paerser/flag"
	"github.com/traefik/paerser/types"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/server"
	"github.com/paastis/paastis/server/admin"
	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
)

// configFiles are where the configuration is looked for when --config names none.
var configFiles = []string{"paastis.yml", "/etc/paastis/paastis.yml"}

// Config is the configuration: defaults, then paastis.yml, then PAASTIS_* variables,
// then flags. Each of its values has one key in all of them (see settings).
type Config struct {
	Listen        string         `yaml:"listen" description:"Address to listen on"`
	ListenTLS     string         `yaml:"listen_tls" description:"Address to listen on with TLS, which spares Traefik connections"`
	TLS           TLSConfig      `yaml:"tls"`
	Log           LogConfig      `yaml:"log"`
	Provider      string         `yaml:"provider" description:"What runs the apps: docker"`
	AuditInterval types.Duration `yaml:"audit_interval" description:"Time between two looks at everything, in case an event was lost"`
	StateFile     string         `yaml:"state_file" description:"File in which is kept what is known of the apps' past while Paastis does not run"`
	Docker        DockerConfig   `yaml:"docker"`
	Traefik       TraefikConfig  `yaml:"traefik"`
	Admin         AdminConfig    `yaml:"admin"`
	NeverWake     NeverWake      `yaml:"never_wake"`
	WakeLimit     int            `yaml:"wake_limit" description:"How many apps one source address may wake in a minute; 0: any number"`
	ThemeDir      string         `yaml:"theme_dir" description:"Folder of themes of one's own, a folder each"`
	ThemePreview  string         `yaml:"theme_preview" description:"Address of theme preview, of this machine alone"`

	// Defaults of the apps' properties; package rules reads them.
	MaxIdleTime       string `yaml:"max_idle_time" description:"How long an unused app stays awake: 30m, 2h, never; a bare number is minutes"`
	HoldTimeout       string `yaml:"hold_timeout" description:"How long a program's request waits for its app; 25s at most"`
	DirectHoldTimeout string `yaml:"direct_hold_timeout" description:"The same in direct mode, where Traefik limits only uploads"`
	Mode              string `yaml:"mode" description:"How requests reach apps: auto, forwardauth, direct"`
	StartTimeout      string `yaml:"start_timeout" description:"How long a wake may take before it counts as failed"`
	StopMethod        string `yaml:"stop_method" description:"How an app is put to sleep: stop or pause"`
	ManualStop        string `yaml:"manual_stop" description:"What a stop by hand means: stay, until a person wakes the app, or wake, as the next request comes"`
	Probe             string `yaml:"probe" description:"How to find out that an app answers: auto, none, tcp:PORT, http:PORT/PATH"`

	TrafficFloor        string `yaml:"traffic_floor" description:"How much an app may move within its quiet time and still be unused: 1kB, off"`
	QuietTime           string `yaml:"quiet_time" description:"For how long an app must have been quiet before it sleeps"`
	StreamQuietTime     string `yaml:"stream_quiet_time" description:"The same, once a WebSocket or an event stream was let through"`
	Unseen              string `yaml:"unseen" description:"What becomes of an app whose use cannot be seen: awake or sleep"`
	CPUFloor            string `yaml:"cpu_floor" description:"How much of a core an app may take and still be unused: 5%, off"`
	MaxConcurrentStarts string `yaml:"max_concurrent_starts" description:"How many apps may be starting at once; 0: any number"`
	ShowLogs            string `yaml:"show_logs" description:"Whether visitors may read the last log lines of an app that failed"`

	Theme       string `yaml:"theme" description:"Theme of the waiting page: plain, terminal, branded, or a folder in theme_dir"`
	BrandColor  string `yaml:"brand_color" description:"First colour of a branded waiting page: #rgb, #rrggbb or a name"`
	BrandAccent string `yaml:"brand_accent" description:"Second colour of a branded waiting page"`
	BrandLogo   string `yaml:"brand_logo" description:"Logo of a branded waiting page: data:image/…;base64,… of 360 letters at most"`
}

// DockerConfig is what the environment of Docker's own command line does not say.
type DockerConfig struct {
	Proc string `yaml:"proc" description:"Where the /proc of the engine's host is seen, to count connections exactly"`
}

// LogConfig says what is logged.
type LogConfig struct {
	Level  string `yaml:"level" description:"Least level that is logged: debug, info, warn, error"`
	Format string `yaml:"format" description:"Format of the log: text or json"`
}

// TLSConfig is the certificate of listen_tls.
type TLSConfig struct {
	Cert string `yaml:"cert" description:"File of the certificate for listen_tls; none: one that Paastis signs itself"`
	Key  string `yaml:"key" description:"File of its private key"`
}

// TraefikConfig is what Paastis has to know of Traefik's own configuration.
type TraefikConfig struct {
	Middleware  string         `yaml:"middleware" description:"Name of the ForwardAuth middleware that asks Paastis, without its provider"`
	Throttle    types.Duration `yaml:"throttle" description:"Traefik's providersThrottleDuration"`
	DefaultRule string         `yaml:"default_rule" description:"Traefik's defaultRule, if it has one"`

	Constraints        string   `yaml:"constraints" description:"The constraints of Traefik's Docker provider; none: as its container says"`
	ExposedByDefault   bool     `yaml:"exposed_by_default" description:"The exposedByDefault of Traefik's Docker provider; unless set, as its container says"`
	Network            string   `yaml:"network" description:"The network of Traefik's Docker provider; none: as its container says"`
	EntryPoints        []string `yaml:"entry_points" description:"Traefik's entry points: web:80, websecure:443/tls; none: as its container says"`
	DefaultEntryPoints []string `yaml:"default_entry_points" description:"Those of them that are asDefault; none: all"`

	// Endpoints are more Traefiks, each by what stands behind /traefik/config/ for it.
	Endpoints map[string]EndpointConfig `yaml:"endpoints"`

	APIURL        string   `yaml:"api_url" description:"URL of Traefik's API, which tells when it can reach an app: http://traefik:8080"`
	ConfigToken   string   `yaml:"config_token" description:"Whoever sends it gets /traefik/config, as ?token= or Authorization: Bearer"`
	ConfigSources []string `yaml:"config_sources" description:"Addresses and CIDR ranges that may get /traefik/config without a token"`
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
	// AdminToken is the sum of what lets admins in; the token itself is not kept. The zero
	// Sum: there is none.
	AdminToken admin.Sum

	// TokenWeakness says why the token may be too easy to guess. Empty: it is not, or only
	// its sum is known.
	TokenWeakness string

	environ []string          // for the next reload
	flags   map[string]string // likewise
	token   string            // admin.token, for the commands that ask a running Paastis
}

func defaultConfig() Config {
	never := server.DefaultNeverWake()
	return Config{
		Listen:        ":3000",
		Log:           LogConfig{Level: "info", Format: "text"},
		Provider:      "docker",
		AuditInterval: types.Duration(registry.DefaultAudit),
		Docker:        DockerConfig{Proc: "/proc"},
		Traefik:       TraefikConfig{Middleware: "paastis", Throttle: types.Duration(2 * time.Second), ExposedByDefault: true, ConfigSources: server.PrivateNetworks()},
		Admin:         AdminConfig{Listen: "127.0.0.1:8091"},
		NeverWake: NeverWake{
			UserAgents: never.UserAgents, Paths: never.Paths, Methods: never.Methods, Prefetch: never.Prefetch,
		},
		WakeLimit:    60,
		ThemePreview: "127.0.0.1:8092",

		MaxIdleTime:  "15m",
		HoldTimeout:  "25s",
		Mode:         "auto",
		StartTimeout: "5m",
		StopMethod:   "stop",
		ManualStop:   "stay",
		Probe:        "auto",

		DirectHoldTimeout: "2m",

		TrafficFloor:        "1kB",
		QuietTime:           "15s",
		StreamQuietTime:     "90s",
		Unseen:              "awake",
		CPUFloor:            "off",
		MaxConcurrentStarts: "8",
		ShowLogs:            "false",
		Theme:               "plain",
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
	l.token = l.Admin.Token
	return l, l.validate()
}

// findFile is the file to read. Empty if none was asked for and none is there.
func findFile(asked string) (string, error) {
	if asked != "" {
		if _, err := os.Stat(asked); err != nil {
			return "", fmt.Errorf("%s: %w; --config must name a file", asked, rootCause(err))
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

// readEnv lays PAASTIS_* variables over the configuration, those ending in _FILE by
// what their file holds.
func (l *Loaded) readEnv(environ []string) error {
	var faults []error
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, envPrefix) {
			continue
		}
		if is, err := l.readEndpointVariable(name, value); is {
			faults = append(faults, err)
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
			return s, "", fmt.Errorf("%s: %s: %w", name, value, rootCause(err))
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
	faults := []error{l.readEndpointFlags(flags)}
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
		faults = append(faults, fmt.Errorf("%s: %s: %s", l.origin(key), key, fmt.Sprintf(format, args...)))
	}
	for key, value := range l.properties() {
		if l.Origins[key] == "" {
			continue
		}
		if err := l.Defaults.SetGlobal(key, value, l.Origins[key]); err != nil {
			fault(key, "%v", err)
		}
	}
	l.validateAddresses(fault)
	l.validateThemes(fault)
	l.validateAdmin(fault)
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
	if _, err := l.Traefik.api(); err != nil {
		fault("traefik.api_url", "%v", err)
	}
	l.validateEndpoints(fault)
	if _, err := l.classifier(); err != nil {
		fault("never_wake", "%v", err)
	}
	if _, err := l.Traefik.sources(); err != nil {
		fault("traefik.config_sources", "%v", err)
	}
	if l.WakeLimit < 0 {
		fault("wake_limit", "must not be negative")
	}
	return errors.Join(faults...)
}

// faulter takes a fault of a setting.
type faulter func(key, format string, args ...any)

func (l *Loaded) validateAddresses(fault faulter) {
	if !isAddress(l.Listen) {
		fault("listen", noAddress, l.Listen)
	}
	if l.ListenTLS != "" && !isAddress(l.ListenTLS) {
		fault("listen_tls", noAddress, l.ListenTLS)
	}
	if (l.TLS.Cert == "") != (l.TLS.Key == "") {
		fault("tls", "tls.cert and tls.key belong together; give both or none")
	}
}

const noAddress = "%q is no address; write HOST:PORT or :PORT"

func isAddress(text string) bool {
	_, _, err := net.SplitHostPort(text)
	return err == nil
}

func (l *Loaded) validateThemes(fault faulter) {
	if info, err := os.Stat(l.ThemeDir); l.ThemeDir != "" && (err != nil || !info.IsDir()) {
		fault("theme_dir", "%q is no folder that can be read; make one, with a folder for each theme", l.ThemeDir)
	}
	if !isLoopback(l.ThemePreview) {
		fault("theme_preview", "%q is no address of this machine alone; write one such as 127.0.0.1:8092", l.ThemePreview)
	}
}

// isLoopback tells that only this machine can reach an address.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// origin is where a setting, or the first that has something to say of a section of
// them, comes from.
func (l *Loaded) origin(key string) string {
	for _, k := range slices.Sorted(maps.Keys(l.Origins)) {
		if k == key || strings.HasPrefix(k, key+".") {
			return l.Origins[k]
		}
	}
	return "default"
}

// properties are the settings that package rules reads, by key.
func (c Config) properties() map[string]string {
	return map[string]string{
		"max_idle_time": c.MaxIdleTime,
		"hold_timeout":  c.HoldTimeout,
		"mode":          c.Mode,
		"start_timeout": c.StartTimeout,
		"stop_method":   c.StopMethod,
		"manual_stop":   c.ManualStop,
		"probe":         c.Probe,

		"direct_hold_timeout":   c.DirectHoldTimeout,
		"traffic_floor":         c.TrafficFloor,
		"quiet_time":            c.QuietTime,
		"stream_quiet_time":     c.StreamQuietTime,
		"unseen":                c.Unseen,
		"cpu_floor":             c.CPUFloor,
		"max_concurrent_starts": c.MaxConcurrentStarts,
		"show_logs":             c.ShowLogs,
		"theme":                 c.Theme,
		"brand_color":           c.BrandColor,
		"brand_accent":          c.BrandAccent,
		"brand_logo":            c.BrandLogo,
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
		Traefik:     l.static(),
		Endpoints:   l.endpoints(),
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

// api is the client of Traefik's API. Nil if it has no URL.
func (t TraefikConfig) api() (*api.Client, error) { return newAPI(t.APIURL) }

// newAPI is the client of the API at a URL. Nil if that is empty.
func newAPI(rawURL string) (*api.Client, error) {
	if rawURL == "" {
		return nil, nil
	}
	if strings.HasPrefix(rawURL, "https:") {
		trustRoots()
	}
	return api.New(rawURL)
}

func (c Config) classifier() (server.Classifier, error) {
	never := server.NeverWake{
		UserAgents: c.NeverWake.UserAgents,
		Paths:      c.NeverWake.Paths,
		Methods:    c.NeverWake.Methods,
		Prefetch:   c.NeverWake.Prefetch,
	}
	var err error
	if never.Sources, err = parseSources(c.NeverWake.Sources); err != nil {
		return server.Classifier{}, fmt.Errorf("sources: %w", err)
	}
	return server.NewClassifier(never)
}

// sources are who may get the routes without a token.
func (t TraefikConfig) sources() ([]netip.Prefix, error) { return parseSources(t.ConfigSources) }

func parseSources(texts []string) ([]netip.Prefix, error) {
	var sources []netip.Prefix
	for _, text := range texts {
		source, err := parseSource(text)
		if err != nil {
			return nil, err
		}
		sources = append(sources, source)
	}
	return sources, nil
}

// parseSource reads an address or a CIDR range.
func parseSource(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return prefix, fmt.Errorf("%q is neither an address nor a range such as 10.0.0.0/8", s)
	}
	return prefix, nil
}

// trimPaerser cuts a paerser error down to what is wrong with the value.
func trimPaerser(err error) error {
	text := err.Error()
	if i := strings.LastIndex(text, "invalid "); i >= 0 {
		text = text[i:]
	}
	return errors.New(strings.TrimPrefix(text, "time: "))
}

func didYouMean(word string, known []string) string {
	if near := rules.Nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; paastis --help lists the known ones"
}
