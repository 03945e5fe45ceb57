package rules

import (
	"iter"

	"gopkg.in/yaml.v3"
)

// maxAliases bounds how many aliases of YAML are followed one after the other: they
// may lead in cycles.
const maxAliases = 16

// deref is the node that an alias stands for.
func deref(n *yaml.Node) *yaml.Node {
	for range maxAliases {
		if n.Kind != yaml.AliasNode {
			return n
		}
		n = n.Alias
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line}
}

// pairs are the keys and values of a mapping, those that it merges (<<) first. Each
// mapping is merged once: merges may lead in cycles, and double at each step.
func pairs(mapping *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(*yaml.Node, *yaml.Node) bool) {
		eachPair(mapping, map[*yaml.Node]bool{}, yield)
	}
}

// eachPair yields until yield says no, and reports whether it went on to the end.
func eachPair(mapping *yaml.Node, seen map[*yaml.Node]bool, yield func(*yaml.Node, *yaml.Node) bool) bool {
	seen[mapping] = true
	for _, merged := range []bool{true, false} {
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			key, value := deref(mapping.Content[i]), deref(mapping.Content[i+1])
			isMerge := key.Tag == "!!merge" && value.Kind == yaml.MappingNode
			switch {
			case isMerge != merged:
			case isMerge && !seen[value]:
				if !eachPair(value, seen, unless(mapping, yield)) {
					return false
				}
			case !isMerge:
				if !yield(key, value) {
					return false
				}
			}
		}
	}
	return true
}

// unless leaves out the keys that the mapping has itself: they win over merged ones.
func unless(mapping *yaml.Node, yield func(*yaml.Node, *yaml.Node) bool) func(*yaml.Node, *yaml.Node) bool {
	own := map[string]bool{}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		own[mapping.Content[i].Value] = true
	}
	return func(key, value *yaml.Node) bool { return own[key.Value] || yield(key, value) }
}

func scalar(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}
