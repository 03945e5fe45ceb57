package config

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/rules"
)

const originalDocument = "../docs/from-the-original.md"

// originalRow is a line of the table of variables in the document.
type originalRow struct{ name, value, key, want string }

// originalRows are the lines of that table.
func originalRows(t *testing.T) []originalRow {
	t.Helper()
	text, err := os.ReadFile(originalDocument)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| variable |")
	table, _, _ = strings.Cut(table, "\n\n")
	var rows []originalRow
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cell := func(i int) string { return strings.Trim(strings.TrimSpace(cells[i]), "`") }
		row := originalRow{name: cell(1), value: cell(2)}
		row.key, row.want, _ = strings.Cut(cell(3), ": ")
		rows = append(rows, row)
	}
	return rows
}

// of makes the variables plainly the original's, with that of a row, and what it needs beside it.
func (r originalRow) of() []string {
	environ := map[string]string{
		"clevercloud": "PROVIDER_NAME=clever-cloud", "heroku": "PROVIDER_NAME=heroku", "scalingo": "PROVIDER_NAME=scalingo",
	}
	kind := "scalingo"
	switch {
	case strings.Contains(r.name, "CLEVER") || r.name == "PROVIDER_NAME":
		kind = "clevercloud"
	case strings.Contains(r.name, "HEROKU"):
		kind = "heroku"
	}
	all := []string{environ[kind], r.name + "=" + r.value}
	beside := map[string][]string{
		"scalingo":    {"PROVIDER_SCALINGO_API_TOKEN=tk-us-beside"},
		"heroku":      {"PROVIDER_HEROKU_API_TOKEN=beside"},
		"clevercloud": {"PROVIDER_CLEVER_OAUTH_CONSUMER_KEY=beside", "PROVIDER_CLEVER_OAUTH_CONSUMER_SECRET=beside", "PROVIDER_CLEVER_TOKEN=beside", "PROVIDER_CLEVER_SECRET=beside"},
	}[kind]
	beside = append(beside, "ROUTING_SYSTEM_API_ENABLED=true", "ROUTING_SYSTEM_API_TOKEN=beside-the-others")
	for _, variable := range beside {
		if name, _, _ := strings.Cut(variable, "="); name != r.name {
			all = append(all, variable)
		}
	}
	return all
}

// valueOf is what a setting has become, by its key.
func valueOf(l Loaded, key string) string {
	switch key {
	case ignoreKey:
		var all []string
		for _, name := range []string{"paastis-proxy", "www"} {
			r, _ := l.Rules.Resolve(name, rules.Defaults(), nil, "")
			_, pattern, _ := strings.Cut(r.Ignored, "ignore ")
			all = append(all, strings.Trim(pattern, "'"))
		}
		return strings.Join(all, ", ")
	case "max_idle_time":
		return strings.TrimSuffix(l.Defaults.MaxIdleTime.String(), "0s")
	case "start_timeout":
		return l.Defaults.StartTimeout.String()
	case "admin.token":
		return l.token
	}
	v := reflect.ValueOf(l.Config)
	for part := range strings.SplitSeq(key, ".") {
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("yaml") == part {
				v = v.Field(i)
				break
			}
		}
	}
	return v.String()
}

func TestEachVariableOfTheOriginalIsUnderstoodAsTheDocumentSays(t *testing.T) {
	rows := originalRows(t)
	for _, v := range originalVariables {
		if !slices.ContainsFunc(rows, func(r originalRow) bool { return r.name == v.name }) {
			t.Errorf("%s does not have %s", originalDocument, v.name)
		}
	}
	for _, row := range rows {
		l, err := Load("", row.of(), nil)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		var lines []string
		for _, line := range l.Notices {
			if strings.HasPrefix(line, row.name+" ") {
				lines = append(lines, line)
			}
		}
		if len(lines) != 1 {
			t.Errorf("%s: told by %q", row.name, lines)
			continue
		}
		if row.key == "" {
			if !strings.Contains(lines[0], "has no meaning any more") {
				t.Errorf("%s: told by %q", row.name, lines)
			}
			continue
		}
		if got := valueOf(l, row.key); got != row.want {
			t.Errorf("%s=%s: %s is %q, the document says %q", row.name, row.value, row.key, got, row.want)
		}
		if origin := l.Origins[row.key]; origin != row.name || !strings.Contains(lines[0], "write "+row.key+" today") {
			t.Errorf("%s: %s comes from %q, told by %q", row.name, row.key, origin, lines)
		}
	}
}

func TestNoValueOfTheOriginalsIsTold(t *testing.T) {
	for _, today := range []string{"", "provider: docker", "provider: heroku\nheroku: {token: a}", "max_idle_time: soon\n", "providers: [{name: a, type: docker}]"} {
		for _, row := range originalRows(t) {
			if len(row.value) < 6 {
				continue
			}
			l, err := Load(file(t, today), row.of(), nil)
			told := strings.Join(l.Notices, "\n")
			if err != nil {
				told += err.Error()
			}
			if strings.Contains(told, row.value) || strings.Contains(told, "beside-the-others") {
				t.Errorf("%s is told:\n%s", row.name, told)
			}
		}
	}
}

func TestVariablesThatAnyContainerMayHaveChangeNothing(t *testing.T) {
	for name, environ := range map[string][]string{
		"a bare port":            {"PORT=5000", "HOST=10.0.0.1", "LOGGING_LEVEL=debug", "NODE_ENV=production", "DATABASE_URL=postgresql://x", "REDIS_URL=redis://x", "REGISTRY_TYPE=redis"},
		"somebody else's name":   {"PROVIDER_NAME=openstack", "PORT=5000", "LOGGING_LEVEL=debug"},
		"Docker's":               {"PROVIDER_NAME=docker", "PORT=5000"},
		"what an example has":    {"PROVIDER_SCALINGO_API_TOKEN=tk-us-xxx", "PROVIDER_HEROKU_API_TOKEN=tk-us-xxx", "PORT=5000"},
		"nothing in them":        {"PROVIDER_NAME=", "PROVIDER_SCALINGO_API_TOKEN= ", "PORT=5000"},
		"a platform's own tools": {"PROVIDER_REGION=osc-fr1", "PROVIDER_SCALINGO_OPERATION_TIMEOUT=30", "PORT=5000"},
	} {
		l, err := Load("", environ, nil)
		if err != nil || !reflect.DeepEqual(l.Config, Default()) || l.Notices != nil || len(l.Origins) > 0 {
			t.Errorf("%s: %v, told %q, from %v", name, err, l.Notices, l.Origins)
		}
	}
}

func TestTheOriginalsProviderIsFoundByItsNameElseByItsToken(t *testing.T) {
	const scalingo, heroku = "PROVIDER_SCALINGO_API_TOKEN=a", "PROVIDER_HEROKU_API_TOKEN=b"
	for want, environ := range map[string][]string{
		"scalingo PROVIDER_NAME":               {"PROVIDER_NAME=Scalingo", heroku, scalingo},
		"heroku PROVIDER_NAME":                 {"PROVIDER_NAME=heroku", scalingo, heroku},
		"heroku PROVIDER_HEROKU_API_TOKEN":     {heroku, "PROVIDER_SCALINGO_API_TOKEN=tk-us-xxx"},
		"scalingo PROVIDER_SCALINGO_API_TOKEN": {heroku, scalingo, "PROVIDER_NAME=aws"},
		"heroku PAASTIS_PROVIDER":              {"PAASTIS_PROVIDER=heroku", heroku, scalingo},
	} {
		l, err := Load("", environ, nil)
		if got := l.Provider + " " + l.Origins["provider"]; err != nil || got != want {
			t.Errorf("%q: %q, %v", environ, got, err)
		}
		for _, kind := range []string{"scalingo", "heroku"} {
			if token := valueOf(l, kind+".token"); (token != "") != (kind == l.Provider) {
				t.Errorf("%q: the token of %s is %q", environ, kind, token)
			}
		}
	}
	_, err := Load("", []string{"PROVIDER_NAME=scalingo", "PROVIDER_SCALINGO_API_TOKEN=tk-us-xxx"}, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "PROVIDER_NAME: scalingo: token: ") {
		t.Errorf("without a token: %v", err)
	}
}

func TestTodaysOwnSettingWinsOverTheOriginalsAndThatIsTold(t *testing.T) {
	environ := []string{"PROVIDER_NAME=scalingo", "PROVIDER_SCALINGO_API_TOKEN=old", "START_AND_STOP_MAX_IDLE_TIME=90", "PORT=5000", "REGISTRY_IGNORED_APPS=a"}
	for today, c := range map[string]struct{ key, want, told string }{
		"max_idle_time: 5m":                        {"max_idle_time", "5m", "START_AND_STOP_MAX_IDLE_TIME is a variable of the original Paastis: it does not count, for max_idle_time is set (paastis.yml:1)"},
		"listen: ':80'":                            {"listen", ":80", "PORT is a variable of the original Paastis: it does not count, for listen is set (paastis.yml:1)"},
		"scalingo: {token: new}":                   {"scalingo.token", "new", "PROVIDER_SCALINGO_API_TOKEN is a variable of the original Paastis: it does not count, for scalingo.token is set (paastis.yml:1)"},
		"scalingo: {token_file: /token}":           {"scalingo.token", "", "it does not count, for scalingo.token_file is set (paastis.yml:1)"},
		"scalingo: {regions: osc-fr1}":             {"scalingo.token", "old", "PROVIDER_SCALINGO_API_TOKEN is a variable of the original Paastis: it is taken; write scalingo.token today, or PAASTIS_SCALINGO_TOKEN"},
		"ignore: [b]":                              {"ignore", ", ", "it does not count, for ignore is set (paastis.yml:1)"},
		"ignore: []":                               {"provider", "scalingo", "it is taken; write ignore today in paastis.yml"},
		"provider: docker":                         {"scalingo.token", "", "PROVIDER_SCALINGO_API_TOKEN is a variable of the original Paastis, and does not count: provider is docker (paastis.yml:1)"},
		"providers:\n- {name: here, type: docker}": {"listen", ":3000", "PROVIDER_NAME is a variable of the original Paastis, and does not count: providers (paastis.yml:1) says what runs the apps"},
		"provider: heroku\nheroku: {token: x}":     {"scalingo.token", "", "PROVIDER_NAME is a variable of the original Paastis, and does not count: provider is heroku (paastis.yml:1)"},
	} {
		l, err := Load(file(t, today), environ, nil)
		if err != nil {
			t.Errorf("%s: %v", today, err)
			continue
		}
		if told := strings.Join(l.Notices, "\n"); valueOf(l, c.key) != c.want || !strings.Contains(told, c.told) {
			t.Errorf("%s: %s is %q; told:\n%s", today, c.key, valueOf(l, c.key), told)
		}
	}
}

func TestAValueOfTheOriginalsThatMakesNoSenseIsToldAndLeftOut(t *testing.T) {
	for variable, why := range map[string]string{
		"START_AND_STOP_MAX_IDLE_TIME=soon":             "it is no number of minutes; today it is called max_idle_time",
		"START_AND_STOP_MAX_IDLE_TIME=0":                "0 was no time there, but the default",
		"PORT=http":                                     "PORT is no number of a port",
		"PORT=70000":                                    "PORT is no number of a port",
		"LOGGING_LEVEL=loud":                            "there is no such level",
		"PROVIDER_REGION=to_be_defined":                 "it is left at what an example has",
		"PROVIDER_REGION=par":                           "it is no name of a region such as osc-fr1",
		"PROVIDER_SCALINGO_OPERATION_TIMEOUT=soon":      "it is no number of seconds",
		"PROVIDER_HEROKU_OPERATION_TIMEOUT=30":          "it does not count, for the apps are those of scalingo",
		"REGISTRY_IGNORED_APPS= , ":                     "it has no name",
		"ROUTING_SYSTEM_API_ENABLED=false":              "it is not true",
		"ROUTING_SYSTEM_API_ENABLED=true":               "there is no ROUTING_SYSTEM_API_TOKEN beside it",
		"ROUTING_SYSTEM_API_TOKEN=0123456789abcdef0123": "ROUTING_SYSTEM_API_ENABLED is not true",
	} {
		want := Default()
		want.Provider, want.Scalingo.Token = "scalingo", "a"
		l, err := Load("", []string{"PROVIDER_SCALINGO_API_TOKEN=a", variable}, nil)
		if told := strings.Join(l.Notices, "\n"); err != nil || !reflect.DeepEqual(l.Config, want) || !strings.Contains(told, why) {
			t.Errorf("%s: %v, told:\n%s", variable, err, told)
		}
	}
}

func TestWhoHasNoRuleIsToldThatNothingWillSleep(t *testing.T) {
	for text, want := range map[string]bool{"": true, "rules: [{pattern: '.*'}]": false, "provider: docker": false} {
		l, err := Load(file(t, text), []string{"PROVIDER_SCALINGO_API_TOKEN=a"}, nil)
		if told := strings.Contains(strings.Join(l.Notices, "\n"), "only those that a rule matches"); err != nil || told != want {
			t.Errorf("%q: %v, %q", text, err, l.Notices)
		}
	}
}

func TestARulesFileOfTheOriginalLoads(t *testing.T) {
	l, err := Load(file(t, `
rules:
  - pattern: 'app-review-pr(\d+)-(back|front)'
    linked_apps: ['app-review-pr$1-front']
  - pattern: 'hello-fastify'
    linked_apps: ['hellofastifydeux']
  - pattern: 'hello-fastify-2'
    app_name: 'hellofastifydeux'
  - pattern: '.*fastify.*'
    app_max_idle_time: 0
`), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, warnings := l.Rules.Resolve("hello-fastify-2", rules.Defaults(), nil, "")
	if r.AppName != "hellofastifydeux" || r.MaxIdleTime != 0 || len(r.LinkedApps) != 1 || len(warnings) > 0 {
		t.Errorf("name %q, idle %s, links %v, %q", r.AppName, r.MaxIdleTime, r.LinkedApps, warnings)
	}
}
