package server

import (
	"net/http"
	"strings"

	"github.com/paastis/paastis/registry"
)

// What is let through by ForwardAuth ends unseen. Most requests are over at once; these kinds
// may go on for long, and be silent meanwhile.

// streamed are types of content that come in pieces, by what they begin with.
var streamed = [...]string{
	"text/event-stream", "application/x-ndjson", "application/ndjson",
	"application/jsonl", "application/json-seq", "application/stream+json", "multipart/x-mixed-replace",
}

// called are types of content of calls that may be streams, by what they begin with: nothing
// tells those of gRPC from others.
var called = [...]string{"application/grpc", "application/connect+"}

// uploaded are types of content of which there is much, by what they begin with.
var uploaded = [...]string{
	"multipart/form-data", "application/octet-stream", "application/offset+octet-stream", "application/x-git-", "application/zip",
	"application/x-tar", "application/gzip", "image/", "video/", "audio/",
}

// noteLasting notes of a request that is let through whether it may last. h are the headers
// with which Traefik asks.
func noteLasting(k *registry.Keeper, h http.Header) {
	switch {
	case streams(h):
		k.Stream()
	case mayLast(h):
		k.MayLast()
	}
}

// streams reports whether a request opens a connection that is alive while it is silent.
func streams(h http.Header) bool {
	if h["Sec-Websocket-Key"] != nil {
		return true
	}
	if kind := first(h, "Content-Type"); kind != "" && isOneOf(kind, streamed[:]) {
		return true
	}
	return wantsStream(first(h, "Accept"))
}

// wantsStream reports whether an Accept header has a type of content that comes in pieces. It
// is looked at with each request: so only for words that no other type has, and not in what
// browsers send for a page.
func wantsStream(accept string) bool {
	if len(accept) < len("a/ndjson") || strings.HasPrefix(accept, "text/html") {
		return false
	}
	return strings.Contains(accept, "event-stream") || strings.Contains(accept, "ndjson") ||
		strings.Contains(accept, "stream+json") || strings.Contains(accept, "mixed-replace")
}

// mayLast reports whether a request may be a call that is a stream, or may have a long body,
// which Traefik does not tell: its client asks before it sends it, or its method or its type
// of content is that of an upload.
func mayLast(h http.Header) bool {
	switch first(h, "X-Forwarded-Method") {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return h["Expect"] != nil
	case http.MethodPut, http.MethodPatch:
		return true
	default:
		kind := first(h, "Content-Type")
		return h["Expect"] != nil || isOneOf(kind, uploaded[:]) || isOneOf(kind, called[:])
	}
}

// isOneOf reports whether a type of content begins with one of those, in any case.
func isOneOf(kind string, starts []string) bool {
	for _, start := range starts {
		if len(kind) >= len(start) && strings.EqualFold(kind[:len(start)], start) {
			return true
		}
	}
	return false
}
