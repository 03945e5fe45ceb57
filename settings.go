package main

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/traefik/paerser/types"
)

// envPrefix begins every variable that Paastis reads.
const envPrefix = "PAASTIS_"

// setting is one value of Config under all its names.
type setting struct {
	Key     string // in paastis.yml, with dots: traefik.throttle
	Flag    string // --traefik.throttle
	Env     string // PAASTIS_TRAEFIK_THROTTLE
	Path    string // as paerser knows it: traefik.throttle
	Default string
	Doc     string
	Type    reflect.Type
}

// settings are all values of Config, in the order of its fields.
func settings() []setting {
	return settingsOf(reflect.ValueOf(defaultConfig()), "", "")
}

func settingsOf(v reflect.Value, key, path string) []setting {
	var all []setting
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		k, p := key+field.Tag.Get("yaml"), path+strings.ToLower(field.Name)
		switch field.Type.Kind() {
		case reflect.Struct:
			all = append(all, settingsOf(value, k+".", p+".")...)
			continue
		case reflect.Map:
			continue // see EndpointConfig
		}
		all = append(all, setting{
			Key:     k,
			Flag:    "--" + strings.ReplaceAll(k, "_", "-"),
			Env:     envPrefix + strings.ToUpper(strings.ReplaceAll(k, ".", "_")),
			Path:    p,
			Default: defaultText(value),
			Doc:     field.Tag.Get("description"),
			Type:    field.Type,
		})
	}
	return all
}

func defaultText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case types.Duration:
		return x.String()
	case []string:
		if len(x) > 2 {
			return fmt.Sprintf("%s and %d more", strings.Join(x[:2], ", "), len(x)-2)
		}
		return strings.Join(x, ", ")
	default:
		return fmt.Sprint(x)
	}
}

func settingKeys() []string {
	var keys []string
	for _, s := range settings() {
		keys = append(keys, s.Key)
	}
	return keys
}

func settingBy(all []setting, is func(setting) bool) (setting, bool) {
	i := slices.IndexFunc(all, is)
	if i < 0 {
		return setting{}, false
	}
	return all[i], true
}

// settingsTable is what --help prints of them.
func settingsTable() string {
	var b strings.Builder
	for _, s := range settings() {
		fmt.Fprintf(&b, "  %-26s %s (%s)\n", s.Flag, s.Doc, cmp.Or(s.Default, "none"))
	}
	return b.String()
}
