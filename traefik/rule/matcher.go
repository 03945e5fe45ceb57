package rule

import (
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/paastis/paastis/traefik"
)

// matcher looks at one part of a request. It is a plain struct, not an interface: so
// the compiler sees that no matcher keeps the request, which may stay on its caller's
// stack.
type matcher struct {
	part part
	name string                  // of the header or the query parameter
	test func(value string) bool // of every part but the client
	nets []*net.IPNet            // of the client
	// hosts are those that test takes if it takes these alone; nil if it takes others.
	hosts []string
	// paths are those, or the beginnings of those, that test takes, as far as they are
	// written out; nil if they are not.
	paths []string
}

// part is what a matcher looks at.
type part uint8

const (
	ofMethod part = iota
	ofHost
	ofPath
	ofHeader // any of its values
	ofQuery  // any of its values
	ofClient
	ofAuthorityV2
	ofQueryV2
)

// builder makes a matcher of its arguments: at least one, none of them empty.
type builder func(arguments []string) (*node, error)

// matchersV3 are the matchers of Traefik 3.
// https://doc.traefik.io/traefik/reference/routing-configuration/http/routing/rules-and-priority/
var matchersV3 = map[string]builder{
	"ClientIP":     arity(clientIP, 1),
	"Method":       arity(method, 1),
	"Host":         arity(hostV3, 1),
	"HostRegexp":   arity(hostRegexp, 1),
	"Path":         arity(path, 1),
	"PathPrefix":   arity(pathPrefix, 1),
	"PathRegexp":   arity(pathRegexp, 1),
	"Header":       arity(header, 2),
	"HeaderRegexp": arity(headerRegexp, 2),
	"Query":        arity(query, 1, 2),
	"QueryRegexp":  arity(queryRegexp, 1, 2),
}

func (m *matcher) match(request *traefik.Request) bool {
	switch m.part {
	case ofMethod:
		return m.test(request.Method)
	case ofHost:
		return m.test(request.Host)
	case ofPath:
		return m.test(request.Path)
	case ofHeader:
		return slices.ContainsFunc(request.Header[m.name], m.test)
	case ofQuery:
		return m.matchQuery(request.RawQuery)
	case ofClient:
		return m.matchClient(request.ClientIP)
	case ofAuthorityV2:
		return m.test(hostnameV2(request))
	case ofQueryV2:
		return m.test(parameterV2(request.RawQuery, m.name))
	default:
		return false
	}
}

func (m *matcher) matchQuery(rawQuery string) bool {
	for value := range queryValues(rawQuery, m.name) {
		if m.test(value) {
			return true
		}
	}
	return false
}

// matchClient takes no address that is unknown.
func (m *matcher) matchClient(client netip.Addr) bool {
	if !client.IsValid() {
		return false
	}
	address := client.As16()
	for _, network := range m.nets {
		if network.Contains(address[:]) {
			return true
		}
	}
	return false
}

// Matchers of Traefik 3

func arity(build builder, counts ...int) builder {
	return func(arguments []string) (*node, error) {
		if !slices.Contains(counts, len(arguments)) {
			return nil, fmt.Errorf("%d arguments, want one of %v", len(arguments), counts)
		}
		return build(arguments)
	}
}

func clientIP(networks []string) (*node, error) {
	nets := make([]*net.IPNet, len(networks))
	for i, network := range networks {
		parsed, err := parseNetwork(network)
		if err != nil {
			return nil, err
		}
		nets[i] = parsed
	}
	return is(matcher{part: ofClient, nets: nets}), nil
}

func method(arguments []string) (*node, error) {
	return is(matcher{part: ofMethod, test: equals(strings.ToUpper(arguments[0]))}), nil
}

func host(arguments []string) (*node, error) {
	hosts, err := lowerASCII(arguments)
	if err != nil {
		return nil, err
	}
	return is(matcher{part: ofHost, hosts: hosts, test: isHost(hosts)}), nil
}

// hostV3 knows the wildcards of Traefik 3.7 (its pkg/muxer): "*" is any host, and none;
// "*.example.com" is each host one label below. To a Traefik before 3.7 both are names
// that no host has: such a router gets no request there, so there is none to mistake.
func hostV3(arguments []string) (*node, error) {
	if !strings.HasPrefix(arguments[0], "*") {
		return host(arguments)
	}
	if arguments[0] == "*" {
		return is(matcher{part: ofHost, test: anything}), nil
	}
	wanted, err := lowerASCII(arguments)
	if err != nil {
		return nil, err
	}
	return is(matcher{part: ofHost, test: isBelow(wanted[0])}), nil
}

func hostRegexp(arguments []string) (*node, error) {
	if _, err := lowerASCII(arguments); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(arguments[0])
	if err != nil {
		return nil, err
	}
	// Traefik also tries the host's flattened CNAME, which is empty unless that is
	// turned on. So what matches nothing at all matches every host.
	if re.MatchString("") {
		return is(matcher{part: ofHost, test: anything}), nil
	}
	return is(matcher{part: ofHost, test: re.MatchString}), nil
}

func path(arguments []string) (*node, error) {
	if err := wantSlash(arguments[0]); err != nil {
		return nil, err
	}
	return is(matcher{part: ofPath, paths: arguments, test: equals(arguments[0])}), nil
}

func pathPrefix(arguments []string) (*node, error) {
	if err := wantSlash(arguments[0]); err != nil {
		return nil, err
	}
	return is(matcher{part: ofPath, paths: arguments, test: startsWith(arguments[0])}), nil
}

func pathRegexp(arguments []string) (*node, error) {
	return isRegexp(matcher{part: ofPath}, arguments[0])
}

func header(arguments []string) (*node, error) {
	name := http.CanonicalHeaderKey(arguments[0])
	return is(matcher{part: ofHeader, name: name, test: equals(arguments[1])}), nil
}

func headerRegexp(arguments []string) (*node, error) {
	name := http.CanonicalHeaderKey(arguments[0])
	return isRegexp(matcher{part: ofHeader, name: name}, arguments[1])
}

// query without a value wants the parameter to be there, and empty.
func query(arguments []string) (*node, error) {
	value := strings.Join(arguments[1:], "")
	return is(matcher{part: ofQuery, name: arguments[0], test: equals(value)}), nil
}

func queryRegexp(arguments []string) (*node, error) {
	if len(arguments) == 1 {
		return query(arguments)
	}
	return isRegexp(matcher{part: ofQuery, name: arguments[0]}, arguments[1])
}

// Helpers

func is(m matcher) *node { return &node{matcher: m} }

func isRegexp(m matcher, pattern string) (*node, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	m.test = re.MatchString
	return is(m), nil
}

func anything(string) bool { return true }

func equals(want string) func(string) bool {
	return func(got string) bool { return got == want }
}

func startsWith(prefix string) func(string) bool {
	return func(got string) bool { return strings.HasPrefix(got, prefix) }
}

func isHost(wanted []string) func(string) bool {
	return func(got string) bool {
		return slices.ContainsFunc(wanted, func(want string) bool { return sameHost(got, want) })
	}
}

// isBelow is for hosts of which all but the first label is what stands after the "*".
func isBelow(wildcard string) func(string) bool {
	domain := wildcard[1:]
	return func(got string) bool {
		rest := ""
		if end := strings.IndexByte(got, '.'); end >= 0 {
			rest = got[end:]
		}
		return got != "" && sameName(rest, domain)
	}
}

// sameHost lets one dot at the end of either host pass. No host is no match.
func sameHost(got, want string) bool {
	return got != "" && sameName(got, want)
}

func sameName(got, want string) bool {
	return got == want || got == strings.TrimSuffix(want, ".") || strings.TrimSuffix(got, ".") == want
}

func lowerASCII(hosts []string) ([]string, error) {
	lower := make([]string, len(hosts))
	for i, host := range hosts {
		if strings.IndexFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
			return nil, fmt.Errorf("%q has characters other than ASCII", host)
		}
		lower[i] = strings.ToLower(host)
	}
	return lower, nil
}

func wantSlash(path string) error {
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("path %q does not start with a slash", path)
	}
	return nil
}

// parseNetwork reads an address or a network in CIDR notation.
func parseNetwork(text string) (*net.IPNet, error) {
	if address := net.ParseIP(text); address != nil {
		return &net.IPNet{IP: address, Mask: net.CIDRMask(128, 128)}, nil
	}
	_, network, err := net.ParseCIDR(text)
	if err != nil {
		return nil, fmt.Errorf("%q is neither an address nor a network", text)
	}
	return network, nil
}

// queryValues yields the values of a parameter in their order, decoded, leaving out
// those that net/url cannot read. It decodes nothing that has no escape.
func queryValues(rawQuery, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for pair := range strings.SplitSeq(rawQuery, "&") {
			if pair == "" || strings.Contains(pair, ";") {
				continue
			}
			key, value, _ := strings.Cut(pair, "=")
			if key, err := url.QueryUnescape(key); err != nil || key != name {
				continue
			}
			value, err := url.QueryUnescape(value)
			if err == nil && !yield(value) {
				return
			}
		}
	}
}
