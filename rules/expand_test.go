package rules_test

import (
	"fmt"
	"strings"
	"testing"
)

// expanded is what a text in a rule means for the app name.
func expanded(t *testing.T, pattern, text, name string) string {
	t.Helper()
	set := load(t, fmt.Sprintf("rules:\n  - pattern: '%s'\n    app_group: '%s'\n", pattern, text))
	return properties(t, set, name).AppGroup
}

// tenGroups matches abcdefghij, a letter a group.
const tenGroups = `^(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)$`

func TestReferencesStandForGroups(t *testing.T) {
	t.Parallel()
	const review = `^(?P<project>\w+)-pr(?P<number>\d+)(-old)?$`
	for text, want := range map[string]string{
		"":                          "",
		"plain":                     "plain",
		"$1":                        "shop",
		"$1-$2":                     "shop-42",
		"$1-$1-$2":                  "shop-shop-42",
		"$2$2$2":                    "424242",
		"${1}":                      "shop",
		"${1}0":                     "shop0",
		"${project}-${number}":      "shop-42",
		"${number}${1}$2":           "42shop42",
		"$0":                        "shop-pr42",
		"${0}!":                     "shop-pr42!",
		"$$":                        "$",
		"$$1":                       "$1",
		"$$$1":                      "$shop",
		"$$$$":                      "$$",
		"$$${1}$$":                  "$shop$",
		"$":                         "$",
		"a$":                        "a$",
		"$-$a$ $":                   "$-$a$ $",
		"$project":                  "$project",
		"[$3]":                      "[]",
		"[${3}]":                    "[]",
		"$10":                       "shop0",
		"$25":                       "425",
		"$01":                       "shop-pr421",
		"é$1é":                      "éshopé",
		"{$1}":                      "{shop}",
		"$1 and " + "$1, $2 and $2": "shop and shop, 42 and 42",
	} {
		equal(t, text, expanded(t, review, text, "shop-pr42"), want)
	}
}

func TestTwoDigitsAreOneGroupIfThereIsOne(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"$10":    "j",
		"$100":   "j0",
		"$11":    "a1",
		"$9":     "i",
		"${1}0":  "a0",
		"${10}":  "j",
		"$10$1":  "ja",
		"$09":    "abcdefghij9",
		"${010}": "j",
	} {
		equal(t, text, expanded(t, tenGroups, text, "abcdefghij"), want)
	}
	ninetyNine := strings.Repeat("(.)", 99)
	name := strings.Repeat("x", 98) + "z"
	equal(t, "$99", expanded(t, ninetyNine, "$99", name), "z")
	equal(t, "$100 of a hundred groups", expanded(t, ninetyNine+"(.)", "$100", name+"y"), "x0")
	equal(t, "${100}", expanded(t, ninetyNine+"(.)", "${100}", name+"y"), "y")
}

func TestGroupThatTookNoPartIsEmpty(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"shop": "shop--", "shop-pr7": "shop-pr7-", "shopx": "shop--x"} {
		equal(t, name, expanded(t, `^(shop)(?:-(?P<pr>pr\d+))?(x)?$`, "$1-${pr}-$3", name), want)
	}
}

func TestReferenceToAMissingGroupIsALoadError(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"$3":         "${3} refers to a group that the pattern does not have: it has 2",
		"a-$1-$9":    "${9} refers to a group that the pattern does not have: it has 2",
		"$30":        "${3} refers to a group that the pattern does not have: it has 2",
		"${3}":       "${3} refers to a group that the pattern does not have: it has 2",
		"${10}":      "${10} refers to a group that the pattern does not have: it has 2",
		"${part}":    "${part} refers to a group that the pattern does not have; name one as (?P<part>…)",
		"${Project}": "${Project} refers to a group that the pattern does not have; name one as (?P<Project>…)",
		"${}":        "${} refers to a group that the pattern does not have; name one as (?P<>…)",
		"${1":        `"${1" has no closing brace; write $$ for a dollar`,
	} {
		for _, key := range []string{"app_name", "app_group", "linked_apps"} {
			yml := fmt.Sprintf("rules:\n  - pattern: '(?P<project>\\w+)-(.)'\n    %s: '%s'\n", key, text)
			equal(t, key+" "+text, faults(yml), "paastis.yml:3: "+key+": "+want)
		}
	}
}

func TestEveryTextOfARuleHasReferences(t *testing.T) {
	t.Parallel()
	p := properties(t, load(t, `rules:
  - pattern: '^(\w+)-(\w+)$'
    app_name: '$2.$1'
    app_group: 'group-$1'
    linked_apps: ['$1-db', {name: '$1-$2-cache', optional: true}]
    probe: 'http:8080/$1/${2}'
`), "shop-front")
	equal(t, "name", p.AppName, "front.shop")
	equal(t, "group", p.AppGroup, "group-shop")
	equal(t, "first link", p.LinkedApps[0].Name, "shop-db")
	equal(t, "second link", p.LinkedApps[1].Name, "shop-front-cache")
	equal(t, "probe", p.Probe.String(), "http:8080/shop/front")
}
