package rules_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/rules"
)

// load reads a file that must be without fault.
func load(t *testing.T, yml string) *rules.Set {
	t.Helper()
	set, err := rules.ParseFile("paastis.yml", []byte(yml))
	if err != nil {
		t.Fatalf("load:\n%v\n%s", err, yml)
	}
	return set
}

// faults are the lines of complaint about a file; none if it is good.
func faults(yml string) string {
	if _, err := rules.ParseFile("paastis.yml", []byte(yml)); err != nil {
		return err.Error()
	}
	return ""
}

// properties are those of an app without labels, of which no rule may complain.
func properties(t *testing.T, set *rules.Set, name string) rules.Properties {
	t.Helper()
	r, warnings := set.Resolve(name, rules.Defaults(), nil, "")
	equal(t, name+": warnings", warnings, nil)
	return r.Properties
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func TestFaultsAreToldByFileAndLine(t *testing.T) {
	t.Parallel()
	for yml, want := range map[string]string{
		"rules:\n  - pattern: a\n    linked_app: b": `paastis.yml:3: unknown key "linked_app" in a rule; did you mean "linked_apps"?`,
		"rules:\n  - patern: a":                     `paastis.yml:2: unknown key "patern" in a rule; did you mean "pattern"?`,
		"rules:\n  - pattern: a\n    zzzzzzzz: 1":   `paastis.yml:3: unknown key "zzzzzzzz" in a rule`,
		"ruls: []":                                   `paastis.yml:1: unknown key "ruls"; did you mean "rules"?`,
		"\n\nwhatever: 1":                            `paastis.yml:3: unknown key "whatever"`,
		"rules:\n  - max_idle_time: 5":               `paastis.yml:2: a rule without a pattern; add pattern: with a regular expression on app names`,
		"rules:\n  - pattern:":                       `paastis.yml:2: expected a pattern, a regular expression on app names`,
		"rules:\n  - pattern: null":                  `paastis.yml:2: expected a pattern, a regular expression on app names`,
		"rules:\n  - pattern: ' '":                   `paastis.yml:2: expected a pattern, a regular expression on app names`,
		"rules:\n  - pattern: [a]":                   `paastis.yml:2: expected a pattern, a regular expression on app names`,
		"rules:\n  - pattern: 'a('":                  "paastis.yml:2: pattern 'a(': missing closing ): `a(`; patterns are Go regular expressions, without look-around and back-references",
		"rules:\n  - pattern: 'a(?!b)'":              "paastis.yml:2: pattern 'a(?!b)': invalid or unsupported Perl syntax: `(?!`; patterns are Go regular expressions, without look-around and back-references",
		"rules:\n  - pattern: 'a(?=b)\n\n      c('":  "paastis.yml:2: pattern 'a(?=b)\\nc(': invalid or unsupported Perl syntax: `(?=`; patterns are Go regular expressions, without look-around and back-references",
		"rules:\n  pattern: a":                       `paastis.yml:2: rules: expected a list of rules, each with a pattern`,
		"rules: shop":                                `paastis.yml:1: rules: expected a list of rules, each with a pattern`,
		"rules:\n  - shop":                           `paastis.yml:2: expected a rule with a pattern and properties`,
		"rules:\n  -":                                `paastis.yml:2: expected a rule with a pattern and properties`,
		"- pattern: a":                               `paastis.yml:1: expected the key "rules"`,
		"ignore: vault":                              `paastis.yml:1: ignore: expected a list of patterns`,
		"ignore:\n  - ok\n  - '['":                   "paastis.yml:3: pattern '[': missing closing ]: `[`; patterns are Go regular expressions, without look-around and back-references",
		"ignore:\n  - {pattern: a}":                  `paastis.yml:2: expected a pattern, a regular expression on app names`,
		"rules:\n  - pattern: a\n   probe: x":        `paastis.yml: line 1: did not find expected '-' indicator`,
		"rules:\n  - pattern: a\n    app_name: [a]":  `paastis.yml:3: app_name: expected one value`,
		"rules:\n  - pattern: a\n    app_name:":      `paastis.yml:3: app_name: expected one value`,
		"rules:\n  - pattern: a\n    enable: {a: b}": `paastis.yml:3: enable: expected one value`,
	} {
		equal(t, yml, faults(yml), want)
	}
}

func TestKeyGivenTwiceIsRefused(t *testing.T) {
	t.Parallel()
	for yml, want := range map[string]string{
		"rules:\n  - pattern: a\n    probe: tcp\n    probe: none":                 "paastis.yml:4: probe is given twice in one rule (probe)",
		"rules:\n  - pattern: a\n    max_idle_time: 5m\n    app_max_idle_time: 5": "paastis.yml:4: app_max_idle_time is given twice in one rule (max_idle_time)",
		"rules:\n  - pattern: a\n    probe: tcp\n    pattern: b":                  "paastis.yml:4: pattern is given twice in one rule",
		"rules: []\nrules: []": `paastis.yml:2: "rules" is given twice`,
		"rules:\n  - pattern: a\n    linked_apps:\n      - name: b\n        name: c": `paastis.yml:3: linked_apps: "name" is given twice in a linked app`,
	} {
		equal(t, yml, faults(yml), want)
	}
}

func TestAllFaultsOfAFileAreToldAtOnceALineEach(t *testing.T) {
	t.Parallel()
	equal(t, "faults", faults(`
rules:
  - pattern: 'a('
  - pattern: b
    colour: red
    max_idle_time: soon
    linked_apps: [$1, {name: c, condition: up}]
ignore: ['*']
extra: 1
`), strings.Join([]string{
		"paastis.yml:9: unknown key \"extra\"",
		"paastis.yml:3: pattern 'a(': missing closing ): `a(`; patterns are Go regular expressions, without look-around and back-references",
		"paastis.yml:5: unknown key \"colour\" in a rule",
		"paastis.yml:6: max_idle_time: \"soon\" is no duration; write one such as 90s, 30m or 2h, or never",
		"paastis.yml:7: linked_apps: ${1} refers to a group that the pattern does not have: it has 0; condition \"up\" is unknown; write started, healthy or completed",
		"paastis.yml:8: pattern '*': missing argument to repetition operator: `*`; patterns are Go regular expressions, without look-around and back-references",
	}, "\n"))
}

func TestFileThatSaysNothingHasNoRules(t *testing.T) {
	t.Parallel()
	for _, yml := range []string{"", "# nothing yet\n", "{}", "rules:", "rules: []", "rules:\nignore:", "ignore: []", "rules: null"} {
		equal(t, yml, properties(t, load(t, yml), "shop"), rules.Defaults().Properties)
	}
	equal(t, "no file", properties(t, nil, "shop"), rules.Defaults().Properties)
}

func TestFileOfTheOriginalLoadsUnchanged(t *testing.T) {
	t.Parallel()
	set := load(t, `
rules:
  - pattern: 'app-review-pr(\d+)-(back|front)'
    linked_apps: ['app-review-pr$1-front']
  - pattern: 'hello-fastify'
    linked_apps: ['hellofastifydeux']
  - pattern: 'hello-fastify-2'
    app_name: 'hellofastifydeux'
  - pattern: '.*fastify.*'
    app_max_idle_time: 0
  - pattern: 'slow'
    app_max_idle_time: 90
`)
	review := properties(t, set, "app-review-pr42-back")
	equal(t, "links", review.LinkedApps, []rules.Link{{Name: "app-review-pr42-front"}})
	second := properties(t, set, "hello-fastify-2")
	equal(t, "name", second.AppName, "hellofastifydeux")
	equal(t, "no idle time", second.MaxIdleTime, 0)
	equal(t, "unanchored", second.LinkedApps, []rules.Link{{Name: "hellofastifydeux"}})
	equal(t, "idle time", properties(t, set, "my-slow-app").MaxIdleTime, 90*time.Minute)
}

func TestKeysThatTheOriginalIgnoredAreToBeLeftOut(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"provider_name", "provider_zone", "group_name", "name"} {
		equal(t, key, faults("rules:\n  - pattern: a\n    "+key+": b"),
			`paastis.yml:3: unknown key "`+key+`" in a rule; the original Paastis ignored it: leave it out`)
	}
}

func TestIgnoredAppsAreMarkedAndStillResolved(t *testing.T) {
	t.Parallel()
	set := load(t, "rules:\n  - pattern: vault\n    max_idle_time: 1h\nignore:\n  - '^vault$'\n  - '-db$'\n")
	for name, want := range map[string]string{
		"vault":    "paastis.yml:5: ignore '^vault$'",
		"shop-db":  "paastis.yml:6: ignore '-db$'",
		"vault-ui": "",
	} {
		r, _ := set.Resolve(name, rules.Defaults(), nil, "")
		equal(t, name, r.Ignored, want)
	}
	equal(t, "idle time", properties(t, set, "vault").MaxIdleTime, time.Hour)
}

func TestAnchorsAndMergesAreFollowed(t *testing.T) {
	t.Parallel()
	set := load(t, `
rules:
  - &base
    pattern: '^a$'
    max_idle_time: &hour 1h
    linked_apps: &links [{name: &db db, optional: true}]
    probe: none
  - pattern: '^b$'
    max_idle_time: *hour
    linked_apps: *links
  - <<: *base
    pattern: '^c$'
    probe: tcp
  - *base
  - pattern: '^d$'
    linked_apps: [*db]
`)
	link := []rules.Link{{Name: "db", Optional: true}}
	b, c := properties(t, set, "b"), properties(t, set, "c")
	equal(t, "b", b.MaxIdleTime, time.Hour)
	equal(t, "links of b", b.LinkedApps, link)
	equal(t, "c", c.MaxIdleTime, time.Hour)
	equal(t, "links of c", c.LinkedApps, link)
	equal(t, "own key wins over merged", c.Probe.Kind, rules.TCPProbe)
	equal(t, "links of d", properties(t, set, "d").LinkedApps, []rules.Link{{Name: "db"}})
	a, _ := set.Resolve("a", rules.Defaults(), nil, "")
	equal(t, "rules of a", len(a.Matches), 2)
}

func TestAliasesInCirclesEndInAFault(t *testing.T) {
	t.Parallel()
	for yml, want := range map[string]string{
		"rules: &r [*r]": "paastis.yml:1: expected a rule with a pattern and properties",
		"rules:\n  - pattern: a\n    linked_apps: &l [*l]":            "paastis.yml:3: linked_apps: expected a name, or {name, condition, optional}",
		"rules:\n  - &r\n    pattern: a\n    app_name: *r":            "paastis.yml:4: app_name: expected one value",
		"rules:\n  - pattern: a\n    linked_apps:\n    - &l {<<: *l}": "paastis.yml:3: linked_apps: a linked app without a name",
	} {
		equal(t, yml, faults(yml), want)
	}
}

func TestMergesIntoThemselvesAreFollowedOnce(t *testing.T) {
	t.Parallel()
	cycle := load(t, "rules:\n  - &r\n    pattern: a\n    probe: tcp\n"+strings.Repeat("    <<: *r\n", 20))
	equal(t, "cycle", properties(t, cycle, "a").Probe.Kind, rules.TCPProbe)
	doubling := "rules:\n  - &r0 {pattern: a, probe: tcp}\n"
	for i := range 12 {
		doubling += fmt.Sprintf("  - &r%d {%s}\n", i+1, strings.Repeat(fmt.Sprintf("<<: *r%d, ", i), 20))
	}
	equal(t, "doubling", properties(t, load(t, doubling), "a").Probe.Kind, rules.TCPProbe)
}
