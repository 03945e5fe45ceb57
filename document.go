package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/paastis/paastis/rules"
	"gopkg.in/yaml.v3"
)

// document is paastis.yml as it is written.
type document struct {
	Config `yaml:",inline"`
	Rules  yaml.Node `yaml:"rules"`
	Ignore yaml.Node `yaml:"ignore"`
}

func (l *Loaded) readFile() error {
	if l.File == "" {
		return nil
	}
	data, err := os.ReadFile(l.File)
	if err != nil {
		return fmt.Errorf("%s: %w; Paastis must be allowed to read it", l.File, rootCause(err))
	}
	return l.parseFile(data)
}

func (l *Loaded) parseFile(data []byte) error {
	name := filepath.Base(l.File)
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return yamlFaults(name, err)
	}
	if root.Kind == 0 {
		return nil // an empty file
	}
	doc := document{Config: l.Config}
	faults := []error{l.checkKeys(name, root.Content[0], "")}
	if err := root.Decode(&doc); err != nil && faults[0] == nil {
		faults = append(faults, yamlFaults(name, err))
	}
	var err error
	l.Rules, err = rules.Parse(name, &doc.Rules, &doc.Ignore)
	l.Config = doc.Config
	return errors.Join(append(faults, err)...)
}

// checkKeys reports the keys that are unknown, and notes where the others were set.
func (l *Loaded) checkKeys(file string, node *yaml.Node, prefix string) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: expected keys such as max_idle_time or rules", file, node.Line)
	}
	var faults []error
	known := append(settingKeys(), "rules", "ignore")
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		path := prefix + key.Value
		switch {
		case path == endpointsKey:
			faults = append(faults, l.checkEndpoints(file, value))
		case slices.Contains(known, path):
			l.Origins[path] = fmt.Sprintf("%s:%d", file, key.Line)
			faults = append(faults, checkValue(file, path, value))
		case slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(k, path+".") }):
			faults = append(faults, l.checkKeys(file, value, path+"."))
		default:
			faults = append(faults, fmt.Errorf("%s:%d: unknown key %q%s", file, key.Line, path, didYouMean(path, known)))
		}
	}
	return errors.Join(faults...)
}

// checkValue reports a value that is none of its setting's kind.
func checkValue(file, path string, value *yaml.Node) error {
	s, ok := settingBy(settings(), func(s setting) bool { return s.Key == path })
	if !ok {
		return nil
	}
	return checkType(file, path, value, s.Type)
}

func checkType(file, path string, value *yaml.Node, want reflect.Type) error {
	if value.Decode(reflect.New(want).Interface()) == nil {
		return nil
	}
	return fmt.Errorf("%s:%d: %s: expected %s", file, value.Line, path, kindOf(want))
}

// kindOf says what a setting's value has to be.
func kindOf(want reflect.Type) string {
	switch want.Kind() {
	case reflect.Pointer:
		return kindOf(want.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Int64:
		return "a duration such as 30s or 2m"
	default:
		return "a text"
	}
}

// yamlFaults gives every line of a YAML error its file and line.
func yamlFaults(file string, err error) error {
	var typed *yaml.TypeError
	lines := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	if errors.As(err, &typed) {
		lines = typed.Errors
	}
	var faults []error
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "line "); ok {
			number, what, _ := strings.Cut(rest, ": ")
			faults = append(faults, fmt.Errorf("%s:%s: %s", file, number, what))
			continue
		}
		faults = append(faults, fmt.Errorf("%s: %s", file, line))
	}
	return errors.Join(faults...)
}
