package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/traefik/paerser/types"

	"github.com/paastis/paastis/providers"
)

// envPrefix begins every variable that Paastis reads.
const envPrefix = "PAASTIS_"

// Setting is one value of Config under all its names.
type Setting struct {
	Key     string // in paastis.yml, with dots: traefik.throttle
	Flag    string // --traefik.throttle
	Env     string // PAASTIS_TRAEFIK_THROTTLE
	Path    string // as paerser knows it: traefik.throttle
	Default string
	Doc     string
	Type    reflect.Type
	IsList  bool // it is a text with commas, and may be a list in paastis.yml
}

// Settings are all values of Config, in the order of its fields. A new one is a field there: see
// the comment of the package.
func Settings() []Setting {
	return settingsOf(reflect.ValueOf(Default()), "", "")
}

func settingsOf(v reflect.Value, key, path string) []Setting {
	var all []Setting
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		k, p := key+field.Tag.Get("yaml"), path+strings.ToLower(field.Name)
		switch field.Type.Kind() {
		case reflect.Struct:
			all = append(all, settingsOf(value, k+".", p+".")...)
			continue
		case reflect.Map:
			continue // see Endpoint
		}
		all = append(all, Setting{
			Key:     k,
			Flag:    "--" + strings.ReplaceAll(k, "_", "-"),
			Env:     envPrefix + strings.ToUpper(strings.ReplaceAll(k, ".", "_")),
			Path:    p,
			Default: defaultText(value),
			Doc:     field.Tag.Get("description"),
			Type:    field.Type,
			IsList:  providers.IsList(field),
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
	for _, s := range Settings() {
		keys = append(keys, s.Key)
	}
	return keys
}

func settingBy(all []Setting, is func(Setting) bool) (Setting, bool) {
	i := slices.IndexFunc(all, is)
	if i < 0 {
		return Setting{}, false
	}
	return all[i], true
}

// FlagKind reports whether a flag such as --max-idle-time is of a setting, and whether it is a
// switch: it takes true or false, so that it may stand alone.
func FlagKind(name string) (isSwitch, known bool) {
	if _, key, is := endpointFlag(name); is {
		return isEndpointSwitch(key), true
	}
	s, ok := settingBy(Settings(), func(s Setting) bool { return s.Flag == name })
	return s.IsSwitch(), ok
}

// IsSwitch reports whether the setting takes true or false and nothing else.
func (s Setting) IsSwitch() bool {
	return s.Default == "true" || s.Default == "false"
}
