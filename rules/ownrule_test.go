package rules_test

import (
	"strings"
	"testing"

	"github.com/paastis/paastis/rules"
)

// resolvedBy are the properties of an app of that name by one rule, and what is warned of.
func resolvedBy(t *testing.T, text, name string) (rules.Properties, string) {
	t.Helper()
	r, warnings := load(t, text).Resolve(name, rules.Defaults(), nil, "")
	return r.Properties, strings.Join(warnings, "\n")
}

func TestWhoNamesAnAppWritesNoPartOfItsRule(t *testing.T) {
	const text = "rules:\n  - pattern: '(?s)^(?P<app>.*)$'\n    rule: 'Host(`${app}.example.com`) || HostRegexp(`^$1[.]test$$`)'\n"
	for _, name := range []string{
		"x`) || PathPrefix(`/", "x\") || PathPrefix(\"/", "x\n", ".*", "a|b", "(", "[a-z]", "x\\", "x^", "$0", "{x:.*}",
	} {
		p, warned := resolvedBy(t, text, name)
		if p.Rule != "" || !strings.Contains(warned, "which would make another rule of it") {
			t.Errorf("%q makes the rule %q; warned of %q", name, p.Rule, warned)
		}
	}
	for name, want := range map[string]string{
		"pr42-front":  "Host(`pr42-front.example.com`) || HostRegexp(`^pr42-front[.]test$`)",
		"shop_1.blue": "Host(`shop_1.blue.example.com`) || HostRegexp(`^shop_1.blue[.]test$`)",
	} {
		if p, warned := resolvedBy(t, text, name); p.Rule != want || warned != "" {
			t.Errorf("%q makes the rule %q; warned of %q", name, p.Rule, warned)
		}
	}
}

func TestWhoNamesAnAppWritesNoOtherItemOfAList(t *testing.T) {
	const text = "rules:\n  - pattern: '^(.*)$'\n    host: '$1.apps.test, $1.other.test'\n    middlewares: 'auth@file, to-$1@file'\n    entry_points: '$1'\n"
	p, warned := resolvedBy(t, text, "login.example.com,x")
	if len(p.Hosts) > 0 || !strings.Contains(warned, `"login.example.com,x.apps.test" is no host`) {
		t.Errorf("its hosts are %q; warned of %q", p.Hosts, warned)
	}
	if len(p.Middlewares) != 2 || len(p.EntryPoints) != 1 {
		t.Errorf("its middlewares are %q, its entry points %q", p.Middlewares, p.EntryPoints)
	}
	if p, _ := resolvedBy(t, text, "shop"); strings.Join(p.Hosts, " ") != "shop.apps.test shop.other.test" {
		t.Errorf("the hosts of another are %q", p.Hosts)
	}
}
