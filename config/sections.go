package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/paastis/paastis/providers"
)

// A section of paastis.yml says of the one provider what it needs to be told: its key is the name
// of the provider's type, and its keys are some of those that the type has in a list of
// providers. It is a field of Config that has the name of the type as its key; all of the rest
// goes by that.

// section is that of a type. The zero Value: the type has none.
func (c *Config) section(kind string) reflect.Value {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == kind && v.Field(i).Kind() == reflect.Struct {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// spec is the one provider, as its section has it.
func (c Config) spec() providers.Spec {
	s := providers.Spec{Name: c.Provider, Type: c.Provider}
	section, settings := c.section(c.Provider), s.Settings()
	if !section.IsValid() || settings == nil {
		return s
	}
	into := reflect.ValueOf(settings).Elem()
	for _, to := range reflect.VisibleFields(into.Type()) {
		for _, from := range reflect.VisibleFields(section.Type()) {
			if from.Tag.Get("yaml") == to.Tag.Get("yaml") {
				into.FieldByIndex(to.Index).Set(section.FieldByIndex(from.Index))
			}
		}
	}
	return s
}

// sectionKeys are the keys of a type's section, in full.
func (c *Config) sectionKeys(kind string) []string {
	var keys []string
	if section := c.section(kind); section.IsValid() {
		for _, field := range reflect.VisibleFields(section.Type()) {
			keys = append(keys, kind+"."+field.Tag.Get("yaml"))
		}
	}
	return keys
}

// sectionSaid is the first key of a type's section that somebody has set to something else than
// its default. Empty: there is none.
func (l *layers) sectionSaid(kind string) string {
	all := Settings()
	for _, key := range l.sectionKeys(kind) {
		s, _ := settingBy(all, func(s Setting) bool { return s.Key == key })
		_, name, _ := strings.Cut(key, ".")
		if l.Origins[key] != "" && l.sectionValue(kind, name) != s.Default {
			return key
		}
	}
	return ""
}

// sectionValue is a value of a type's section, which is a text as all of them are.
func (c *Config) sectionValue(kind, name string) string {
	section := c.section(kind)
	for _, field := range reflect.VisibleFields(section.Type()) {
		if field.Tag.Get("yaml") == name {
			return section.FieldByIndex(field.Index).String()
		}
	}
	return ""
}

// ownerOf says of which types a key that another one's section lacks is. Empty: of none.
func ownerOf(path string) string {
	section, key, dotted := strings.Cut(path, ".")
	if !dotted || !providers.IsKnown(section) {
		return ""
	}
	var of []string
	for _, kind := range providers.WithKey(key) {
		if kind != section {
			of = append(of, kind)
		}
	}
	if of == nil {
		return ""
	}
	return fmt.Sprintf("; it is a key of %s", strings.Join(of, " and "))
}
