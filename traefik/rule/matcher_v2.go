package rule

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik"
)

var errPairs = errors.New("want pairs of a name and a value")

// matchersV2 are the matchers of Traefik 2, which take many arguments and templates.
// https://doc.traefik.io/traefik/v2.11/routing/routers/#rule
var matchersV2 = map[string]builder{
	"ClientIP":      clientIP,
	"Method":        methodV2,
	"Host":          host,
	"HostHeader":    host,
	"HostRegexp":    hostRegexpV2,
	"Path":          pathV2,
	"PathPrefix":    pathPrefixV2,
	"Headers":       headersV2,
	"HeadersRegexp": headersRegexpV2,
	"Query":         queryV2,
}

// Matchers of Traefik 2

func methodV2(methods []string) (*node, error) {
	upper := make([]string, len(methods))
	for i, method := range methods {
		upper[i] = strings.ToUpper(method)
	}
	return is(matcher{part: ofMethod, test: func(got string) bool {
		return slices.Contains(upper, got)
	}}), nil
}

func hostRegexpV2(hosts []string) (*node, error) {
	if _, err := lowerASCII(hosts); err != nil {
		return nil, err
	}
	return anyTemplate(ofAuthorityV2, hosts, hostTemplate)
}

func pathV2(paths []string) (*node, error) {
	return anyPath(paths, pathTemplate)
}

func pathPrefixV2(prefixes []string) (*node, error) {
	return anyPath(prefixes, prefixTemplate)
}

func headersV2(pairs []string) (*node, error) {
	return lastOfEach(pairs, header)
}

func headersRegexpV2(pairs []string) (*node, error) {
	return lastOfEach(pairs, headerRegexp)
}

// queryV2 takes "name=value" in each argument, and, because Traefik splits before it
// counts, name and value in two arguments as well.
func queryV2(arguments []string) (*node, error) {
	var pairs []string
	for _, argument := range arguments {
		pairs = append(pairs, strings.SplitN(argument, "=", 2)...)
	}
	if len(pairs)%2 != 0 {
		return nil, errPairs
	}
	var nodes []*node
	var variables []string
	for pair := range slices.Chunk(pairs, 2) {
		parsed, err := parseTemplate(pair[0]+"="+pair[1], queryTemplate)
		if err != nil {
			return nil, err
		}
		if err := wantNew(parsed.variables, variables); err != nil {
			return nil, err
		}
		variables = append(variables, parsed.variables...)
		nodes = append(nodes, is(matcher{part: ofQueryV2, name: parsed.parameter(), test: parsed.match}))
	}
	return all(nodes), nil
}

// What they look at

// hostnameV2 is the host as it was sent, without its port: HostRegexp of Traefik 2
// does not use the canonical one, so an IPv6 address without a port keeps its brackets.
func hostnameV2(request *traefik.Request) string {
	if request.Authority == "" {
		return request.Host
	}
	host, _, err := net.SplitHostPort(request.Authority)
	if err != nil {
		return request.Authority
	}
	return host
}

// parameterV2 is the parameter's first value as "name=value", or empty without one.
func parameterV2(rawQuery, name string) string {
	for value := range queryValues(rawQuery, name) {
		return name + "=" + value
	}
	return ""
}

// Helpers

// lastOfEach joins what build makes of each pair; of pairs with the same name, spelled
// the same, only the last counts.
func lastOfEach(pairs []string, build builder) (*node, error) {
	if len(pairs)%2 != 0 {
		return nil, errPairs
	}
	byName := make(map[string]*node)
	for pair := range slices.Chunk(pairs, 2) {
		one, err := build(pair)
		if err != nil {
			return nil, err
		}
		byName[pair[0]] = one
	}
	return all(slices.Collect(maps.Values(byName))), nil
}

// all joins one node or more.
func all(nodes []*node) *node {
	joined := nodes[0]
	for _, next := range nodes[1:] {
		joined = &node{op: and, left: joined, right: next}
	}
	return joined
}

func anyPath(paths []string, kind templateKind) (*node, error) {
	for _, path := range paths {
		if err := wantSlash(path); err != nil {
			return nil, err
		}
	}
	n, err := anyTemplate(ofPath, paths, kind)
	if err == nil {
		n.matcher.paths = paths
	}
	return n, err
}

func anyTemplate(of part, texts []string, kind templateKind) (*node, error) {
	templates := make([]templateV2, len(texts))
	for i, text := range texts {
		parsed, err := parseTemplate(text, kind)
		if err != nil {
			return nil, err
		}
		templates[i] = parsed
	}
	return is(matcher{part: of, test: func(got string) bool {
		return slices.ContainsFunc(templates, func(t templateV2) bool { return t.match(got) })
	}}), nil
}

// wantNew wants a name of a variable in one parameter only.
func wantNew(names, taken []string) error {
	for _, name := range names {
		if slices.Contains(taken, name) {
			return fmt.Errorf("variable %q twice", name)
		}
	}
	return nil
}
