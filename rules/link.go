package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Link is one app's need of another.
type Link struct {
	// Name of the linked app, by any name that it is known by. Required.
	Name string
	// Condition that the linked app must meet before the app that needs it starts.
	// The zero value is Healthy.
	Condition Condition
	// Optional reports whether the app works without the linked one: a failure of it is
	// shown and does not hold up the wake.
	Optional bool
	// Ordered reports whether the linked app comes up before the one that needs it starts even
	// where both need each other by other links, as of Compose's depends_on. A Graph keeps
	// it only where such links form no cycle of their own. Other links order apps of
	// different components only, unless their Condition is Completed.
	Ordered bool
	// Lends reports whether the app lives in namespaces of the linked one, as by Compose's
	// network_mode: service:x: when that is started again, the app is cut off, and has to be
	// started again as well.
	Lends bool
	// Restart reports whether the app is to be started again if the linked one is started under
	// it by order, as of Compose's depends_on with restart: true.
	Restart bool
}

// Condition is what a linked app must have reached, as in Compose's depends_on. Started
// is the least strict, Completed the most.
type Condition uint8

const (
	// Healthy: it runs, and its health check or its probe passes.
	Healthy Condition = iota
	// Started: it runs.
	Started
	// Completed: it ran and ended with exit code 0.
	Completed
)

var conditionNames = [...]string{Healthy: "healthy", Started: "started", Completed: "completed"}

// String is the condition as it is written in rules.
func (c Condition) String() string { return conditionNames[c] }

// String is the link as it is written in a label.
func (l Link) String() string {
	s := l.Name
	if l.Condition != Healthy {
		s += ":" + l.Condition.String()
	}
	if l.Optional {
		s += "?"
	}
	return s
}

// To returns the link with another name of the app that it leads to.
func (l Link) To(name string) Link {
	l.Name = name
	return l
}

// FromProvider returns the link as one of the provider's own, such as Compose's depends_on: under
// the name that the app has everywhere, ordered, and optional if a label or a rule says so.
func (l Link) FromProvider(name string, optional bool) Link {
	l.Name, l.Ordered, l.Optional = name, true, l.Optional || optional
	return l
}

// Lending returns the link as one to an app in whose namespaces the other may live, too.
func (l Link) Lending(lends bool) Link {
	l.Lends = l.Lends || lends
	return l
}

// with returns one link for two to the same app.
func (l Link) with(o Link) Link {
	l.Optional = l.Optional || o.Optional
	l.Ordered = l.Ordered || o.Ordered
	l.Lends = l.Lends || o.Lends
	l.Restart = l.Restart || o.Restart
	return l.atLeast(o.Condition)
}

// atLeast returns the link with the stricter one of its condition and another.
func (l Link) atLeast(c Condition) Link {
	l.Condition = stricter(l.Condition, c)
	return l
}

// inOrder returns the link ordered or not.
func (l Link) inOrder(ordered bool) Link {
	l.Ordered = ordered
	return l
}

func stricter(a, b Condition) Condition {
	strictness := [...]int{Started: 0, Healthy: 1, Completed: 2}
	if strictness[a] >= strictness[b] {
		return a
	}
	return b
}

func linksText(links []Link) string {
	all := make([]string, 0, len(links))
	for _, l := range links {
		all = append(all, l.String())
	}
	return strings.Join(all, ", ")
}

// setLinks reads a list of names or {name, condition, optional}; one name alone will
// do. A name that turns out empty for an app is left out.
func setLinks(p *Properties, value *yaml.Node, expand expander) error {
	value = deref(value)
	items := []*yaml.Node{value}
	switch {
	case value.Kind == yaml.SequenceNode:
		items = value.Content
	case value.Tag == "!!null":
		items = nil
	}
	links := make([]Link, 0, len(items))
	var faults []string
	for _, item := range items {
		l, err := readLink(deref(item), expand)
		switch {
		case err != nil:
			faults = append(faults, err.Error())
		case l.Name != "":
			links = append(links, l)
		}
	}
	if len(faults) > 0 {
		return errors.New(strings.Join(faults, "; "))
	}
	p.LinkedApps = links
	return nil
}

func readLink(node *yaml.Node, expand expander) (Link, error) {
	switch node.Kind {
	case yaml.ScalarNode:
		return named(node, expand)
	case yaml.MappingNode:
		return readLinkMapping(node, expand)
	default:
		return Link{}, errors.New("expected a name, or {name, condition, optional}")
	}
}

func readLinkMapping(node *yaml.Node, expand expander) (l Link, err error) {
	seen := map[string]bool{}
	for key, value := range pairs(node) {
		if seen[key.Value] {
			return l, fmt.Errorf("%q is given twice in a linked app", key.Value)
		}
		seen[key.Value] = true
		switch key.Value {
		case "name":
			var n Link
			n, err = named(value, expand)
			l.Name = n.Name
		case "condition":
			l.Condition, err = conditionOf(value.Value)
		case "optional":
			err = value.Decode(&l.Optional)
			if err != nil {
				err = fmt.Errorf("optional: %q is neither true nor false", value.Value)
			}
		default:
			err = fmt.Errorf("unknown key %q of a linked app%s", key.Value, suggest(key.Value, []string{"name", "condition", "optional"}))
		}
		if err != nil {
			return l, err
		}
	}
	if !seen["name"] {
		return l, errors.New("a linked app without a name")
	}
	return l, nil
}

func named(node *yaml.Node, expand expander) (Link, error) {
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" || strings.TrimSpace(node.Value) == "" {
		return Link{}, errors.New("a linked app without a name")
	}
	name, err := expand(strings.TrimSpace(node.Value))
	return Link{Name: name}, err
}

func conditionOf(text string) (Condition, error) {
	i := slices.Index(conditionNames[:], strings.TrimPrefix(text, "service_"))
	switch {
	case i >= 0:
		return Condition(i), nil
	case text == "service_completed_successfully":
		return Completed, nil
	default:
		return 0, fmt.Errorf("condition %q is unknown; write started, healthy or completed", text)
	}
}

// labelLinks is the label's "back, db:started, cache?" as the list that rules have. A
// value that begins with a bracket is YAML already.
func labelLinks(value string) *yaml.Node {
	var root yaml.Node
	if strings.HasPrefix(strings.TrimSpace(value), "[") && yaml.Unmarshal([]byte(value), &root) == nil && root.Kind != 0 {
		return root.Content[0]
	}
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list.Content = append(list.Content, labelLink(item))
		}
	}
	return list
}

// labelLink reads name[:condition][?].
func labelLink(item string) *yaml.Node {
	item, optional := strings.CutSuffix(item, "?")
	name, condition, conditional := strings.Cut(item, ":")
	link := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar("name"), scalar(name)}}
	if conditional {
		link.Content = append(link.Content, scalar("condition"), scalar(strings.TrimSpace(condition)))
	}
	if optional {
		link.Content = append(link.Content, scalar("optional"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	}
	return link
}
