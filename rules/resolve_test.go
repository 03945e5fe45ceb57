package rules_test

import (
	"maps"
	"testing"
	"time"

	"github.com/paastis/paastis/rules"
)

const cascade = `rules:
  - pattern: 'shop'
    max_idle_time: 30m
    linked_apps: [db, cache]
    app_group: shop
  - pattern: 'shop-front'
    linked_apps: [back]
  - pattern: '^other$'
    max_idle_time: 1m
  - pattern: '.*'
    app_max_idle_time: 2
`

func labelled(t *testing.T, yml string, labels map[string]string) (rules.Resolved, []string) {
	t.Helper()
	return load(t, yml).Resolve("shop-front", rules.Defaults(), labels, `container "shop-front-1"`)
}

func TestLaterRuleWinsPerProperty(t *testing.T) {
	t.Parallel()
	p := properties(t, load(t, cascade), "shop-front")
	equal(t, "the last rule's", p.MaxIdleTime, 2*time.Minute)
	equal(t, "replaced, not joined", p.LinkedApps, []rules.Link{{Name: "back"}})
	equal(t, "the first rule's, since no other says it", p.AppGroup, "shop")
	equal(t, "nobody's", p.StartTimeout, 5*time.Minute)
}

func TestEachValueTellsWhereItComesFrom(t *testing.T) {
	t.Parallel()
	r, warnings := labelled(t, cascade, map[string]string{"paastis.probe": "none", "com.example": "x"})
	equal(t, "warnings", warnings, nil)
	for _, key := range []string{"traffic_floor", "quiet_time", "stream_quiet_time", "cpu_floor", "max_concurrent_starts", "show_logs", "theme", "brand_color", "brand_accent", "brand_logo"} {
		equal(t, key, r.Origins[key], "default")
		delete(r.Origins, key)
	}
	equal(t, "origins", r.Origins, map[string]string{
		"max_idle_time": "paastis.yml:11 (pattern '.*')",
		"linked_apps":   "paastis.yml:7 (pattern 'shop-front')",
		"app_group":     "paastis.yml:5 (pattern 'shop')",
		"hold_timeout":  "default",
		"mode":          "default", "direct_hold_timeout": "default",
		"start_timeout": "default",
		"stop_method":   "default",
		"unseen":        "default",
		"manual_stop":   "default",
		"probe":         `label paastis.probe on container "shop-front-1"`,
	})
	equal(t, "matches", r.Matches, []rules.Match{
		{Pattern: "shop", Origin: "paastis.yml:2"},
		{Pattern: "shop-front", Origin: "paastis.yml:6"},
		{Pattern: ".*", Origin: "paastis.yml:10"},
	})
	equal(t, "a match", r.Matches[1].String(), "paastis.yml:6 (pattern 'shop-front')")
}

func TestRuleIsWhereItsPatternIs(t *testing.T) {
	t.Parallel()
	r, _ := labelled(t, "rules:\n  - max_idle_time: 5\n    probe: none\n    pattern: shop\n", nil)
	equal(t, "matches", r.Matches, []rules.Match{{Pattern: "shop", Origin: "paastis.yml:4"}})
	equal(t, "origin", r.Origins["max_idle_time"], "paastis.yml:2 (pattern 'shop')")
}

func TestResolvingLeavesTheDefaultsAlone(t *testing.T) {
	t.Parallel()
	base := rules.Defaults()
	before := maps.Clone(base.Origins)
	load(t, cascade).Resolve("shop-front", base, map[string]string{"paastis.enable": "true"}, "here")
	equal(t, "properties", base.Properties, rules.Defaults().Properties)
	equal(t, "origins", base.Origins, before)
	var nothing *rules.Set
	if r, _ := nothing.Resolve("a", rules.Resolved{}, nil, ""); r.Origins == nil {
		t.Error("no origins")
	}
}

func TestLabelsWinOverRules(t *testing.T) {
	t.Parallel()
	r, warnings := labelled(t, cascade, map[string]string{
		"paastis.max_idle_time": "never",
		"paastis.linked_apps":   "db",
		"paastis.app_group":     "own",
		"paastis.hold_timeout":  "3s",
		"paastis.stop_method":   "pause",
		"Paastis.Enable":        "False",
	})
	equal(t, "warnings", warnings, nil)
	equal(t, "idle", r.MaxIdleTime, rules.Never)
	equal(t, "links", r.LinkedApps, []rules.Link{{Name: "db"}})
	equal(t, "group", r.AppGroup, "own")
	equal(t, "hold", r.HoldTimeout, 3*time.Second)
	equal(t, "method", r.StopMethod, rules.PauseContainer)
	if r.Enable == nil || *r.Enable {
		t.Errorf("enable %v", r.Enable)
	}
}

func TestAliasOfAPropertyIsTheProperty(t *testing.T) {
	t.Parallel()
	r, warnings := labelled(t, cascade, map[string]string{"paastis.app_max_idle_time": "7", "paastis.name": "boutique"})
	equal(t, "warnings", warnings, nil)
	equal(t, "idle", r.MaxIdleTime, 7*time.Minute)
	equal(t, "origin", r.Origins["max_idle_time"], `label paastis.app_max_idle_time on container "shop-front-1"`)
	equal(t, "name", r.AppName, "boutique")
}

func TestPatternsAreTriedOnTheLabelledName(t *testing.T) {
	t.Parallel()
	r, warnings := labelled(t, "rules:\n  - pattern: '^bou(.*)$'\n    app_group: '$1'\n  - pattern: shop\n    app_group: b\n",
		map[string]string{"paastis.name": "boutique"})
	equal(t, "warnings", warnings, nil)
	equal(t, "group", r.AppGroup, "tique")
	equal(t, "matches", len(r.Matches), 1)
}

func TestLabelsHaveNoReferences(t *testing.T) {
	t.Parallel()
	r, warnings := labelled(t, cascade, map[string]string{"paastis.app_name": "a$1${b}$$", "paastis.linked_apps": "b$0"})
	equal(t, "warnings", warnings, nil)
	equal(t, "name", r.AppName, "a$1${b}$$")
	equal(t, "links", r.LinkedApps, []rules.Link{{Name: "b$0"}})
}

func TestFaultyLabelIsToldAndLeftOut(t *testing.T) {
	t.Parallel()
	const where = ` on container "shop-front-1"`
	for label, c := range map[string]struct{ value, want string }{
		"paastis.max_idle_tim":  {"5", `unknown label "paastis.max_idle_tim"` + where + `; did you mean "paastis.max_idle_time"?`},
		"paastis.nmae":          {"x", `unknown label "paastis.nmae"` + where + `; did you mean "paastis.name"?`},
		"paastis.zzzzzzzzzzzzz": {"x", `unknown label "paastis.zzzzzzzzzzzzz"` + where},
		"paastis.":              {"x", `unknown label "paastis."` + where},
		"paastis.max_idle_time": {"soon", `label "paastis.max_idle_time"` + where + `: "soon" is no duration; write one such as 90s, 30m or 2h, or never; left out`},
		"paastis.enable":        {"yes", `label "paastis.enable"` + where + `: "yes" is neither true nor false; left out`},
		"paastis.stop_method":   {"kill", `label "paastis.stop_method"` + where + `: "kill" is unknown; write stop or pause; left out`},
		"paastis.linked_apps":   {"a:up, b:down", `label "paastis.linked_apps"` + where + `: condition "up" is unknown; write started, healthy or completed; condition "down" is unknown; write started, healthy or completed; left out`},
	} {
		r, warnings := labelled(t, cascade, map[string]string{label: c.value})
		equal(t, label, warnings, []string{c.want})
		unlabelled, _ := labelled(t, cascade, nil)
		equal(t, label+" changes nothing", r, unlabelled)
	}
}

func TestLabelsOfOtherPartsAreNoSurprise(t *testing.T) {
	t.Parallel()
	_, warnings := labelled(t, cascade, map[string]string{"paastis.rule": "Host(`a`)", "paastis.port": "80", "paastisx": "1"})
	equal(t, "warnings", warnings, nil)
}

func TestWarningsAboutLabelsComeInTheOrderOfTheirNames(t *testing.T) {
	t.Parallel()
	for range 20 {
		_, warnings := labelled(t, cascade, map[string]string{"paastis.wwwwwwwwwwww": "", "paastis.aaaaaaaaaaaa": "", "paastis.kkkkkkkkkkkk": ""})
		equal(t, "warnings", warnings, []string{
			`unknown label "paastis.aaaaaaaaaaaa" on container "shop-front-1"`,
			`unknown label "paastis.kkkkkkkkkkkk" on container "shop-front-1"`,
			`unknown label "paastis.wwwwwwwwwwww" on container "shop-front-1"`,
		})
	}
}

// Of many apps with one rule, each would have a map of its own; labels change that of one app
// alone.
func TestAppsOfTheSameRulesHaveTheSameOriginsUnlessTheirLabelsSaySomething(t *testing.T) {
	set, err := rules.ParseFile("paastis.yml", []byte("rules: [{pattern: shop, max_idle_time: 5m}, {pattern: shop-b, start_timeout: 1m}]"))
	if err != nil {
		t.Fatal(err)
	}
	resolve := func(name string, labels map[string]string) rules.Resolved {
		r, _ := set.Resolve(name, rules.Defaults(), labels, "container")
		return r
	}
	a := resolve("shop-a", nil)
	labelled := resolve("shop-a", map[string]string{"paastis.max_idle_time": "1h"})
	both := resolve("shop-b", nil)
	again := resolve("shop-a", nil)
	of := func(r rules.Resolved) string { return r.Origins["max_idle_time"] + ", " + r.Origins["start_timeout"] }
	equal(t, "of a rule", of(a), "paastis.yml:1 (pattern 'shop'), default")
	equal(t, "of a label", of(labelled), "label paastis.max_idle_time on container, default")
	equal(t, "of two rules", of(both), "paastis.yml:1 (pattern 'shop'), paastis.yml:1 (pattern 'shop-b')")
	equal(t, "of a rule, after a label", of(again), of(a))
}
