package rules_test

import (
	"testing"

	"github.com/paastis/paastis/rules"
)

func TestLinkIsANameOrAMapping(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][]rules.Link{
		"[]":                                 {},
		"":                                   {},
		"back":                               {{Name: "back"}},
		"[back, db]":                         {{Name: "back"}, {Name: "db"}},
		"[' back ']":                         {{Name: "back"}},
		"[42]":                               {{Name: "42"}},
		"{name: db}":                         {{Name: "db"}},
		"[back, {name: db}]":                 {{Name: "back"}, {Name: "db"}},
		"[{name: db, condition: started}]":   {{Name: "db", Condition: rules.Started}},
		"[{name: db, condition: healthy}]":   {{Name: "db"}},
		"[{condition: completed, name: db}]": {{Name: "db", Condition: rules.Completed}},
		"[{name: db, condition: service_started}]":                {{Name: "db", Condition: rules.Started}},
		"[{name: db, condition: service_healthy}]":                {{Name: "db"}},
		"[{name: db, condition: service_completed_successfully}]": {{Name: "db", Condition: rules.Completed}},
		"[{name: db, optional: true}]":                            {{Name: "db", Optional: true}},
		"[{name: db, optional: false}]":                           {{Name: "db"}},
		"[{<<: {name: db, condition: started}, optional: true}]":  {{Name: "db", Condition: rules.Started, Optional: true}},
	} {
		equal(t, value, properties(t, load(t, one("linked_apps", value)), "a").LinkedApps, want)
	}
}

func TestFaultyLinkIsTold(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"''":                         "a linked app without a name",
		"['']":                       "a linked app without a name",
		"[~]":                        "a linked app without a name",
		"[{optional: true}]":         "a linked app without a name",
		"[{name: }]":                 "a linked app without a name",
		"[{name: [a]}]":              "a linked app without a name",
		"[{}]":                       "a linked app without a name",
		"[[a]]":                      "expected a name, or {name, condition, optional}",
		"[{nam: a}]":                 `unknown key "nam" of a linked app; did you mean "name"?`,
		"[{name: a, option: true}]":  `unknown key "option" of a linked app; did you mean "optional"?`,
		"[{name: a, condition: up}]": `condition "up" is unknown; write started, healthy or completed`,
		"[{name: a, condition: }]":   `condition "" is unknown; write started, healthy or completed`,
		"[{name: a, optional: ja}]":  `optional: "ja" is neither true nor false`,
		"[{name: a, optional: [b]}]": `optional: "" is neither true nor false`,
		"['', {nam: a}]":             `a linked app without a name; unknown key "nam" of a linked app; did you mean "name"?`,
	} {
		equal(t, value, faults(one("linked_apps", value)), "paastis.yml:3: linked_apps: "+want)
	}
}

func TestLinkWhoseNameTurnsOutEmptyIsLeftOut(t *testing.T) {
	t.Parallel()
	set := load(t, "rules:\n  - pattern: '^shop(-.+)?$'\n    linked_apps: ['$1', {name: '$1', optional: true}, db]\n")
	equal(t, "none", properties(t, set, "shop").LinkedApps, []rules.Link{{Name: "db"}})
	equal(t, "all", properties(t, set, "shop-a").LinkedApps, []rules.Link{{Name: "-a"}, {Name: "-a", Optional: true}, {Name: "db"}})
}

func TestLinksOfALabel(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][]rules.Link{
		"":                                       {},
		" , ":                                    {},
		"back":                                   {{Name: "back"}},
		"back, db:started, cache?":               {{Name: "back"}, {Name: "db", Condition: rules.Started}, {Name: "cache", Optional: true}},
		"a:completed?,b:service_healthy":         {{Name: "a", Condition: rules.Completed, Optional: true}, {Name: "b"}},
		"[back, {name: db, condition: started}]": {{Name: "back"}, {Name: "db", Condition: rules.Started}},
		" [back]":                                {{Name: "back"}},
		"[]":                                     {},
	} {
		r, warnings := labelled(t, cascade, map[string]string{"paastis.linked_apps": value})
		equal(t, value+": warnings", warnings, nil)
		equal(t, value, r.LinkedApps, want)
	}
}

func TestFaultyLinksOfALabelLeaveThoseOfTheRules(t *testing.T) {
	t.Parallel()
	const begin = `label "paastis.linked_apps" on container "shop-front-1": `
	for value, want := range map[string]string{
		"back, ?":       "a linked app without a name; left out",
		":started":      "a linked app without a name; left out",
		"db:":           `condition "" is unknown; write started, healthy or completed; left out`,
		"db:started:x":  `condition "started:x" is unknown; write started, healthy or completed; left out`,
		"[[back]]":      "expected a name, or {name, condition, optional}; left out",
		"[{nam: back}]": `unknown key "nam" of a linked app; did you mean "name"?; left out`,
		"[a, [b]]\n...": "expected a name, or {name, condition, optional}; left out",
		"[&a {<<: *a}]": "a linked app without a name; left out",
	} {
		r, warnings := labelled(t, cascade, map[string]string{"paastis.linked_apps": value})
		equal(t, value, warnings, []string{begin + want})
		equal(t, value, r.LinkedApps, []rules.Link{{Name: "back"}})
	}
}

func TestLinkIsWrittenAsInALabel(t *testing.T) {
	t.Parallel()
	for want, l := range map[string]rules.Link{
		"db":            {Name: "db"},
		"db?":           {Name: "db", Optional: true},
		"db:started":    {Name: "db", Condition: rules.Started},
		"db:completed?": {Name: "db", Condition: rules.Completed, Optional: true},
	} {
		equal(t, want, l.String(), want)
		r, _ := labelled(t, cascade, map[string]string{"paastis.linked_apps": want})
		equal(t, want+" again", r.LinkedApps, []rules.Link{l})
	}
}
