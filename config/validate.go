package config

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/paastis/paastis/rules"
)

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
	for _, key := range []string{"provider", "docker.proc"} {
		if len(l.Providers) > 0 && l.Origins[key] != "" {
			fault(key, "left out, for providers (%s) says what runs the apps; say it there", l.Origins["providers"])
		}
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
	if _, err := l.Traefik.Rule(); err != nil {
		fault("traefik.default_rule", "%v", err)
	}
	if _, err := l.Traefik.API(); err != nil {
		fault("traefik.api_url", "%v", err)
	}
	l.validateEndpoints(fault)
	if _, err := l.Classifier(); err != nil {
		fault("never_wake", "%v", err)
	}
	if _, err := l.Traefik.Sources(); err != nil {
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

func (l *Loaded) validateThemes(fault faulter) {
	if info, err := os.Stat(l.ThemeDir); l.ThemeDir != "" && (err != nil || !info.IsDir()) {
		fault("theme_dir", "%q is no folder that can be read; make one, with a folder for each theme", l.ThemeDir)
	}
	if !isLoopback(l.ThemePreview) {
		fault("theme_preview", "%q is no address of this machine alone; write one such as 127.0.0.1:8092", l.ThemePreview)
	}
}

// origin is where a Setting, or the first that has something to say of a section of
// them, comes from.
func (l *Loaded) origin(key string) string {
	for _, k := range slices.Sorted(maps.Keys(l.Origins)) {
		if k == key || strings.HasPrefix(k, key+".") {
			return l.Origins[k]
		}
	}
	return "default"
}
