package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/traefik/paerser/env"
	"github.com/traefik/paerser/flag"

	"github.com/paastis/paastis/prices"
	"github.com/paastis/paastis/providers"
	"github.com/paastis/paastis/rules"
)

// layers are the layers of the configuration, each laid over the one before. Only the methods of
// layers write them.
type layers struct {
	Config
	Providers []providers.Spec
	Rules     *rules.Set
	Prices    prices.Written
	Origins   Origins
	// Notices are what to tell of variables of the original Paastis, a line each.
	Notices []string
}

// readLayers reads them all, and reports every fault, a line each. file may be empty.
func readLayers(file string, environ []string, flags map[string]string) (layers, error) {
	l := layers{Config: Default(), Origins: Origins{}}
	err := errors.Join(l.readFile(file), l.readEnv(environ), l.readFlags(flags))
	l.Notices = l.readOriginal(environ)
	return l, err
}

// Origins are where settings come from that are not defaults, by key: "paastis.yml:7",
// "PAASTIS_LISTEN" or "--listen".
type Origins map[string]string

// of is where a Setting, or the first that has something to say of a section of them, comes
// from.
func (o Origins) of(key string) string {
	for _, k := range slices.Sorted(maps.Keys(o)) {
		if k == key || strings.HasPrefix(k, key+".") {
			return o[k]
		}
	}
	return byDefault
}

// byDefault is where a setting comes from of which nobody has said anything.
const byDefault = "default"

// note notes where a setting comes from.
func (o Origins) note(key, origin string) { o[key] = origin }

// readEnv lays PAASTIS_* variables over the configuration, those ending in _FILE by
// what their file holds.
func (l *layers) readEnv(environ []string) error {
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
		if err := l.set(s, value, name); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(faults...)
}

// set sets a setting to a value as a variable has it.
func (l *layers) set(s Setting, value, origin string) error {
	l.Origins.note(s.Key, origin)
	canonical := envPrefix + strings.ReplaceAll(strings.ToUpper(s.Path), ".", "_") + "=" + value
	if err := env.Decode([]string{canonical}, envPrefix, &l.Config); err != nil {
		return trimPaerser(err)
	}
	return nil
}

// readVariable finds the setting of a variable, and its value.
func readVariable(name, value string) (Setting, string, error) {
	all := Settings()
	if s, ok := settingBy(all, func(s Setting) bool { return s.Env == name }); ok {
		return s, value, nil
	}
	base, isFile := strings.CutSuffix(name, "_FILE")
	if s, ok := settingBy(all, func(s Setting) bool { return s.Env == base }); ok && isFile {
		data, err := os.ReadFile(value)
		if err != nil {
			return s, "", fmt.Errorf("%s: %s: %w", name, value, withoutPath(err))
		}
		return s, strings.TrimSpace(string(data)), nil
	}
	var known []string
	for _, s := range all {
		known = append(known, s.Env)
	}
	return Setting{}, "", fmt.Errorf("%s: unknown variable%s", name, didYouMean(name, known))
}

// readFlags lays flags over the configuration.
func (l *layers) readFlags(flags map[string]string) error {
	faults := []error{l.readEndpointFlags(flags)}
	for _, s := range Settings() {
		value, ok := flags[s.Flag]
		if !ok {
			continue
		}
		l.Origins.note(s.Key, s.Flag)
		if err := flag.Decode([]string{"--" + s.Path + "=" + value}, &l.Config); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", s.Flag, trimPaerser(err)))
		}
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

func didYouMean(word string, known []string) string {
	if near := rules.Nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; paastis --help lists the known ones"
}
