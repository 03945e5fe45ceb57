package config

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/paastis/paastis/prices"
	"github.com/paastis/paastis/providers"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/server/admin"
)

// validation checks what the types do not, and makes of the layers what is kept instead of them.
type validation struct {
	layers
	faults []error

	prices        prices.Table   // Loaded.Prices
	defaults      rules.Resolved // Loaded.Defaults
	token         admin.Sum      // Loaded.AdminToken
	tokenWeakness string         // Loaded.TokenWeakness
}

// faulter takes a fault of a setting.
type faulter func(key, format string, args ...any)

// validate reports all faults, a line each.
func (v *validation) validate() error {
	v.setDefaults()
	v.validateAddresses()
	v.validateThemes()
	v.Admin.validate(v.fault)
	v.token, v.tokenWeakness = v.Admin.sum(v.fault)
	v.validateProviders()
	v.setPrices()
	v.validateLog()
	v.validateAudit()
	v.Traefik.validate(v.fault)
	v.validateVisitors()
	return errors.Join(v.faults...)
}

// fault is a faulter.
func (v *validation) fault(key, format string, args ...any) {
	v.faults = append(v.faults, fmt.Errorf("%s: %s: %s", v.Origins.of(key), key, fmt.Sprintf(format, args...)))
}

// setDefaults makes the defaults of the apps' properties.
func (v *validation) setDefaults() {
	v.defaults = rules.Defaults()
	for key, value := range v.properties() {
		if v.Origins[key] == "" {
			continue
		}
		if err := v.defaults.SetGlobal(key, *value, v.Origins[key]); err != nil {
			v.fault(key, "%v", err)
		}
	}
}

func (v *validation) validateAddresses() {
	if !isAddress(v.Listen) {
		v.fault("listen", noAddress, v.Listen)
	}
	if v.ListenTLS != "" && !isAddress(v.ListenTLS) {
		v.fault("listen_tls", noAddress, v.ListenTLS)
	}
	if (v.TLS.Cert == "") != (v.TLS.Key == "") {
		v.fault("tls", "tls.cert and tls.key belong together; give both or none")
	}
}

func (v *validation) validateThemes() {
	if info, err := os.Stat(v.ThemeDir); v.ThemeDir != "" && (err != nil || !info.IsDir()) {
		v.fault("theme_dir", "%q is no folder that can be read; make one, with a folder for each theme", v.ThemeDir)
	}
	if !isLoopback(v.ThemePreview) {
		v.fault("theme_preview", "%q is no address of this machine alone; write one such as 127.0.0.1:8092", v.ThemePreview)
	}
}

// validateProviders wants what runs the apps said in one place, and all that it needs.
func (v *validation) validateProviders() {
	listed := len(v.Providers) > 0
	if listed && v.Origins["provider"] != "" {
		v.fault("provider", listedAlready, v.Origins["providers"])
	}
	for _, kind := range providers.Types() {
		switch key := v.sectionSaid(kind); {
		case key == "":
		case listed:
			v.fault(key, listedAlready, v.Origins["providers"])
		case kind != v.Provider:
			v.fault(key, "left out, for provider is %s (%s); write provider: %s, or list both in providers", v.Provider, v.Origins.of("provider"), kind)
		}
	}
	if !providers.IsKnown(v.Provider) {
		v.fault("provider", "%q is unknown; known: %s", v.Provider, providers.Known())
		return
	}
	if !listed {
		v.validateProvider()
	}
}

// listedAlready is the fault of a key that says of one provider what a list says of several.
const listedAlready = "left out, for providers (%s) says what runs the apps; say it there"

// validateProvider wants what the section of the one provider has to say.
func (v *validation) validateProvider() {
	key, err := v.spec().Validate()
	if err == nil {
		return
	}
	origin := v.Origins.of(v.Provider + "." + key)
	for _, near := range []string{v.Provider, "provider"} { // where one would say it
		if origin == byDefault {
			origin = v.Origins.of(near)
		}
	}
	v.faults = append(v.faults, fmt.Errorf("%s: %s: %w", origin, v.Provider, err))
}

// setPrices makes the prices of what the providers run.
func (v *validation) setPrices() {
	types := map[string]string{}
	for _, p := range v.Providers {
		types[p.Name] = p.Type
	}
	if len(v.Providers) == 0 {
		types[v.Provider] = v.Provider
	}
	table, err := v.Prices.Table(types, providers.IsKnown)
	v.prices = table
	v.faults = append(v.faults, err)
}

func (v *validation) validateLog() {
	if err := new(slog.Level).UnmarshalText([]byte(v.Log.Level)); err != nil {
		v.fault("log.level", "%q is unknown; known: debug, info, warn, error", v.Log.Level)
	}
	if v.Log.Format != "text" && v.Log.Format != "json" {
		v.fault("log.format", "%q is unknown; known: text, json", v.Log.Format)
	}
}

func (v *validation) validateAudit() {
	if v.AuditInterval <= 0 {
		v.fault("audit_interval", "must be more than 0")
	}
}

// validateVisitors checks who may wake apps, and how many, and who may get the routes.
func (v *validation) validateVisitors() {
	if _, err := v.Classifier(); err != nil {
		v.fault("never_wake", "%v", err)
	}
	if _, err := v.Traefik.Sources(); err != nil {
		v.fault("traefik.config_sources", "%v", err)
	}
	if v.WakeLimit < 0 {
		v.fault("wake_limit", "must not be negative")
	}
}
