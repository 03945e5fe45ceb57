package rule

import (
	"github.com/paastis/paastis/traefik"
)

// Could reports whether the rule may have taken a request that got here behind middlewares.
// What they may have changed without a trace decides nothing: headers, for a middleware of
// an entry point may have added and removed some of which no label tells, and the path
// unless pathKnown. The rest (host, method, query, client address) is as the visitor made
// it. It allocates nothing.
func (r *Rule) Could(request *traefik.Request, pathKnown bool) bool {
	if r == nil {
		return false
	}
	return r.root.could(request, pathKnown) != never
}

// verdict is what can be told of a node.
type verdict uint8

const (
	never verdict = iota
	maybe
	always
)

func (n *node) could(request *traefik.Request, pathKnown bool) verdict {
	is := n.couldHold(request, pathKnown)
	if n.not {
		return always - is
	}
	return is
}

func (n *node) couldHold(request *traefik.Request, pathKnown bool) verdict {
	switch n.op {
	case and:
		return min(n.left.could(request, pathKnown), n.right.could(request, pathKnown))
	case or:
		return max(n.left.could(request, pathKnown), n.right.could(request, pathKnown))
	}
	switch {
	case n.matcher.part == ofHeader, n.matcher.part == ofPath && !pathKnown:
		return maybe
	case n.matcher.match(request):
		return always
	default:
		return never
	}
}
