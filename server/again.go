package server

import (
	"net/http"
	"strings"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server/problem"
	"github.com/paastis/paastis/traefik"
)

// sendAgain sends a visitor to the URL that was asked for, method and body kept, and reports
// whether it has answered: not everybody follows, and not every host can be said.
func sendAgain(w http.ResponseWriter, req *traefik.Request, state registry.State) bool {
	to := req.URL()
	if to == "" || !follows(req) {
		return false
	}
	problem.SetState(w, state)
	share(w.Header(), req.Header)
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusTemporaryRedirect)
	return true
}

// follows reports whether a visitor may follow a redirect. Browsers take one for a failure
// of a preflight, of a WebSocket and of a service worker's script, and the clients of gRPC
// for an answer of something else. A 503 is no better at once, but tells them to try again.
func follows(req *traefik.Request) bool {
	h := req.Header
	return !isPreflight(req.Method, h) && h["Sec-Websocket-Key"] == nil && h["Service-Worker"] == nil && !isGRPC(h)
}

// isPreflight reports whether a browser asks if it may send a request from another origin.
func isPreflight(method string, h http.Header) bool {
	return method == http.MethodOptions && h["Access-Control-Request-Method"] != nil
}

// share lets the script of another origin read an answer of Paastis's own: its status, when
// to come again, why. h are the headers of the answer. Nothing in it depends on who asks, so
// it is for everybody. Paastis never allows what a preflight asks for: whether a page may
// send such a request to the app is for the app to say. So a preflight is held until the app
// can, and fails if that takes too long.
func share(h, visitors http.Header) {
	origin := first(visitors, "Origin")
	if origin == "" || visitors["Access-Control-Request-Method"] != nil {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Expose-Headers", "Retry-After, "+problem.StateHeader+", Grpc-Status, Grpc-Message")
	h.Add("Vary", "Origin")
}

// isGRPC reports whether a request is a call of gRPC, or of gRPC-Web.
func isGRPC(h http.Header) bool {
	return strings.HasPrefix(first(h, "Content-Type"), "application/grpc")
}
