package providers

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/paastis/paastis/providers/clevercloud"
	"github.com/paastis/paastis/providers/docker"
	"github.com/paastis/paastis/providers/heroku"
	"github.com/paastis/paastis/providers/scalingo"
	"github.com/paastis/paastis/rules"
)

// Spec is a provider as the configuration asks for it.
type Spec struct {
	// Name is its ID, by which it is told from the others.
	Name string
	// Type is what it is: the name of one of kinds.
	Type string
	// Docker and what follows are the settings of a provider of that type.
	Docker      docker.Settings
	CleverCloud clevercloud.Settings
	Heroku      heroku.Settings
	Scalingo    scalingo.Settings
}

// named is what a provider may be called: the beginning of an app's name.
var named = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)

// Parse reads the list of providers of a file. All faults are reported, a line each.
func Parse(file string, list *yaml.Node) ([]Spec, error) {
	if list.Kind == 0 || list.Tag == "!!null" {
		return nil, nil
	}
	if list.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("%s:%d: providers: expected a list, each with name and type", file, list.Line)
	}
	var specs []Spec
	var faults []error
	for _, node := range list.Content {
		s, err := parseOne(file, node)
		if err == nil && slices.ContainsFunc(specs, func(o Spec) bool { return o.Name == s.Name }) {
			err = fmt.Errorf("%s:%d: providers: two are called %q; give each a name of its own", file, node.Line, s.Name)
		}
		specs, faults = append(specs, s), append(faults, err)
	}
	return specs, errors.Join(faults...)
}

func parseOne(file string, node *yaml.Node) (Spec, error) {
	var s Spec
	if node.Kind != yaml.MappingNode {
		return s, fmt.Errorf("%s:%d: providers: expected keys, name and type among them", file, node.Line)
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		switch node.Content[i].Value {
		case "name":
			s.Name = node.Content[i+1].Value
		case "type":
			s.Type = node.Content[i+1].Value
		}
	}
	k := kindOf(s.Type)
	switch {
	case k == nil:
		return s, fmt.Errorf("%s:%d: providers: type %q is unknown; known: %s", file, node.Line, s.Type, Known())
	case !named.MatchString(s.Name):
		return s, fmt.Errorf("%s:%d: providers: %q is no name: it has small letters, digits, - and _", file, node.Line, s.Name)
	}
	if err := s.decode(file, node); err != nil {
		return s, err
	}
	return s, s.validate(file, node)
}

// validated are settings that know which of their keys makes no sense.
type validated interface {
	// Validate is nil, or what is wrong with the value of a key.
	Validate() (key string, err error)
}

// validate says where a value stands that makes no sense.
func (s Spec) validate(file string, node *yaml.Node) error {
	key, err := s.Validate()
	if err == nil {
		return nil
	}
	line := node.Line
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			line = node.Content[i+1].Line
		}
	}
	return fmt.Errorf("%s:%d: providers: %w", file, line, err)
}

// decode reads the keys of a provider beside its name and its type. All are texts.
func (s *Spec) decode(file string, node *yaml.Node) error {
	target := reflect.ValueOf(s.Settings()).Elem()
	known := []string{"name", "type"}
	fields := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(target.Type()) {
		key := f.Tag.Get("yaml")
		known, fields[key] = append(known, key), f
	}
	var faults []error
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		field, ok := fields[key.Value]
		if ok && IsList(field) {
			JoinList(value)
		}
		switch {
		case key.Value == "name", key.Value == "type":
		case !ok:
			hint := "; known: " + strings.Join(known, ", ")
			if of := WithKey(key.Value); of != nil {
				hint = fmt.Sprintf("; it is a key of %s, and %q is %s", strings.Join(of, " and "), s.Name, s.Type)
			} else if near := rules.Nearest(key.Value, known); near != "" {
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
			faults = append(faults, fmt.Errorf("%s:%d: providers: unknown key %q%s", file, key.Line, key.Value, hint))
		case value.Kind != yaml.ScalarNode:
			faults = append(faults, fmt.Errorf("%s:%d: providers: %s: expected a text", file, value.Line, key.Value))
		case value.Tag != "!!null":
			target.FieldByIndex(field.Index).SetString(value.Value)
		}
	}
	return errors.Join(faults...)
}

// IsList reports whether a setting is a text with commas between its parts, by its tag. A file may
// have a list there.
func IsList(field reflect.StructField) bool { return field.Tag.Get("list") == "commas" }

// JoinList makes of a list of texts one with commas. Any other node stays as it is.
func JoinList(node *yaml.Node) {
	if node.Kind != yaml.SequenceNode {
		return
	}
	var parts []string
	for _, part := range node.Content {
		if part.Kind != yaml.ScalarNode || strings.Contains(part.Value, ",") {
			return
		}
		parts = append(parts, part.Value)
	}
	node.SetString(strings.Join(parts, ", "))
}
