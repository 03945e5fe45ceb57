package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/paastis/paastis/providers"
)

// The original Paastis was told all by variables of other names (docs/from-the-original.md has
// the table). Whoever comes from it need not write them anew: they stand just above the defaults,
// below all that today's file, variables and flags say, and a line for each of them names today's
// spelling. Variables called HOST or PORT are in many a container, so none of them counts unless
// some of them can only be meant for the original.

// original reads what the original's variables say into the layers that today's have written.
type original struct {
	*layers
	values   map[string]string // :: variable → value, of those that are set to something
	said     Origins           // of today's settings
	provider string            // today's name of the type of providers that they are about
	notices  []string
}

// readOriginal takes what the original's variables say where today's say nothing. It returns a
// line for each of them.
func (l *layers) readOriginal(environ []string) (notices []string) {
	o := original{layers: l, values: originalValues(environ), said: maps.Clone(l.Origins)}
	var by string
	if o.provider, by = o.providerMeant(); o.provider == "" {
		return nil
	}
	if why := o.saidOtherwise(); why != "" {
		o.leave(why)
		return o.notices
	}
	if o.said["provider"] == "" && by != "" {
		o.Provider = o.provider
		o.Origins.note("provider", by)
	}
	for _, v := range originalVariables {
		if _, set := o.values[v.name]; set {
			o.notices = append(o.notices, v.name+" is a variable of the original Paastis: "+o.take(v))
		}
	}
	if l.Rules.IsEmpty() && originalProvider(l.Provider) != "" {
		o.notices = append(o.notices, "the original Paastis put every app of the account to sleep, and this one only those that a rule matches: there is none; see docs/from-the-original.md#rules")
	}
	return o.notices
}

// originalValues are the values of the original's variables, but of those that say nothing.
func originalValues(environ []string) map[string]string {
	values := map[string]string{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		known := slices.ContainsFunc(originalVariables, func(v originalVariable) bool { return v.name == name })
		if value = strings.TrimSpace(value); known && value != "" {
			values[name] = value
		}
	}
	return values
}

// providerMeant is the type of providers that the original's variables are about, as far as they
// tell, else today's, and the variable that says so. Empty: they are none of the original's, as
// far as can be told.
func (o *original) providerMeant() (meant, by string) {
	if name := originalProvider(o.values["PROVIDER_NAME"]); name != "" {
		return name, "PROVIDER_NAME"
	}
	for _, v := range originalVariables {
		value := o.values[v.name]
		switch {
		case value == "", v.proves == nothing, isPlaceholder(value):
		case v.proves == theOriginal:
			meant = cmp.Or(meant, o.Provider)
		case v.of == o.Provider:
			return v.of, v.name
		case by == "": // its own default was the first of them
			meant, by = v.of, v.name
		}
	}
	return meant, by
}

// saidOtherwise says that today's settings name other providers. Empty: they do not.
func (o *original) saidOtherwise() string {
	switch {
	case len(o.Providers) > 0:
		return "providers (" + o.said["providers"] + ") says what runs the apps"
	case o.said["provider"] != "" && o.Provider != o.provider:
		return fmt.Sprintf("provider is %s (%s)", o.Provider, o.said["provider"])
	default:
		return ""
	}
}

// leave tells that the variables about a provider do not count.
func (o *original) leave(why string) {
	for _, v := range originalVariables {
		if o.values[v.name] != "" && (v.of != "" || v.key == "provider") {
			o.notices = append(o.notices, fmt.Sprintf("%s is a variable of the original Paastis, and does not count: %s", v.name, why))
		}
	}
}

// take takes what a variable says, unless there is something against it, and says what became of
// it. No value is in that: it may be a secret.
func (o *original) take(v originalVariable) string {
	value := o.values[v.name]
	if v.key == "" {
		return "it has no meaning any more: " + v.says
	}
	for _, key := range append([]string{v.key}, v.unless...) {
		if origin := o.origin(key); origin != "" {
			return fmt.Sprintf("it does not count, for %s is set (%s)", key, origin)
		}
	}
	switch {
	case v.of != "" && v.of != o.provider:
		return fmt.Sprintf("it does not count, for the apps are those of %s; today it is called %s", o.provider, v.key)
	case v.of != "" && isPlaceholder(value):
		return fmt.Sprintf("it is left at what an example has, so it says nothing; today it is called %s", v.key)
	}
	if v.read != nil {
		var err error
		if value, err = v.read(o, value); err != nil {
			return fmt.Sprintf("it does not count, for %v; today it is called %s", err, v.key)
		}
	}
	if err := o.put(v.key, value, v.name); err != nil {
		return fmt.Sprintf("it does not count, for %v", err)
	}
	return fmt.Sprintf("it is taken; write %s today%s", v.key, v.alternative())
}

// origin is where today's settings say something of a key. Empty: they do not.
func (o *original) origin(key string) string {
	if key == ignoreKey && !o.Rules.Ignores() {
		return "" // an empty list
	}
	return o.said[key]
}

// put sets what has nobody set yet.
func (o *original) put(key, value, origin string) error {
	if key == ignoreKey {
		o.Rules = o.Rules.Ignoring(names(value), origin)
		o.Origins.note(key, origin)
		return nil
	}
	s, known := settingBy(Settings(), func(s Setting) bool { return s.Key == key })
	if !known {
		return errors.New("there is no " + key)
	}
	return o.set(s, value, origin)
}

// alternative is what else may be written than the key in a file.
func (v originalVariable) alternative() string {
	s, known := settingBy(Settings(), func(s Setting) bool { return s.Key == v.key })
	if !known {
		return " in paastis.yml"
	}
	return ", or " + s.Env
}

// originalProvider is today's name of a provider of the original's. Empty: it had no such.
func originalProvider(name string) string {
	name = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
	if name != "docker" && providers.IsKnown(name) {
		return name
	}
	return ""
}
