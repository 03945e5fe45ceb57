package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/traefik"
)

const insideFile = "traefik:\n  exposed_by_default: false\n  endpoints:\n    inside:\n" +
	"      constraints: \"Label(`zone`,`in`)\"\n      entry_points: [web, admin]\n      default_entry_points: [web]\n      network: web\n"

func TestAnEndpointHasSettingsOfItsOwnFromFileVariablesAndFlags(t *testing.T) {
	token := file(t, "s3cret\n")
	l, err := Load(file(t, insideFile), []string{
		"PAASTIS_TRAEFIK_ENDPOINTS_INSIDE_TOKEN_FILE=" + token, "PAASTIS_TRAEFIK_ENDPOINTS_INSIDE_EXPOSED_BY_DEFAULT=false",
		"PAASTIS_TRAEFIK_ENDPOINTS_INSIDE_DEFAULT_ENTRY_POINTS=admin", "PAASTIS_TRAEFIK_ENDPOINTS_TWO_PARTS_NETWORK=far",
	}, map[string]string{"--traefik.endpoints.inside.network": "inner", "--traefik.endpoints.two-parts.api-url": "http://far:8080"})
	if err != nil {
		t.Fatal(err)
	}
	inside := l.RegistrySettings().Endpoints["inside"]
	labels, _ := traefik.Decode(map[string]string{"zone": "in", "traefik.enable": "true"})
	other, _ := traefik.Decode(map[string]string{"zone": "out", "traefik.enable": "true"})
	if !inside.Keeps(labels) || inside.Keeps(other) || inside.Network != "inner" {
		t.Errorf("inside: %+v", inside)
	}
	if inside.ExposedByDefault == nil || *inside.ExposedByDefault {
		t.Error("the variable does not count")
	}
	if on := inside.ListensOn(traefik.Router{}); len(on) != 1 || on[0] != "admin" {
		t.Errorf("by default routers are on %q", on)
	}
	if got := l.Traefik.EndpointTokens()["inside"]; got != "s3cret" {
		t.Errorf("token %q", got)
	}
	if far := l.Traefik.Endpoints["two_parts"]; far.Network != "far" || far.APIURL != "http://far:8080" {
		t.Errorf("variable and flag are not of one endpoint: %+v", l.Traefik.Endpoints)
	}
}

func TestWhatNobodyHasSetOfTraefikIsNotKnown(t *testing.T) {
	l, err := Load("../paastis.yml", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s := l.RegistrySettings(); !s.Traefik.Equal(traefik.Static{}) || len(s.Endpoints) > 0 {
		t.Errorf("the reference says %+v", s)
	}
	l, err = Load(file(t, "traefik: {constraints: '', exposed_by_default: true}\n"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s := l.RegistrySettings().Traefik; s.Constraints == nil || s.ExposedByDefault == nil || !*s.ExposedByDefault {
		t.Errorf("set to what is the default: %+v", s)
	}
}

func TestAFaultOfAnEndpointIsToldByItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"traefik:\n  constraints: Label(`a`)\n":                                       "paastis.yml:2: traefik.constraints: ",
		"traefik:\n  constraints: LabelRegex(`a`,`(`)\n":                              "paastis.yml:2: traefik.constraints: LabelRegex of \"a\": want a regular expression that compiles",
		"traefik:\n  endpoints: [a]\n":                                                "paastis.yml:2: traefik.endpoints: expected names, with keys such as constraints",
		"traefik:\n  endpoints:\n    In/side: {network: a}\n":                         `paastis.yml:3: traefik.endpoints: "In/side" is no name`,
		"traefik:\n  endpoints:\n    in: web\n":                                       "paastis.yml:3: traefik.endpoints.in: expected keys such as constraints",
		"traefik:\n  endpoints:\n    in:\n      netwrok: a\n":                         `paastis.yml:4: unknown key "traefik.endpoints.in.netwrok"; did you mean "network"?`,
		"traefik:\n  endpoints:\n    in:\n      exposed_by_default: no way\n":         "paastis.yml:4: traefik.endpoints.in.exposed_by_default: expected true or false",
		"traefik:\n  endpoints:\n    in:\n      constraints: Label(`a`,`b`\n":         "paastis.yml:4: traefik.endpoints.in.constraints: ",
		"traefik:\n  endpoints:\n    in:\n      api_url: traefik:8080\n":              "paastis.yml:4: traefik.endpoints.in.api_url: want http://HOST:PORT",
		"traefik:\n  endpoints:\n    in:\n      default_entry_points: [web]\n":        `paastis.yml:4: traefik.endpoints.in.default_entry_points: "web" is none of entry_points`,
		"traefik:\n  entry_points: [web]\n  default_entry_points: [web, websecure]\n": `paastis.yml:3: traefik.default_entry_points: "websecure" is none of entry_points`,
	} {
		_, err := Load(file(t, text), nil, nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
	for variable, want := range map[string]string{
		"PAASTIS_TRAEFIK_ENDPOINTS_INSIDE_NETWROK=a":            "PAASTIS_TRAEFIK_ENDPOINTS_INSIDE_NETWROK: unknown variable",
		"PAASTIS_TRAEFIK_ENDPOINTS_IN_EXPOSED_BY_DEFAULT=maybe": "PAASTIS_TRAEFIK_ENDPOINTS_IN_EXPOSED_BY_DEFAULT: invalid value \"maybe\": expected true or false",
	} {
		if _, err := Load("", []string{variable}, nil); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", variable, err)
		}
	}
	if isSwitch, known := FlagKind("--traefik.endpoints.in.exposed-by-default"); !isSwitch || !known {
		t.Error("a switch of an endpoint is none")
	}
	if _, known := FlagKind("--traefik.endpoints.in.netwrok"); known {
		t.Error("an unknown key of an endpoint is taken for a flag")
	}
}

func TestEntryPointsAreNamesOrWhatIsKnownOfThem(t *testing.T) {
	t.Parallel()
	got := entryPoints([]string{"web", "web2:80", "websecure:443/tls"}, []string{"web2"})
	want := []traefik.EntryPoint{{Name: "web"}, {Name: "web2", Port: 80, AsDefault: true}, {Name: "websecure", Port: 443, TLS: true}}
	if !slices.Equal(got, want) {
		t.Errorf("read %+v", got)
	}
	for _, text := range []string{"web:", "web:x", "web:0", ":80", "web:80/udp", "web:70000"} {
		if err := checkEntryPoints([]string{text}); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	if err := checkDefaults([]string{"web:80"}, []string{"web"}); err != nil {
		t.Error(err)
	}
}
