package traefik

// Scheme is what the labels say of how the router's servers are spoken to: "http",
// "https" or "h2c".
func (l Labels) Scheme(router Router) string {
	if scheme := l.server(router).Scheme; scheme != "" {
		return scheme
	}
	return "http"
}

// Foreign is the router's service if somebody else than the labels' provider has it,
// such as "shop@file". Empty: the labels, or Traefik for them, make it.
func (r Router) Foreign() string {
	if _, local := localName(r.Service); !local {
		return r.Service
	}
	return ""
}
