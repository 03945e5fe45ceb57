package traefik

import (
	"slices"
	"strings"
)

// Router is a router as its labels say, or as WithDefaults completes it; or one that is in no
// labels, as Beside completes it.
type Router struct {
	Name string
	// Rule in the RuleSyntax. Empty: Traefik's default rule.
	Rule string
	// RuleSyntax is for rule.Parse. Empty: Traefik's default, usually version 3.
	RuleSyntax string
	// Priority; zero is the length of the rule.
	Priority int
	// EntryPoints of Traefik that it listens on. Nil: its default ones.
	EntryPoints []string
	// Middlewares in the order in which a request passes them, with or without "@" and
	// their provider.
	Middlewares []string
	// Service that it sends requests to. Empty: none is named, and there are several.
	Service string
	// TLS reports whether it takes HTTPS only; without, it takes HTTP only.
	TLS bool
	// Secured is what it says of TLS beyond that. Nil: nothing, or it is a router of labels,
	// which have that themselves: see Labels.Config.
	Secured *TLS

	chained []string // the middlewares in the chains among Middlewares
}

// TLS is what a router says of the TLS that it wants. The zero value is TLS as Traefik has it
// by default.
type TLS struct {
	// Options is the name of TLS options, with or without "@" and their provider. Empty: the
	// default ones.
	Options string
	// CertResolver is the name of who gets the certificates. Empty: nobody does.
	CertResolver string
	// Domains are those that the certificates are for. Nil: the hosts of the rule.
	Domains []Domain
}

// Domain is one that a certificate is for.
type Domain struct {
	Main string
	// SANs are its other names. Nil: it has none.
	SANs []string
}

// Uses reports whether the router's requests pass the middleware, by its name without
// provider: directly, or in a chain that the same labels define. The name counts with
// any provider, in the very same case.
func (r Router) Uses(middleware string) bool {
	return slices.ContainsFunc(slices.Concat(r.Middlewares, r.chained), func(used string) bool {
		name, _, _ := strings.Cut(used, "@")
		return name == middleware
	})
}

// Equal reports whether two routers say the same.
func (r Router) Equal(o Router) bool {
	return r.Name == o.Name && r.Rule == o.Rule && r.RuleSyntax == o.RuleSyntax && r.Priority == o.Priority &&
		slices.Equal(r.EntryPoints, o.EntryPoints) && slices.Equal(r.Middlewares, o.Middlewares) && r.Service == o.Service &&
		r.TLS == o.TLS && r.Secured.equal(o.Secured) && slices.Equal(r.chained, o.chained)
}

// equal takes nil as well.
func (t *TLS) equal(o *TLS) bool {
	if t == nil || o == nil {
		return t == o
	}
	return t.Options == o.Options && t.CertResolver == o.CertResolver && slices.EqualFunc(t.Domains, o.Domains, func(a, b Domain) bool {
		return a.Main == b.Main && slices.Equal(a.SANs, b.SANs)
	})
}

// Beside completes a router that is in no labels as one of an app with these: where it names no
// service and they define one alone, that is its; what it says of TLS makes it one with TLS.
func (l Labels) Beside(r Router) Router {
	if r.Service == "" && len(l.Services) == 1 {
		r.Service = l.Services[0].Name
	}
	r.TLS = r.TLS || r.Secured != nil
	r.chained = l.chained(r.Middlewares)
	return r
}
