package rules_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/paastis/paastis/rules"
)

func FuzzParseFile(f *testing.F) {
	for _, yml := range []string{
		"", "rules:", cascade, "ignore: ['^vault$', '[']", "rules: &r [*r]", "- a", "ruls: 1\nrules: x",
		one("linked_apps", "[a, '$1', {name: b, condition: up, optional: x}]"),
		one("probe", "http:8080/x"), one("max_idle_time", "never"), one("hold_timeout", "1e9"),
		"rules:\n  - &a {pattern: '(a', <<: *a, <<: [*a], app_name: \"a\\nb${c\\nd}\"}\n  - *a\n",
		"rules:\n  - pattern: |\n      (?P<a>x)\n      y\n    app_group: '${a}$$$10'\n",
	} {
		f.Add([]byte(yml))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := rules.ParseFile("paastis.yml", data)
		if err == nil {
			set.Warnings([]string{"shop-front", ""})
			set.Resolve("shop-front", rules.Defaults(), nil, "")
			return
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(line, "paastis.yml:") {
				t.Errorf("line %q of the error tells no place:\n%v", line, err)
			}
		}
	})
}

func FuzzResolve(f *testing.F) {
	f.Add(`pr(\d+)-(back|front)?`, "pr$1-$2", "pr42-")
	f.Add(tenGroups, "$10$1${10}$$$99", "abcdefghij")
	f.Add(`(?P<a>.)(b)?`, "${a}${2}$a$", "a")
	f.Add(`(\xff)|.*`, "a$1", "\xff")
	f.Fuzz(func(t *testing.T, pattern, text, name string) {
		set := parseOne(pattern, text)
		if set == nil {
			return
		}
		r, warnings := set.Resolve(name, rules.Defaults(), map[string]string{"paastis.linked_apps": text}, "here")
		for _, w := range warnings {
			if strings.Contains(w, "refers to a group") {
				t.Errorf("loaded, and yet: %s", w)
			}
		}
		if len(r.Matches) == 0 {
			return
		}
		if want := expand(pattern, text, name); r.AppGroup != want {
			t.Errorf("%q of %q for %q is %q, want %q", text, pattern, name, r.AppGroup, want)
		}
		if strings.Contains(r.AppGroup, "undefined") && !strings.Contains(text+name, "u") {
			t.Errorf("%q of %q for %q is %q", text, pattern, name, r.AppGroup)
		}
	})
}

// parseOne loads a rule that gives one text to several properties. Nil: it is refused.
func parseOne(pattern, text string) *rules.Set {
	rule := &yaml.Node{Kind: yaml.MappingNode}
	for _, pair := range [][2]string{{"pattern", pattern}, {"app_group", text}, {"app_name", text}, {"linked_apps", text}, {"probe", "http:/" + text}} {
		for _, s := range pair {
			rule.Content = append(rule.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s})
		}
	}
	set, err := rules.Parse("paastis.yml", &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{rule}}, nil)
	if err != nil {
		return nil
	}
	return set
}

var dollars = regexp.MustCompile(`(?s)\$(?:\$|\{([^}]*)\}|([1-9]\d)|(\d))`)

// expand is a second, slower way to replace references. The pattern must match name and
// have all groups.
func expand(pattern, text, name string) string {
	re := regexp.MustCompile(strings.TrimSpace(pattern))
	groups := re.FindStringSubmatch(name)
	group := func(ref string) string {
		if i, err := strconv.Atoi(ref); err == nil {
			return groups[i]
		}
		return groups[re.SubexpIndex(ref)]
	}
	return dollars.ReplaceAllStringFunc(strings.TrimSpace(text), func(ref string) string {
		switch parts := dollars.FindStringSubmatch(ref); {
		case ref == "$$":
			return "$"
		case strings.HasPrefix(ref, "${"):
			return group(parts[1])
		case parts[2] != "" && !has(groups, parts[2]):
			return group(ref[1:2]) + ref[2:]
		default:
			return group(ref[1:])
		}
	})
}

func has(groups []string, digits string) bool {
	n, err := strconv.Atoi(digits)
	return err == nil && n < len(groups)
}
