package rules_test

import (
	"strings"
	"testing"

	"github.com/paastis/paastis/rules"
)

// hostsOf are the hosts of an app by one rule.
func hostsOf(t *testing.T, pattern, host, name string) []string {
	t.Helper()
	p := properties(t, load(t, "rules:\n  - pattern: '"+pattern+"'\n    host: "+host+"\n"), name)
	var all []string
	for _, h := range p.Hosts {
		of, err := rules.HostOf(h, name)
		if err != nil {
			of = err.Error()
		}
		all = append(all, of)
	}
	return all
}

func TestHostOfARuleIsThatOfEachAppByItsNameAndTheGroupsOfThePattern(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pattern, host, name, want string }{
		{".*", "'{name}.apps.example.com'", "shop", "shop.apps.example.com"},
		{".*", "'{name}.Apps.example.com.'", "Shop", "shop.apps.example.com"},
		{`^pix-pr(\d+)-(front)$`, "'pr$1.{name}.example.com'", "pix-pr42-front", "pr42.pix-pr42-front.example.com"},
		{`^(?P<name>.*)-front$`, "'${name}.{name}.test'", "pix-front", "pix.pix-front.test"},
		{".*", "[shop.test, 'www.shop.test']", "shop", "shop.test www.shop.test"},
		{".*", "'shop.test, www.shop.test,'", "shop", "shop.test www.shop.test"},
		{".*", "''", "shop", ""},
		{".*", "[]", "shop", ""},
	} {
		equal(t, c.host, strings.Join(hostsOf(t, c.pattern, c.host, c.name), " "), c.want)
	}
}

func TestNameThatIsNoLabelOfDNSStandsInAHostAsOne(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"app_1b2c-3d": "app-1b2c-3d", "Mon App (démo)": "mon-app-d-mo", "a.b": "a-b", "a--b": "a--b", "-a-": "a", "_a": "a",
	} {
		equal(t, name, strings.Join(hostsOf(t, ".*", "'{name}.test'", name), " "), want+".test")
	}
}

func TestHostThatDNSDoesNotTakeIsToldWithTheReason(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	for _, c := range []struct{ pattern, host, name, want string }{
		{".*", "'{name}.test'", "___", "its name has neither letters nor digits that a host may have"},
		{".*", "'{name}.test'", long, `"` + long + `" has 64 letters between two dots, and DNS takes 63`},
		{".*", "'{name}.test'", strings.Repeat("a", 63), strings.Repeat("a", 63) + ".test"},
		{"shop(x?)", "'$1.test'", "shop", `".test" has nothing before a dot, or behind one`},
		{"shop(x?)", "'pr-$1.test'", "shop", `"pr-" begins or ends with "-", which DNS does not take`},
		{".*", "'a$$b.test'", "shop", `"a$b" has a "$", which DNS does not take`},
		{".*", "'" + strings.Repeat("a.", 130) + "test'", "shop", `"` + strings.Repeat("a.", 130) + `test" has 264 letters, and DNS takes 253`},
	} {
		equal(t, c.name, strings.Join(hostsOf(t, c.pattern, c.host, c.name), " "), c.want)
	}
}

func TestHostThatCanBeNoneIsRefusedAsTheFileIsRead(t *testing.T) {
	t.Parallel()
	const form = " is no host; write one such as {name}.apps.example.com, without scheme, port and path"
	const braces = " has braces around something else than {name}, which stands for the app's own name"
	for value, want := range map[string]string{
		"'https://shop.test'": `"https://shop.test"` + form,
		"'shop.test/a'":       `"shop.test/a"` + form,
		"'shop.test:443'":     `"shop.test:443"` + form,
		"'*.shop.test'":       `"*.shop.test"` + form,
		"'a b.test'":          `"a b.test"` + form,
		"'bücher.test'":       `"bücher.test"` + form,
		"'shop`.test'":        "\"shop`.test\"" + form,
		"'{app}.test'":        `"{app}.test"` + braces,
		"'{name.test'":        `"{name.test"` + braces,
		"'$1.test'":           `${1} refers to a group that the pattern does not have: it has 0`,
		"{a: b}":              "expected one value",
		"[[a]]":               "expected one value",
	} {
		equal(t, value, faults(one("host", value)), "paastis.yml:3: host: "+want)
	}
}

func TestHostAndWhatIsSaidOfItsRouterMayStandInLabels(t *testing.T) {
	t.Parallel()
	r, warnings := load(t, "").Resolve("shop", rules.Defaults(), map[string]string{
		"paastis.host": "{name}.test, shop.example", "paastis.entry_points": "web,websecure", "paastis.tls": "true",
		"paastis.cert_resolver": "le", "paastis.middlewares": "auth@file, gzip@file",
	}, "container")
	equal(t, "warnings", warnings, nil)
	equal(t, "hosts", r.Hosts, []string{"{name}.test", "shop.example"})
	equal(t, "entry points", r.EntryPoints, []string{"web", "websecure"})
	equal(t, "TLS", r.TLS, true)
	equal(t, "resolver", r.CertResolver, "le")
	equal(t, "middlewares", r.Middlewares, []string{"auth@file", "gzip@file"})
}

func TestAppsOfOneRuleWithAHostHaveTheirPropertiesTogether(t *testing.T) {
	t.Parallel()
	set := load(t, one("host", "'{name}.apps.example.com'"))
	var pool rules.Pool
	first, _ := set.Resolve("a", rules.Defaults(), nil, "")
	second, _ := set.Resolve("b", rules.Defaults(), nil, "")
	if pool.Share(first) != pool.Share(second) {
		t.Error("each has its own")
	}
}
