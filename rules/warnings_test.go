package rules_test

import (
	"testing"

	"github.com/paastis/paastis/rules"
)

var someApps = []string{"shop-front", "shop-back", "shop-db", "workshop", "blog"}

func warnings(t *testing.T, rule string, names ...string) []string {
	t.Helper()
	return load(t, "rules:\n  - pattern: "+rule+"\n").Warnings(names)
}

func TestRuleThatSaysWhatItMeansIsNoSurprise(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{
		"'^shop-'", "'shop-.*'", "'shop-'", "'.*'", "'.+'", "'^shop-(front|back)$'", "'^(?:blog)$'", "blog", "'-db$'", "'^(front|blog)?$'",
		"'^shop-(.*)$'\n    app_name: 'boutique-$1'",
		"'^shop-front$'\n    app_name: boutique",
		"'^blog$'\n    linked_apps: [db]",
		"'(?i)BLOG'",
	} {
		equal(t, rule, warnings(t, rule, someApps...), nil)
		equal(t, rule+", nothing known", warnings(t, rule), nil)
	}
	var nothing *rules.Set
	equal(t, "no file", nothing.Warnings(someApps), nil)
}

func TestPatternThatMatchesMoreThanMeantIsTold(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		"shop":              "paastis.yml:2: pattern 'shop' also matches shop-front, shop-back, shop-db and 1 more in part; write '^(?:shop)$' to match whole names only",
		"'shop-.+'":         "",
		"'shop|shop-.+'":    "paastis.yml:2: pattern 'shop|shop-.+' also matches workshop in part; write '^(?:shop|shop-.+)$' to match whole names only",
		"'blog|shop-'":      "paastis.yml:2: pattern 'blog|shop-' also matches shop-front, shop-back, shop-db in part; write '^(?:blog|shop-)$' to match whole names only",
		"'shop-.*?'":        "",
		"''''":              "paastis.yml:2: pattern ''' matches no known app",
		"'x*'":              "paastis.yml:2: pattern 'x*' matches every app; write '.*' if that is meant",
		"'(shop-front)?'":   "paastis.yml:2: pattern '(shop-front)?' matches every app; write '.*' if that is meant",
		"'front|'":          "paastis.yml:2: pattern 'front|' matches every app; write '.*' if that is meant",
		"'^.*$'":            "paastis.yml:2: pattern '^.*$' matches every app; write '.*' if that is meant",
		"'^shop$'":          "paastis.yml:2: pattern '^shop$' matches no known app",
		"'^(front|back)?$'": "paastis.yml:2: pattern '^(front|back)?$' matches no known app",
	} {
		var all []string
		if want != "" {
			all = []string{want}
		}
		equal(t, rule, warnings(t, rule, someApps...), all)
	}
}

func TestOneNameForSeveralAppsIsTold(t *testing.T) {
	t.Parallel()
	const tail = " gives every app that it matches the same app_name; anchor it (^…$), or use a group in app_name"
	for pattern, warned := range map[string]bool{
		"^shop-.*$":     true,
		"shop-(.*)":     true,
		"^shop-front":   true,
		"(?i)shop":      true,
		"^shop-front$":  false,
		`^shop\.front$`: false,
		"shop-front":    false,
		"^shop-[fb].*$": true,
	} {
		var want []string
		if warned {
			want = []string{"paastis.yml:2: pattern '" + pattern + "'" + tail}
		}
		equal(t, pattern, warnings(t, "'"+pattern+"'\n    app_name: boutique"), want)
	}
}

func TestWarningsOfSeveralRulesComeInFileOrder(t *testing.T) {
	t.Parallel()
	set := load(t, "rules:\n  - pattern: gone\n  - pattern: 'x*'\n    app_name: x\n  - pattern: blog\n")
	equal(t, "warnings", set.Warnings(someApps), []string{
		"paastis.yml:2: pattern 'gone' matches no known app",
		"paastis.yml:3: pattern 'x*' gives every app that it matches the same app_name; anchor it (^…$), or use a group in app_name",
		"paastis.yml:3: pattern 'x*' matches every app; write '.*' if that is meant",
	})
}
