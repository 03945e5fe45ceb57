package config

import (
	"reflect"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
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
		Prices:      l.Prices,
	}
}

// properties are the values of those fields that are properties of apps, by key.
func (c *Config) properties() map[string]*string {
	all := map[string]*string{}
	fields := reflect.ValueOf(c).Elem()
	for i := range fields.NumField() {
		key := fields.Type().Field(i).Tag.Get("yaml")
		if _, global := rules.GlobalDefault(key); !global {
			continue
		}
		if value, is := fields.Field(i).Addr().Interface().(*string); is {
			all[key] = value
		}
	}
	return all
}
