package server

import (
	"net/http"

	"github.com/paastis/paastis/traefik"
)

// smallBody is how much of a body gets to Paastis though nobody reads it: it has room in the
// buffers of the connection on which Traefik carries it.
const smallBody = 32 << 10

// mayStall reports whether a request that came by a published route has a body that may still
// be with the visitor while it is held: Traefik cuts that off at its readTimeout.
func mayStall(r *http.Request) bool {
	return r.ContentLength < 0 || r.ContentLength > smallBody
}

// mayHaveBody reports whether a request that Traefik asks about may have a body. It tells of
// none, and reads none meanwhile, but says of what type it is.
func mayHaveBody(req *traefik.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodDelete, http.MethodTrace:
		return req.Header["Content-Type"] != nil
	default:
		return true
	}
}
