package providers_test

import (
	"log/slog"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/paastis/paastis/providers"
)

func parse(t *testing.T, text string) ([]providers.Spec, error) {
	t.Helper()
	var list yaml.Node
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	return providers.Parse("paastis.yml", list.Content[0])
}

func TestEachProviderOfAListHasANameAndSettingsOfItsOwn(t *testing.T) {
	specs, err := parse(t, "- {name: here, type: docker}\n- {name: attic, type: docker, host: 'tcp://attic:2375'}")
	if err != nil {
		t.Fatal(err)
	}
	all, err := providers.Open(specs, slog.New(slog.DiscardHandler))
	if err != nil || len(all) != 2 {
		t.Fatalf("opened are %v, %v", all, err)
	}
	if all[0].ID() != "here" || all[0].TraefikProvider() != "docker" {
		t.Errorf("the first is %q, Traefik's %q", all[0].ID(), all[0].TraefikProvider())
	}
	if all[1].ID() != "attic" || all[1].TraefikProvider() != "" {
		t.Errorf("the second is %q, Traefik's %q", all[1].ID(), all[1].TraefikProvider())
	}
}

func TestFaultsInAListOfProvidersSayWhereAndWhat(t *testing.T) {
	for text, want := range map[string]string{
		"- {name: a, type: docker}\n- {name: a, type: docker}":  `paastis.yml:2: providers: two are called "a"`,
		"- name: a\n  type: docker\n  hots: unix:///x":          `paastis.yml:3: providers: unknown key "hots"; did you mean "host"?`,
		"- name: a\n  type: docker\n  host: [unix:///x]":        `paastis.yml:3: providers: host: expected a text`,
		"- {name: a, type: heroki}":                             `paastis.yml:1: providers: type "heroki" is unknown; known: docker, heroku, clevercloud`,
		"- {type: docker}":                                      `paastis.yml:1: providers: "" is no name`,
		"- {name: a/b, type: docker}":                           `paastis.yml:1: providers: "a/b" is no name`,
		"- name: a\n  type: docker\n  address: http://attic:80": `paastis.yml:3: providers: address "http://attic:80": write the host's name or its IP address, without scheme, port and path`,
		"- {name: a, type: docker, address: 'attic:80'}":        `paastis.yml:1: providers: address "attic:80": write`,
		"- name: a\n  host: gopher://x\n  type: docker":         `paastis.yml:2: providers: host "gopher://x": only unix://`,
		"- docker": `paastis.yml:1: providers: expected keys`,
		"name: a":  `paastis.yml:1: providers: expected a list`,
	} {
		if _, err := parse(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestProviderWhoseFilesAreMissingSaysWhichOneItIs(t *testing.T) {
	for settings, want := range map[string]string{
		"host: 'tcp://x:2376', tls_ca: /none/ca.pem":     `provider "attic": read tls_ca: open /none/ca.pem`,
		"host: 'tcp://x:2376', tls_cert: /none/cert.pem": `provider "attic": read tls_cert and tls_key`,
	} {
		specs, err := parse(t, "- {name: attic, type: docker, "+settings+"}")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := providers.Open(specs, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", settings, err, want)
		}
	}
}
