package config

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/paastis/paastis/rules"
)

const settingsDocument = "../docs/settings.md"

// settingsIntroduction is what the document says before its tables.
const settingsIntroduction = `# Settings
<!-- Written by "make docs" from the settings' own descriptions. Do not edit it by hand. -->

A later one wins: default, ` + "`paastis.yml`" + `, variable, flag. For one app the rules come after
that, then its label. A variable that ends in ` + "`_FILE`" + ` names a file with the value, such as
` + "`PAASTIS_ADMIN_TOKEN_FILE`" + `. [paastis.yml](../paastis.yml) is the commented reference.
`

// platformNote is what is said of each platform.
const platformNote = "With `provider` of that name; the same keys stand in a list of [providers](providers.md)."

// How the tables are laid out: the sections of paastis.yml in the order in which people meet
// them. The empty one is what has no section.
var settingsSections = []struct{ prefix, title, note string }{
	{"traefik", "Traefik", "What of Traefik's own configuration Paastis has to know: [Direct mode](direct-mode.md), [Traefik](traefik.md)."},
	{"admin", "Admins", "See [Admin API](admin-api.md)."},
	{"never_wake", "Who wakes nothing", "A list replaces its default."},
	{"docker", "Docker", "`DOCKER_HOST`, `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH` and `DOCKER_API_VERSION` work as with Docker's own command line."},
	{"scalingo", "Scalingo", platformNote},
	{"heroku", "Heroku", platformNote},
	{"clevercloud", "Clever Cloud", platformNote},
	{"tls", "TLS", "The certificate of `listen_tls`."},
	{"log", "Log", ""},
	{"", "Paastis itself", ""},
}

func TestTheSettingsDocumentSaysWhatTheSettingsSay(t *testing.T) {
	want := settingsText()
	if os.Getenv("WRITE_DOCS") != "" {
		if err := os.WriteFile(settingsDocument, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(settingsDocument)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is outdated; `make docs` writes it anew", settingsDocument)
	}
}

func TestTheSettingsDocumentNamesEverySetting(t *testing.T) {
	text := settingsText()
	for _, s := range Settings() {
		for _, name := range []string{s.Key, s.Flag, s.Env} {
			if !strings.Contains(text, "`"+name+"`") {
				t.Errorf("%s does not have `%s`", settingsDocument, name)
			}
		}
	}
	for _, p := range rules.Keys() {
		if !strings.Contains(text, "`paastis."+p.Key+"`") {
			t.Errorf("%s does not have the label of %s", settingsDocument, p.Key)
		}
	}
}

// settingsText is the whole document.
func settingsText() string {
	var b strings.Builder
	b.WriteString(settingsIntroduction)
	propertiesSection(&b)
	for _, section := range settingsSections {
		var rows [][]string
		for _, s := range Settings() {
			if prefix, _, dotted := strings.Cut(s.Key, "."); section.prefix == prefix && dotted || section.prefix == "" && !dotted && !isProperty(s.Key) {
				rows = append(rows, []string{inCode(s.Key), s.Doc, inCode(s.Default), inCode(s.Flag), inCode(s.Env)})
			}
		}
		settingsSection(&b, section.title, section.note, []string{"key", "", "default", "flag", "variable"}, rows)
		if section.prefix == "traefik" {
			endpointsSection(&b)
		}
	}
	return b.String()
}

// propertiesSection writes what can be set for one app, and where all apps have a value of it.
func propertiesSection(b *strings.Builder) {
	var all, one [][]string
	for _, s := range Settings() {
		if isProperty(s.Key) {
			all = append(all, []string{inCode(s.Key), s.Doc, inCode(s.Default), inCode("paastis." + s.Key), inCode(s.Flag), inCode(s.Env)})
		}
	}
	for _, p := range rules.Keys() {
		if _, global := settingBy(Settings(), func(s Setting) bool { return s.Key == p.Key }); !global {
			one = append(one, propertyRow(p))
		}
	}
	settingsSection(b, "Apps", "For all apps by key, flag or variable; for some by a [rule](rules.md); for one by its label. A rule may write `app_max_idle_time` for `max_idle_time`.",
		[]string{"key", "", "default", "label", "flag", "variable"}, all)
	settingsSection(b, "One app", "In rules and labels alone. The label `paastis.id` is no key of rules: see [Another name](failures.md#what-others-do-to-apps).",
		[]string{"key in rules", "", "default", "label"}, one)
}

// propertyRow is a property of which all apps together have no value.
func propertyRow(p rules.Property) []string {
	labels := inCode("paastis." + p.Key)
	for _, alias := range p.Aliases {
		labels += ", " + inCode("paastis."+alias)
	}
	standard := strings.TrimSuffix(p.Text(rules.Defaults().Properties), "0m0s")
	return []string{inCode(p.Key), p.Doc, inCode(standard), labels}
}

func endpointsSection(b *strings.Builder) {
	var rows [][]string
	for _, key := range endpointKeys() {
		key = "traefik.endpoints.NAME." + key
		rows = append(rows, []string{inCode(key), inCode("--" + strings.ReplaceAll(key, "_", "-")), inCode(envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_")))})
	}
	settingsSection(b, "More Traefiks", "One that fetches its routes at `/traefik/config/NAME`: see [Direct mode](direct-mode.md#which-traefik-gets-which-route).",
		[]string{"key", "flag", "variable"}, rows)
}

func isProperty(key string) bool {
	for _, p := range rules.Keys() {
		if p.Key == key {
			return true
		}
	}
	return false
}

// settingsSection writes a section of Markdown. A bar within a cell would end it.
func settingsSection(b *strings.Builder, title, note string, columns []string, rows [][]string) {
	fmt.Fprintf(b, "\n## %s\n", title)
	if note != "" {
		fmt.Fprintf(b, "%s\n\n", note)
	}
	fmt.Fprintf(b, "| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, row := range rows {
		for i, cell := range row {
			row[i] = strings.ReplaceAll(cell, "|", `\|`)
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
}

// inCode sets a text in the type of code. An empty one stays empty.
func inCode(text string) string {
	if cmp.Or(text, "none") == "none" {
		return ""
	}
	return "`" + text + "`"
}
