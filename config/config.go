// Package config is what Paastis is told:
//
//	defaults → paastis.yml → PAASTIS_* variables → flags → validated
//
// What none of them says may be said by variables of the original Paastis: see original.
//
// Later wins. Each value has one key in all of them (see Settings). paastis.yml is read again
// whenever it changes.
//
// A new setting goes to these places:
//
//	config.go       a field of Config, with key and description, and its value in Default
//	validate.go     what its type does not check
//	reload.go       needsRestart, if a change of it is not in force at once
//	../paastis.yml  the reference, which a test compares with Default
//	make docs       writes docs/settings.md
//
// Flag, variable and help follow from the field. A new property of apps is an entry of
// ../rules/property.go, with its default, and a field of ../rules/properties.go. If it has a value
// for all apps, too, it is also a field of Config with the same key, and a line of paastis.yml.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/traefik/paerser/types"

	"github.com/paastis/paastis/prices"
	"github.com/paastis/paastis/providers"
	"github.com/paastis/paastis/providers/clevercloud"
	"github.com/paastis/paastis/providers/heroku"
	"github.com/paastis/paastis/providers/scalingo"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/server"
	"github.com/paastis/paastis/server/admin"
)

// Files are where the configuration is looked for when --config names none.
func Files() []string { return []string{"paastis.yml", "/etc/paastis/paastis.yml"} }

// Config is the configuration: defaults, then paastis.yml, then PAASTIS_* variables,
// then flags. Each of its values has one key in all of them (see Settings).
type Config struct {
	Listen        string               `yaml:"listen" description:"Address to listen on"`
	ListenTLS     string               `yaml:"listen_tls" description:"Address to listen on with TLS, which spares Traefik connections"`
	TLS           TLS                  `yaml:"tls"`
	Log           Log                  `yaml:"log"`
	Provider      string               `yaml:"provider" description:"What runs the apps: docker, scalingo, heroku, clevercloud"`
	AuditInterval types.Duration       `yaml:"audit_interval" description:"Time between two looks at everything, in case an event was lost"`
	StateFile     string               `yaml:"state_file" description:"File in which is kept what is known of the apps' past while Paastis does not run"`
	Docker        Docker               `yaml:"docker"`
	Scalingo      scalingo.Settings    `yaml:"scalingo"`
	Heroku        heroku.Settings      `yaml:"heroku"`
	CleverCloud   clevercloud.Settings `yaml:"clevercloud"`
	Traefik       Traefik              `yaml:"traefik"`
	Admin         Admin                `yaml:"admin"`
	NeverWake     NeverWake            `yaml:"never_wake"`
	WakeLimit     int                  `yaml:"wake_limit" description:"How many apps one source address may wake in a minute; 0: any number"`
	ThemeDir      string               `yaml:"theme_dir" description:"Folder of themes of one's own, a folder each"`
	ThemePreview  string               `yaml:"theme_preview" description:"Address of theme preview, of this machine alone"`

	// Values of the apps' properties for all of them. Package rules reads them, and has their
	// defaults; see properties.
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

// Log says what is logged.
type Log struct {
	Level  string `yaml:"level" description:"Least level that is logged: debug, info, warn, error"`
	Format string `yaml:"format" description:"Format of the log: text or json"`
}

// TLS is the certificate of listen_tls.
type TLS struct {
	Cert string `yaml:"cert" description:"File of the certificate for listen_tls; none: one that Paastis signs itself"`
	Key  string `yaml:"key" description:"File of its private key"`
}

// Docker is what the environment of Docker's own command line does not say.
type Docker struct {
	Proc string `yaml:"proc" description:"Where the /proc of the engine's host is seen, to count connections exactly"`
}

// Loaded is a configuration that is whole and valid.
type Loaded struct {
	Config
	// File it was read from. Empty: none was found, which is fine.
	File string
	// Providers that it lists. Nil: there is the one of Provider; see AllProviders.
	Providers []providers.Spec
	// Rules of that file.
	Rules *rules.Set
	// Prices of that file, by the names of the providers.
	Prices prices.Table
	// Defaults of the apps' properties, with the origin of each.
	Defaults rules.Resolved
	// Origins of the settings that are not defaults.
	Origins Origins
	// Notices are what to tell who configures Paastis as the original was: a line each.
	Notices []string
	// AdminToken is the sum of what lets admins in; the token itself is not kept. The zero
	// Sum: there is none.
	AdminToken admin.Sum

	// TokenWeakness says why the token may be too easy to guess. Empty: it is not, or only
	// its sum is known.
	TokenWeakness string

	environ []string          // for the next reload
	flags   map[string]string // likewise
	token   string            // admin.token, for AdminAPI
}

// ForgetToken leaves no more of admin.token than its sum: enough for who lets admins in.
func (l *Loaded) ForgetToken() { l.token = "" }

// AllProviders are those that run the apps, in the order of the file. If one of them is called over
// the internet, authorities are trusted from now on where the system has none.
func (l Loaded) AllProviders() []providers.Spec {
	all := l.providerSpecs()
	if slices.ContainsFunc(all, providers.Spec.IsRemote) {
		trustRoots()
	}
	return all
}

func (l Loaded) providerSpecs() []providers.Spec {
	if len(l.Providers) > 0 {
		return l.Providers
	}
	return []providers.Spec{l.spec()}
}

// Default is the configuration that nobody has touched.
func Default() Config {
	never := server.DefaultNeverWake()
	c := Config{
		Listen:        ":3000",
		Log:           Log{Level: "info", Format: "text"},
		Provider:      "docker",
		AuditInterval: types.Duration(registry.DefaultAudit),
		Docker:        Docker{Proc: "/proc"},
		Traefik:       Traefik{Middleware: "paastis", Throttle: types.Duration(2 * time.Second), ExposedByDefault: true, ConfigSources: server.PrivateNetworks()},
		Admin:         Admin{Listen: "127.0.0.1:8091"},
		NeverWake: NeverWake{
			UserAgents: never.UserAgents, Paths: never.Paths, Methods: never.Methods, Prefetch: never.Prefetch,
		},
		WakeLimit:    60,
		ThemePreview: "127.0.0.1:8092",
	}
	for key, value := range c.properties() {
		*value, _ = rules.GlobalDefault(key)
	}
	return c
}

// Load lays the configuration together. file is what --config says; empty: the
// first of Files that exists. flags are values by
// Setting.Flag. All faults are reported, a line each.
func Load(file string, environ []string, flags map[string]string) (Loaded, error) {
	l := Loaded{Config: Default(), Origins: Origins{}, environ: environ, flags: flags}
	var err error
	if l.File, err = findFile(file); err != nil {
		return l, err
	}
	read, err := readLayers(l.File, environ, flags)
	l.Config, l.Providers, l.Rules, l.Origins, l.Notices = read.Config, read.Providers, read.Rules, read.Origins, read.Notices
	if err != nil {
		return l, err
	}
	v := validation{layers: read}
	err = v.validate()
	l.Prices, l.Defaults, l.AdminToken, l.TokenWeakness = v.prices, v.defaults, v.token, v.tokenWeakness
	l.token, l.Admin.Token = l.Admin.Token, ""
	return l, err
}

// findFile is the file to read. Empty if none was asked for and none is there.
func findFile(asked string) (string, error) {
	if asked != "" {
		if _, err := os.Stat(asked); err != nil {
			return "", fmt.Errorf("%s: %w; --config must name a file", asked, withoutPath(err))
		}
		return asked, nil
	}
	for _, f := range Files() {
		if _, err := os.Stat(f); err == nil {
			return f, nil
		}
	}
	return "", nil
}

// withoutPath is what the system said of a file, without the operation and the path.
func withoutPath(err error) error {
	if of := (*fs.PathError)(nil); errors.As(err, &of) {
		return of.Err
	}
	return err
}
