// Package rules turns app names into properties and links. It does no I/O and has no
// clock.
//
//	rules:
//	  - pattern: 'pix-app-review-pr(\d+)-(back|front)'   a Go regular expression
//	    linked_apps: ['pix-app-review-pr$1-back']        properties; $1 is a group
//	  - pattern: 'pix-.*'
//	    max_idle_time: 30m
//	ignore: ['^vault$']
//
// Every rule that matches a name applies, in file order; a later one wins, property by
// property. The labels of an app (paastis.<property>) win over all rules. Links of all
// origins make one Graph, in which cycles are normal.
package rules

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// Set is the rules of a file. It never changes. A nil Set has no rules.
type Set struct {
	file   string
	rules  []rule
	ignore []ignored

	mu sync.Mutex
	// shared :: the places of rules that apply → the origins of apps of which nothing else is
	// said. They are not changed any more.
	shared map[string]map[string]string
}

// rule is a pattern and the properties that it gives.
type rule struct {
	line    int
	pattern *regexp.Regexp
	match   Match // of every app that it applies to
	sets    []assignment
}

// assignment is one property of a rule.
type assignment struct {
	property *Property
	value    *yaml.Node
	line     int
	origin   string // as the origin of the property, for every app
}

// ignored is a pattern of apps that are left alone.
type ignored struct {
	origin  string // where it is said: "paastis.yml:12"
	pattern *regexp.Regexp
}

// Match is a rule that applies to an app.
type Match struct {
	// Pattern as it is written.
	Pattern string
	// Origin is the rule's place, as "paastis.yml:12".
	Origin string
}

// String is the match for people.
func (m Match) String() string { return fmt.Sprintf("%s (pattern '%s')", m.Origin, m.Pattern) }

// Resolved are the properties of an app, and where each comes from.
type Resolved struct {
	Properties
	// Origins :: property key → "default", "paastis.yml:12 (pattern 'x')", "label …".
	// A property without one was never set. Read it only: apps of which nothing is said
	// have one together.
	Origins map[string]string
	// Matches are the rules that apply, in file order.
	Matches []Match
	// Ignored is the place of the pattern that leaves the app alone. Empty: none.
	Ignored string

	own bool // the Origins are nobody else's
}

// Parse reads the values of the keys `rules` and `ignore` of a file; nil or empty nodes
// are keys that are absent. The error joins all faults, a line each, with file and line.
func Parse(file string, rules, ignore *yaml.Node) (*Set, error) {
	s := &Set{file: file}
	return s, errors.Join(s.readRules(rules), s.readIgnore(ignore))
}

// Ignoring are the same rules, which also leave alone the apps of some names. origin is where that
// is said. A nil Set has no rules.
func (s *Set) Ignoring(names []string, origin string) *Set {
	with := &Set{}
	if s != nil {
		with.file, with.rules, with.ignore = s.file, s.rules, slices.Clone(s.ignore)
	}
	for _, name := range names {
		with.ignore = append(with.ignore, ignored{origin: origin, pattern: regexp.MustCompile("^" + regexp.QuoteMeta(name) + "$")})
	}
	return with
}

// Ignores reports whether any apps are left alone.
func (s *Set) Ignores() bool { return s != nil && len(s.ignore) > 0 }

// IsEmpty reports whether there is no rule.
func (s *Set) IsEmpty() bool { return s == nil || len(s.rules) == 0 }

// ParseFile reads a file that has nothing but rules.
func ParseFile(file string, data []byte) (*Set, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, fmt.Errorf("%s: %s", file, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if root.Kind == 0 {
		return &Set{file: file}, nil
	}
	top := deref(root.Content[0])
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: expected the key \"rules\"", file, top.Line)
	}
	var faults []error
	values := map[string]*yaml.Node{}
	for key, value := range pairs(top) {
		if key.Value != "rules" && key.Value != "ignore" {
			faults = append(faults, fmt.Errorf("%s:%d: unknown key %q%s", file, key.Line, key.Value, suggest(key.Value, []string{"rules", "ignore"})))
		}
		if values[key.Value] != nil {
			faults = append(faults, fmt.Errorf("%s:%d: %q is given twice", file, key.Line, key.Value))
		}
		values[key.Value] = value
	}
	s, err := Parse(file, values["rules"], values["ignore"])
	return s, errors.Join(append(faults, err)...)
}

// Resolve gives the properties of the app that its provider calls name: base, the rules
// that match, the labels. Patterns are tried on the label paastis.name if there is one.
// labelOrigin says where the labels are (`container "x"`). The warnings are a line each;
// what they are about is left out. base is not changed.
func (s *Set) Resolve(name string, base Resolved, labels map[string]string, labelOrigin string) (Resolved, []string) {
	r := base
	r.own, r.Matches = false, nil
	if r.Origins == nil {
		r.own, r.Origins = true, map[string]string{}
	}
	own := ownLabels(labels)
	var warnings []string
	if s != nil {
		warnings = s.apply(cmp.Or(own["name"], name), &r)
	}
	return r, append(warnings, r.label(own, labelOrigin)...)
}

// TriedName is the name that patterns are tried on of an app that its provider calls name: the
// label paastis.name if there is one.
func TriedName(name string, labels map[string]string) string {
	return cmp.Or(ownLabels(labels)["name"], name)
}

// apply lays the rules that match over the properties.
func (s *Set) apply(name string, r *Resolved) (warnings []string) {
	for _, rule := range s.rules {
		groups := rule.pattern.FindStringSubmatchIndex(name)
		if groups == nil {
			continue
		}
		r.Matches = append(r.Matches, rule.match)
		expand := func(text string) (string, error) { return expandMatch(text, rule.pattern, name, groups) }
		for _, set := range rule.sets {
			if err := set.property.set(&r.Properties, set.value, expand); err != nil {
				warnings = append(warnings, fmt.Sprintf("%s: %s of app %q: %v; left out", set.origin, set.property.Key, name, err))
				continue
			}
			r.from(set.property, set.origin)
		}
	}
	s.share(r)
	for _, i := range s.ignore {
		if i.pattern.MatchString(name) {
			r.Ignored = fmt.Sprintf("%s: ignore '%s'", i.origin, i.pattern)
		}
	}
	return warnings
}

// share lets apps that the same rules say the same of have one map of origins.
func (s *Set) share(r *Resolved) {
	if !r.own {
		return
	}
	places := r.places()
	s.mu.Lock()
	defer s.mu.Unlock()
	origins, known := s.shared[places]
	switch {
	case known && maps.Equal(origins, r.Origins):
		r.own, r.Origins = false, origins
	case !known:
		if s.shared == nil {
			s.shared = map[string]map[string]string{}
		}
		s.shared[places], r.own = r.Origins, false
	}
}

// label lays an app's own labels over the properties, in the order of their names.
func (r *Resolved) label(own map[string]string, origin string) (warnings []string) {
	for _, key := range slices.Sorted(maps.Keys(own)) {
		property := propertyOf(key)
		switch {
		case key == "id": // of the app under all its names: the registry's
		case property != nil:
			if err := property.set(&r.Properties, labelNode(property, own[key]), verbatim); err != nil {
				warnings = append(warnings, fmt.Sprintf("label \"paastis.%s\" on %s: %v; left out", key, origin, err))
				continue
			}
			r.from(property, fmt.Sprintf("label paastis.%s on %s", key, origin))
		default:
			warnings = append(warnings, fmt.Sprintf("unknown label \"paastis.%s\" on %s%s", key, origin, suggestLabel(key)))
		}
	}
	return warnings
}

// from notes where a property comes from.
func (r *Resolved) from(p *Property, origin string) {
	if !r.own {
		r.own, r.Origins = true, maps.Clone(r.Origins)
	}
	r.Origins[p.Key] = origin
}

// ownLabels are the labels that begin with paastis., without that, in lower case.
func ownLabels(labels map[string]string) map[string]string {
	own := map[string]string{}
	for label, value := range labels {
		if key, ok := strings.CutPrefix(strings.ToLower(label), "paastis."); ok {
			own[key] = value
		}
	}
	return own
}

func (s *Set) place(line int) string { return fmt.Sprintf("%s:%d", s.file, line) }

// fault is one line, whatever the file holds.
func (s *Set) fault(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", s.file, line, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", `\n`))
}

func (s *Set) readRules(list *yaml.Node) error {
	items, err := s.items(list, "rules", "a list of rules, each with a pattern")
	faults := []error{err}
	for _, item := range items {
		faults = append(faults, s.readRule(deref(item)))
	}
	return errors.Join(faults...)
}

func (s *Set) readIgnore(list *yaml.Node) error {
	items, err := s.items(list, "ignore", "a list of patterns")
	faults := []error{err}
	for _, item := range items {
		pattern, err := s.compile(deref(item))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		s.ignore = append(s.ignore, ignored{origin: s.place(item.Line), pattern: pattern})
	}
	return errors.Join(faults...)
}

// items are the elements of a list; none if the key is absent or empty.
func (s *Set) items(list *yaml.Node, key, want string) ([]*yaml.Node, error) {
	if list == nil || list.Kind == 0 {
		return nil, nil
	}
	list = deref(list)
	switch {
	case list.Kind == yaml.SequenceNode:
		return list.Content, nil
	case list.Tag == "!!null":
		return nil, nil
	default:
		return nil, s.fault(list.Line, "%s: expected %s", key, want)
	}
}

// readRule reads one rule and checks each of its values, the references to groups
// among them.
func (s *Set) readRule(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return s.fault(node.Line, "expected a rule with a pattern and properties")
	}
	r := rule{line: node.Line}
	var faults []error
	seen := map[string]bool{}
	for key, value := range pairs(node) {
		if key.Value == "pattern" {
			if seen[key.Value] {
				faults = append(faults, s.fault(key.Line, "pattern is given twice in one rule"))
			}
			var err error
			if r.pattern, err = s.compile(value); err != nil {
				faults = append(faults, err)
			}
			r.line = key.Line
			seen[key.Value] = true
			continue
		}
		property := propertyOf(key.Value)
		switch {
		case property == nil || key.Value == "name":
			faults = append(faults, s.fault(key.Line, "unknown key %q in a rule%s", key.Value, suggestKey(key.Value)))
		case seen[property.Key]:
			faults = append(faults, s.fault(key.Line, "%s is given twice in one rule (%s)", key.Value, property.Key))
		default:
			r.sets = append(r.sets, assignment{property: property, value: value, line: key.Line})
			seen[property.Key] = true
		}
	}
	if r.pattern == nil {
		if len(faults) == 0 {
			faults = append(faults, s.fault(node.Line, "a rule without a pattern; add pattern: with a regular expression on app names"))
		}
		return errors.Join(faults...)
	}
	r.match = Match{Pattern: r.pattern.String(), Origin: s.place(r.line)}
	for i := range r.sets {
		r.sets[i].origin = fmt.Sprintf("%s (pattern '%s')", s.place(r.sets[i].line), r.pattern)
	}
	s.rules = append(s.rules, r)
	return errors.Join(append(faults, s.try(r))...)
}

// try sets the properties of a rule once, to learn at load time what is wrong.
func (s *Set) try(r rule) error {
	var faults []error
	for _, set := range r.sets {
		check := func(text string) (string, error) { return text, checkReferences(text, r.pattern) }
		if err := set.property.set(new(Properties), set.value, check); err != nil {
			faults = append(faults, s.fault(set.line, "%s: %v", set.property.Key, err))
		}
	}
	return errors.Join(faults...)
}

func (s *Set) compile(node *yaml.Node) (*regexp.Regexp, error) {
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" || strings.TrimSpace(node.Value) == "" {
		return nil, s.fault(node.Line, "expected a pattern, a regular expression on app names")
	}
	re, err := regexp.Compile(strings.TrimSpace(node.Value))
	if err != nil {
		return nil, s.fault(node.Line, "pattern '%s': %s; patterns are Go regular expressions, without look-around and back-references",
			node.Value, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}
