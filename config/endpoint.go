package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/traefik"
)

// endpointsKey is where the endpoints stand in paastis.yml.
const endpointsKey = "traefik.endpoints"

// Endpoint is what Paastis has to know of a Traefik that fetches its routes at
// /traefik/config/NAME. What is left out is as its container says, else as Traefik has it
// by default.
type Endpoint struct {
	Constraints        *string  `yaml:"constraints"`
	ExposedByDefault   *bool    `yaml:"exposed_by_default"`
	Network            string   `yaml:"network"`
	EntryPoints        []string `yaml:"entry_points"`
	DefaultEntryPoints []string `yaml:"default_entry_points"`
	// Token lets in whoever sends it. Empty: as at /traefik/config.
	Token  string `yaml:"token"`
	APIURL string `yaml:"api_url"`
}

// endpointName is what an endpoint may be called: a part of a path, and of a variable.
var endpointName = regexp.MustCompile(`^[a-z0-9]+([_-][a-z0-9]+)*$`)

// endpointKeys are the keys that an endpoint has, by the place of their fields.
func endpointKeys() []string {
	var keys []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Endpoint]()) {
		keys = append(keys, field.Tag.Get("yaml"))
	}
	return keys
}

// checkEndpoints reports the endpoints of a file that are none, and notes where the keys
// of the others were set.
func (l *layers) checkEndpoints(file string, node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: %s: expected names, with keys such as constraints", file, node.Line, endpointsKey)
	}
	var faults []error
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, keys := node.Content[i], node.Content[i+1]
		switch {
		case !endpointName.MatchString(name.Value):
			faults = append(faults, fmt.Errorf("%s:%d: %s: %q is no name: it has small letters, digits, - and _", file, name.Line, endpointsKey, name.Value))
		case keys.Kind == yaml.MappingNode:
			faults = append(faults, l.checkEndpoint(file, endpointsKey+"."+name.Value, keys))
		case keys.Tag != "!!null":
			faults = append(faults, fmt.Errorf("%s:%d: %s.%s: expected keys such as constraints", file, keys.Line, endpointsKey, name.Value))
		}
	}
	return errors.Join(faults...)
}

func (l *layers) checkEndpoint(file, prefix string, node *yaml.Node) error {
	var faults []error
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		path := prefix + "." + key.Value
		place := slices.Index(endpointKeys(), key.Value)
		if place < 0 {
			faults = append(faults, fmt.Errorf("%s:%d: unknown key %q%s", file, key.Line, path, didYouMean(key.Value, endpointKeys())))
			continue
		}
		l.Origins.note(path, fmt.Sprintf("%s:%d", file, key.Line))
		faults = append(faults, checkType(file, path, value, reflect.TypeFor[Endpoint]().Field(place).Type))
	}
	return errors.Join(faults...)
}

// readEndpointVariable lays a variable such as PAASTIS_TRAEFIK_ENDPOINTS_INSIDE_NETWORK over
// the configuration, with _FILE at its end what that file holds. It reports whether it is
// one.
func (l *layers) readEndpointVariable(variable, value string) (is bool, err error) {
	rest, is := strings.CutPrefix(variable, envPrefix+"TRAEFIK_ENDPOINTS_")
	if !is {
		return false, nil
	}
	rest, isFile := strings.CutSuffix(strings.ToLower(rest), "_file")
	key := ""
	for _, known := range endpointKeys() { // entry_points is the end of default_entry_points
		if strings.HasSuffix(rest, "_"+known) && len(known) > len(key) {
			key = known
		}
	}
	if key == "" {
		return true, fmt.Errorf("%s: unknown variable; behind the name of an endpoint stands one of %s", variable, strings.ToUpper(strings.Join(endpointKeys(), ", ")))
	}
	if isFile {
		data, err := os.ReadFile(value)
		if err != nil {
			return true, fmt.Errorf("%s: %s: %w", variable, value, withoutPath(err))
		}
		value = strings.TrimSpace(string(data))
	}
	return true, l.setEndpoint(strings.TrimSuffix(rest, "_"+key), key, value, variable)
}

// readEndpointFlags lays flags such as --traefik.endpoints.inside.network over the
// configuration.
func (l *layers) readEndpointFlags(flags map[string]string) error {
	var faults []error
	for _, flag := range slices.Sorted(maps.Keys(flags)) {
		if name, key, is := endpointFlag(flag); is {
			faults = append(faults, l.setEndpoint(name, key, flags[flag], flag))
		}
	}
	return errors.Join(faults...)
}

// endpointFlag is the endpoint and the key that a canonical flag is of; false if it is of
// none.
func endpointFlag(flag string) (name, key string, is bool) {
	rest, is := strings.CutPrefix(flag, "--"+endpointsKey+".")
	name, key, _ = strings.Cut(rest, ".")
	key = strings.ReplaceAll(key, "-", "_")
	return name, key, is && slices.Contains(endpointKeys(), key)
}

// isEndpointSwitch reports whether a flag of an endpoint takes true or false, so that it
// may stand alone.
func isEndpointSwitch(key string) bool { return key == "exposed_by_default" }

// setEndpoint sets a value of an endpoint. Variables and flags do not tell - from _ in its
// name.
func (l *layers) setEndpoint(name, key, value, origin string) error {
	if !endpointName.MatchString(name) {
		return fmt.Errorf("%s: %q is no name of an endpoint: it has small letters, digits, - and _", origin, name)
	}
	plain := func(n string) string { return strings.ReplaceAll(n, "_", "-") }
	for known := range l.Traefik.Endpoints {
		if plain(known) == plain(name) {
			name = known
		}
	}
	endpoint := l.Traefik.Endpoints[name]
	field := reflect.ValueOf(&endpoint).Elem().Field(slices.Index(endpointKeys(), key))
	if err := setText(field, value); err != nil {
		return fmt.Errorf("%s: %w", origin, err)
	}
	endpoints := maps.Clone(l.Traefik.Endpoints)
	if endpoints == nil {
		endpoints = map[string]Endpoint{}
	}
	endpoints[name] = endpoint
	l.Traefik.Endpoints = endpoints
	l.Origins.note(endpointsKey+"."+name+"."+key, origin)
	return nil
}

// setText sets a text, a list of them, or what is true or false.
func setText(field reflect.Value, value string) error {
	switch field.Interface().(type) {
	case *bool:
		is, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("invalid value %q: expected true or false", value)
		}
		field.Set(reflect.ValueOf(&is))
	case *string:
		field.Set(reflect.ValueOf(&value))
	case []string:
		field.Set(reflect.ValueOf(strings.Split(value, ",")))
	default:
		field.SetString(value)
	}
	return nil
}

// validateEndpoints checks what is said of each Traefik, the one of /traefik/config
// included.
func (t Traefik) validateEndpoints(fault faulter) {
	if _, err := traefik.ParseConstraint(t.Constraints); err != nil {
		fault("traefik.constraints", "%v", err)
	}
	if err := checkEntryPoints(t.EntryPoints); err != nil {
		fault("traefik.entry_points", "%v", err)
	}
	if err := checkDefaults(t.EntryPoints, t.DefaultEntryPoints); err != nil {
		fault("traefik.default_entry_points", "%v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Endpoints)) {
		t.Endpoints[name].validate(endpointsKey+"."+name, fault)
	}
}

// validate checks what is said at key of one Traefik.
func (e Endpoint) validate(key string, fault faulter) {
	if e.Constraints != nil {
		if _, err := traefik.ParseConstraint(*e.Constraints); err != nil {
			fault(key+".constraints", "%v", err)
		}
	}
	if err := checkEntryPoints(e.EntryPoints); err != nil {
		fault(key+".entry_points", "%v", err)
	}
	if err := checkDefaults(e.EntryPoints, e.DefaultEntryPoints); err != nil {
		fault(key+".default_entry_points", "%v", err)
	}
	if _, err := newAPI(e.APIURL); err != nil {
		fault(key+".api_url", "%v", err)
	}
}

func checkEntryPoints(all []string) error {
	for _, text := range all {
		if _, err := readEntryPoint(text); err != nil {
			return err
		}
	}
	return nil
}

// checkDefaults wants the default entry points among all of them.
func checkDefaults(all, defaults []string) error {
	for _, name := range defaults {
		if !slices.ContainsFunc(entryPoints(all, nil), func(e traefik.EntryPoint) bool { return e.Name == name }) {
			return fmt.Errorf("%q is none of entry_points; name it there too", name)
		}
	}
	return nil
}

// Static is what the settings say of the Traefik of /traefik/config. What nobody has set
// is not known.
func (l Loaded) Static() traefik.Static {
	t := l.Traefik
	set := Endpoint{Network: t.Network, EntryPoints: t.EntryPoints, DefaultEntryPoints: t.DefaultEntryPoints}
	if l.Origins["traefik.constraints"] != "" {
		set.Constraints = &t.Constraints
	}
	if l.Origins["traefik.exposed_by_default"] != "" {
		set.ExposedByDefault = &t.ExposedByDefault
	}
	return set.static()
}

// Endpoints are what the settings say of the other Traefiks, by the names of their
// endpoints.
func (l Loaded) Endpoints() map[string]traefik.Static {
	all := map[string]traefik.Static{}
	for name, e := range l.Traefik.Endpoints {
		all[name] = e.static()
	}
	return all
}

// static is what the settings say of the Traefik.
func (e Endpoint) static() traefik.Static {
	var constraints *traefik.Constraint
	if e.Constraints != nil {
		constraints, _ = traefik.ParseConstraint(*e.Constraints) // validated
	}
	return traefik.Static{
		Constraints: constraints, ExposedByDefault: e.ExposedByDefault, Network: e.Network,
		EntryPoints: entryPoints(e.EntryPoints, e.DefaultEntryPoints),
	}
}

func entryPoints(all, defaults []string) []traefik.EntryPoint {
	var read []traefik.EntryPoint
	for _, text := range all {
		e, _ := readEntryPoint(text, defaults...) // validated
		read = append(read, e)
	}
	return read
}

// readEntryPoint reads one such as "web", "web:80" or "websecure:443/tls", and whether it is among
// the defaults.
func readEntryPoint(text string, defaults ...string) (traefik.EntryPoint, error) {
	name, rest, more := strings.Cut(text, ":")
	e := traefik.EntryPoint{Name: name, AsDefault: slices.Contains(defaults, name)}
	if !more {
		return e, nil
	}
	number, tls, isTLS := strings.Cut(rest, "/")
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil || port == 0 || name == "" || isTLS && tls != "tls" {
		return e, fmt.Errorf("%q: want a name, or NAME:PORT, with /tls behind it if all its routers have TLS", text)
	}
	return traefik.EntryPoint{Name: name, AsDefault: e.AsDefault, Port: uint16(port), TLS: isTLS}, nil
}

// EndpointTokens are those that let Traefiks in, by the names of their endpoints. An empty
// one: as at /traefik/config.
func (t Traefik) EndpointTokens() map[string]string {
	tokens := map[string]string{}
	for name, e := range t.Endpoints {
		tokens[name] = e.Token
	}
	return tokens
}

// Gateways are the clients of the Traefiks' APIs, by the names of their endpoints.
func (t Traefik) Gateways() map[string]handover.Gateway {
	all := map[string]handover.Gateway{}
	for name, e := range t.Endpoints {
		if api, _ := newAPI(e.APIURL); api != nil { // validated
			all[name] = api
		}
	}
	return all
}

// endpointAPIs are the URLs of the Traefiks' APIs, by the names of their endpoints.
func (t Traefik) endpointAPIs() map[string]string {
	urls := map[string]string{}
	for name, e := range t.Endpoints {
		urls[name] = e.APIURL
	}
	return urls
}
