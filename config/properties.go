package config

import (
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

// RegistrySettings are what names, rules and labels are read with.
func (l Loaded) RegistrySettings() inventory.Settings {
	rule, _ := l.Traefik.Rule()
	return inventory.Settings{
		Rules:       l.Rules,
		Defaults:    l.Defaults,
		Middleware:  l.Traefik.Middleware,
		Throttle:    time.Duration(l.Traefik.Throttle),
		DefaultRule: rule,
		Traefik:     l.Static(),
		Endpoints:   l.Endpoints(),
	}
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
