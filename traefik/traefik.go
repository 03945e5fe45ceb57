// Package traefik speaks Traefik's language: what an app's labels tell Traefik, what a
// request is that Traefik tells of, and what middlewares do to it on the way.
//
//	labels of an app ──Decode──► Labels ──WithDefaults──► Router ─┐
//	                                                              ├──► rule.Table.Lookup
//	headers of /auth ──FromForwardAuth──► Request ────────────────┘
//
// What goes in, for a container of the compose project "shop":
//
//	traefik.http.routers.web.rule         = Host(`shop.example`) && PathPrefix(`/`)
//	traefik.http.routers.web.middlewares  = paastis
//
//	X-Forwarded-Host: Shop.Example:8443
//	X-Forwarded-Uri:  /cart?id=7           ──► the entry of router "web"
//
// The package rule finds the router, hence the app, that a request belongs to.
//
// The package api asks a running Traefik what it made of it all.
//
// The package dynamic goes the other way: it publishes the routers of apps to Traefik. The
// package schema knows all that labels can say of them.
//
// Which routers a Traefik has, Static tells by its own flags; ReadStatic reads these.
//
// Facts about Traefik are those of its version 3.6.12; tools/traefik checks them
// against its code. What this package does not follow: CNAME flattening, parent
// routers, and TCP and UDP routers.
package traefik
