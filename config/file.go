package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/paastis/paastis/prices"
	"github.com/paastis/paastis/providers"
	"github.com/paastis/paastis/rules"
)

// document is paastis.yml as it is written.
type document struct {
	Config    `yaml:",inline"`
	Providers yaml.Node `yaml:"providers"`
	Rules     yaml.Node `yaml:"rules"`
	Ignore    yaml.Node `yaml:"ignore"`
	Prices    yaml.Node `yaml:"prices"`
}

func (l *layers) readFile(file string) error {
	if file == "" {
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%s: %w; Paastis must be allowed to read it", file, withoutPath(err))
	}
	return l.parseFile(filepath.Base(file), data)
}

func (l *layers) parseFile(name string, data []byte) error {
	root, err := onlyDocument(name, data)
	if err != nil {
		return err
	}
	if root.Kind == 0 || isNull(root.Content[0]) {
		return nil // an empty file
	}
	doc := document{Config: l.Config}
	faults := []error{l.checkKeys(name, root.Content[0], "")}
	if err = root.Decode(&doc); err != nil && faults[0] == nil {
		faults = append(faults, yamlFaults(name, err))
	}
	var listed error
	l.Rules, err = rules.Parse(name, &doc.Rules, &doc.Ignore)
	l.Config = doc.Config
	l.Providers, listed = providers.Parse(name, &doc.Providers)
	faults = append(faults, listed)
	l.Prices, listed = prices.Parse(name, &doc.Prices)
	faults = append(faults, listed)
	return errors.Join(append(faults, err)...)
}

// onlyDocument reads a file that has one YAML document; its Kind is zero if the file has none.
// A second one is a fault: YAML's own way is to leave it out in silence.
func onlyDocument(name string, data []byte) (yaml.Node, error) {
	var first, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&first); err != nil && !errors.Is(err, io.EOF) {
		return first, yamlFaults(name, err)
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF), err == nil && isNull(second.Content[0]):
		return first, nil
	case err != nil:
		return first, yamlFaults(name, err)
	default:
		return first, fmt.Errorf("%s:%d: a second YAML document begins here, which would be left out; put its keys into the first, and remove the line ---", name, second.Content[0].Line)
	}
}

// isNull reports whether nothing stands there, as after a key alone.
func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

// checkKeys reports the keys that are unknown, and notes where the others were set.
func (l *layers) checkKeys(file string, node *yaml.Node, prefix string) error {
	if isNull(node) {
		return nil // a section without keys
	}
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: expected keys such as max_idle_time or rules", file, node.Line)
	}
	var faults []error
	known := append(settingKeys(), "providers", "rules", "ignore", "prices")
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		path := prefix + key.Value
		switch {
		case path == endpointsKey:
			faults = append(faults, l.checkEndpoints(file, value))
		case slices.Contains(known, path):
			l.Origins.note(path, fmt.Sprintf("%s:%d", file, key.Line))
			faults = append(faults, checkValue(file, path, value))
		case slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(k, path+".") }):
			faults = append(faults, l.checkKeys(file, value, path+"."))
		default:
			faults = append(faults, fmt.Errorf("%s:%d: unknown key %q%s", file, key.Line, path, cmp.Or(ownerOf(path), didYouMean(path, known))))
		}
	}
	return errors.Join(faults...)
}

// checkValue reports a value that is none of its setting's kind.
func checkValue(file, path string, value *yaml.Node) error {
	s, ok := settingBy(Settings(), func(s Setting) bool { return s.Key == path })
	if !ok {
		return nil
	}
	if s.IsList {
		providers.JoinList(value)
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
