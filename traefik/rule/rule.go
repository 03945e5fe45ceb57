// Package rule finds the router of a request: by the rules of Traefik 3 and 2, their
// priorities, and what middlewares did to the request before Paastis sees it.
//
//	Host(`shop.example`) && PathPrefix(`/`) ──Parse──► Rule
//	                                                     │ NewTable
//	                                                     ▼
//	Request ──────────────────────────────────► Table.Lookup, Table.Recognize
package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vulcand/predicate"

	"github.com/paastis/paastis/traefik"
)

// SyntaxV2 is the rule syntax of Traefik 2, as `ruleSyntax` names it. Anything else,
// "V2" too, is the syntax of Traefik 3.
const SyntaxV2 = "v2"

var (
	languageV2 = newLanguage(matchersV2)
	languageV3 = newLanguage(matchersV3)
)

var (
	errNotRule    = errors.New("not a rule: want a matcher, such as Host(`example.com`)")
	errOperand    = errors.New("!, && and || want matchers, such as Host(`example.com`)")
	errNotText    = errors.New("want text in `backquotes` or \"quotes\"")
	errNoArgument = errors.New("want an argument")
	errEmpty      = errors.New("empty argument")
)

// Rule is a parsed router rule: matchers joined by &&, || and !. It does not change
// and serves many goroutines at once. The nil Rule matches no request.
type Rule struct {
	text string
	root *node
}

// node is a matcher, or what joins two of them.
type node struct {
	op      operator
	not     bool // turns the outcome round
	left    *node
	right   *node
	matcher matcher
}

type operator uint8

const (
	leaf operator = iota
	and
	or
)

// Parse reads a rule in the given syntax: SyntaxV2, or any other text for that
// of Traefik 3. It takes what Traefik takes, and its error is one line that names the
// matcher and what is wrong with it.
func Parse(rule, syntax string) (parsed *Rule, err error) {
	// The parser calls functions by reflection; what its own guards let through
	// must not end the program for the sake of one app's label.
	defer func() {
		if cause := recover(); cause != nil {
			parsed, err = nil, traefik.SyntaxError{Cause: fmt.Errorf("%v", cause)}
		}
	}()
	found, err := language(syntax).Parse(rule)
	if err != nil {
		return nil, traefik.SyntaxError{Cause: err}
	}
	root, ok := found.(*node)
	if !ok {
		return nil, errNotRule
	}
	return &Rule{text: rule, root: root}, nil
}

// Match reports whether the rule takes the request. It does not keep the request.
func (r *Rule) Match(request *traefik.Request) bool {
	return r != nil && r.root.match(request)
}

// Hosts returns the exact hosts, in lower case, of which each request that the rule
// takes has one, whatever the dots at the end. Nil: any host may do.
func (r *Rule) Hosts() []string {
	if r == nil {
		return nil
	}
	hosts, bound := r.root.appendHosts(nil)
	if !bound {
		return nil
	}
	return hosts
}

// HostKeys are the Hosts without dots at their ends.
func (r *Rule) HostKeys() []string {
	var keys []string
	for _, host := range r.Hosts() {
		keys = append(keys, hostKey(host))
	}
	return keys
}

// TakesAllOf reports whether the rule takes every request of one of its HostKeys, whatever it asks
// for.
func (r *Rule) TakesAllOf(host string) bool {
	if !slices.Contains(r.HostKeys(), host) {
		return false
	}
	some := traefik.Request{Method: "GET", Proto: "http", Authority: host, Host: host, URI: "/", Path: "/"}
	other := traefik.Request{Method: "POST", Proto: "https", Authority: host, Host: host, URI: "/any-path-at-all", Path: "/any-path-at-all"}
	return r.Match(&some) && r.Match(&other)
}

// String returns the rule as it was written.
func (r *Rule) String() string {
	if r == nil {
		return ""
	}
	return r.text
}

func (n *node) match(request *traefik.Request) bool {
	return n.holds(request) != n.not
}

func (n *node) holds(request *traefik.Request) bool {
	switch n.op {
	case and:
		return n.left.match(request) && n.right.match(request)
	case or:
		return n.left.match(request) || n.right.match(request)
	default:
		return n.matcher.match(request)
	}
}

// appendHosts adds the node's hosts, and reports whether it is bound to them. If it is
// not, what it added is of no use.
func (n *node) appendHosts(hosts []string) ([]string, bool) {
	if n.not {
		return hosts, false
	}
	switch n.op {
	case and:
		if more, bound := n.left.appendHosts(hosts); bound {
			return more, true
		}
		return n.right.appendHosts(hosts)
	case or:
		more, bound := n.left.appendHosts(hosts)
		if !bound {
			return hosts, false
		}
		return n.right.appendHosts(more)
	default:
		return append(hosts, n.matcher.hosts...), len(n.matcher.hosts) > 0
	}
}

func language(syntax string) predicate.Parser {
	if syntax == SyntaxV2 {
		return languageV2
	}
	return languageV3
}

func newLanguage(matchers map[string]builder) predicate.Parser {
	functions := make(map[string]any)
	for name, build := range matchers {
		for _, spelling := range spellings(name) {
			functions[spelling] = function(name, build)
		}
	}
	language, err := predicate.NewParser(predicate.Def{
		Operators:     predicate.Operators{AND: joiner(and), OR: joiner(or), NOT: invert},
		Functions:     functions,
		GetIdentifier: unquoted,
	})
	if err != nil {
		panic(err) // by its contract, only for what is written above
	}
	return language
}

// spellings are the ways to write a matcher's name that Traefik takes, e.g. PathPrefix,
// pathprefix, PATHPREFIX and Pathprefix.
func spellings(name string) []string {
	lower := strings.ToLower(name)
	return []string{name, lower, strings.ToUpper(name), strings.ToUpper(lower[:1]) + lower[1:]}
}

// function makes of a builder what the parser calls when it meets the matcher's name.
func function(name string, build builder) func(...any) (*node, error) {
	return func(arguments ...any) (*node, error) {
		values, err := texts(arguments)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		n, err := build(values)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return n, nil
	}
}

// texts wants what Traefik wants of every matcher: one argument or more, each of them
// a text, none empty.
func texts(arguments []any) ([]string, error) {
	if len(arguments) == 0 {
		return nil, errNoArgument
	}
	values := make([]string, len(arguments))
	for i, argument := range arguments {
		text, ok := argument.(string)
		if !ok {
			return nil, errNotText
		}
		if text == "" {
			return nil, errEmpty
		}
		values[i] = text
	}
	return values, nil
}

// unquoted is what the parser calls for a name that stands where a text should.
func unquoted(selector []string) (any, error) {
	return nil, fmt.Errorf("%s: %w", strings.Join(selector, "."), errNotText)
}

func joiner(op operator) func(left, right any) (*node, error) {
	return func(left, right any) (*node, error) {
		l, leftOK := left.(*node)
		r, rightOK := right.(*node)
		if !leftOK || !rightOK {
			return nil, errOperand
		}
		return &node{op: op, left: l, right: r}, nil
	}
}

func invert(operand any) (*node, error) {
	n, ok := operand.(*node)
	if !ok {
		return nil, errOperand
	}
	n.not = !n.not
	return n, nil
}
