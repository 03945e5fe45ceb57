package prices

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/paastis/paastis/rules"
)

// Written are prices as a file has them: by the name of a provider, or by a type of providers.
type Written struct {
	file  string
	lists []writtenList
}

// writtenList is what stands under one key.
type writtenList struct {
	List
	key  string
	line int
}

// Parse reads the prices of a file:
//
//	prices:
//	  scalingo:        # a provider's name or type: what an hour of a container of a size costs
//	    M: 0.02 EUR
//	  docker: 0.01 EUR # one price for all
//
// All faults are reported, a line each.
func Parse(file string, node *yaml.Node) (Written, error) {
	w := Written{file: file}
	if node = plain(node); isNull(node) {
		return w, nil
	}
	if node.Kind != yaml.MappingNode {
		return w, fmt.Errorf("%s:%d: prices: expected names or types of providers, each with sizes and what they cost", file, node.Line)
	}
	var faults []error
	for key, value := range pairs(node) {
		if slices.ContainsFunc(w.lists, func(l writtenList) bool { return l.key == key.Value }) {
			faults = append(faults, fmt.Errorf("%s:%d: prices.%s stands there twice; put its sizes together", file, key.Line, key.Value))
			continue
		}
		list, err := parseList(file, "prices."+key.Value, value)
		w.lists = append(w.lists, writtenList{list, key.Value, key.Line})
		faults = append(faults, err)
	}
	return w, errors.Join(faults...)
}

// parseList reads one price for all, or one for each size.
func parseList(file, path string, node *yaml.Node) (List, error) {
	switch {
	case isNull(node):
		return List{}, nil
	case node.Kind == yaml.ScalarNode:
		p, err := parsePrice(file, path, node)
		return List{all: &p}, err
	case node.Kind != yaml.MappingNode:
		return List{}, fmt.Errorf("%s:%d: %s: expected sizes and what they cost, or one price for all", file, node.Line, path)
	}
	list := List{sizes: map[string]Price{}}
	var faults []error
	for size, value := range pairs(node) {
		at, key := path+"."+size.Value, strings.ToLower(size.Value)
		if _, twice := list.sizes[key]; twice {
			faults = append(faults, fmt.Errorf("%s:%d: %s stands there twice, whatever its capitals; leave one", file, size.Line, at))
			continue
		}
		p, err := parsePrice(file, at, value)
		list.sizes[key] = p
		faults = append(faults, err)
	}
	return list, errors.Join(faults...)
}

func parsePrice(file, path string, node *yaml.Node) (Price, error) {
	if node.Kind != yaml.ScalarNode {
		return Price{}, fmt.Errorf("%s:%d: %s: expected a price such as 0.02 EUR", file, node.Line, path)
	}
	p, err := New(node.Value)
	if err != nil {
		return p, fmt.Errorf("%s:%d: %s: %w", file, node.Line, path, err)
	}
	return p, nil
}

// Table has the prices of providers, of which types says what each is, by their IDs. What stands
// under a provider's own name goes before what stands under its type. A key that is neither is a
// fault, unless isType says that there are providers of that type.
func (w Written) Table(types map[string]string, isType func(string) bool) (Table, error) {
	table := Table{}
	for _, l := range w.lists { // also those of a provider that is no more: its apps have avoided something
		table[l.key] = l.List
	}
	for id, kind := range types {
		table[id] = w.of(kind).under(w.of(id))
	}
	var faults []error
	for _, l := range w.lists {
		if _, is := types[l.key]; !is && !isType(l.key) {
			faults = append(faults, fmt.Errorf("%s:%d: prices.%s: no provider is called so, nor is any of that type%s", w.file, l.line, l.key, hint(l.key, types)))
		}
	}
	return table, errors.Join(faults...)
}

// hint is which provider may be meant.
func hint(key string, types map[string]string) string {
	known := slices.Sorted(maps.Keys(types))
	if near := rules.Nearest(key, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; there is " + strings.Join(known, ", ")
}

// of is what stands under a key.
func (w Written) of(key string) List {
	for _, l := range w.lists {
		if l.key == key {
			return l.List
		}
	}
	return List{}
}

// under is the list with another one's prices before its own.
func (l List) under(first List) List {
	both := List{sizes: map[string]Price{}, all: l.all}
	if first.all != nil {
		return List{sizes: first.sizes, all: first.all}
	}
	maps.Copy(both.sizes, l.sizes)
	maps.Copy(both.sizes, first.sizes)
	return both
}

// pairs are the keys of a mapping and their values.
func pairs(node *yaml.Node) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(node.Content); i += 2 {
			if !yield(node.Content[i], plain(node.Content[i+1])) {
				return
			}
		}
	}
}

// plain is what an alias stands for.
func plain(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// isNull reports whether nothing stands there.
func isNull(node *yaml.Node) bool { return node.Kind == 0 || node.Tag == "!!null" }
