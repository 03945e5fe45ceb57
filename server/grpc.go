package server

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/paastis/paastis/server/problem"
)

// What clients of gRPC make of an answer that has no status of theirs, by its HTTP status
// (grpc/doc/http-grpc-status-mapping.md). For 503 it is 14, UNAVAILABLE: the one after which
// a client may try again.
const (
	grpcUnknown          = 2
	grpcPermissionDenied = 7
	grpcUnimplemented    = 12
	grpcUnavailable      = 14
)

func grpcStatus(status int) int {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return grpcUnavailable
	case http.StatusForbidden:
		return grpcPermissionDenied
	case http.StatusNotFound:
		return grpcUnimplemented
	default:
		return grpcUnknown
	}
}

// writeGRPC answers a call with a status and nothing else, which is "Trailers-Only" in the
// protocol: the headers are the trailers. By a published route the answer has the status 200
// that a call's has. Through ForwardAuth that would let the call pass, so there it keeps its
// own, and clients that look at that first come to the same.
func writeGRPC(w http.ResponseWriter, r *http.Request, p problem.Document) error {
	h := w.Header()
	kind, _, _ := strings.Cut(first(r.Header, "Content-Type"), ";")
	h.Set("Content-Type", kind)
	h.Set("Grpc-Status", strconv.Itoa(grpcStatus(p.Status)))
	h.Set("Grpc-Message", grpcMessage(p))
	if wait := h.Get("Retry-After"); wait != "" {
		h.Set("Grpc-Retry-Pushback-Ms", wait+"000")
	}
	if _, direct := w.(*answer); direct {
		p.Status = http.StatusOK
	}
	w.WriteHeader(p.Status)
	return nil
}

// grpcMessage is a problem in the encoding of the protocol: ASCII that can be printed, all
// else as escapes.
func grpcMessage(p problem.Document) string {
	return strings.ReplaceAll(url.PathEscape(p.Text()), "%20", " ")
}

// tell answers a visitor who cannot get to the app now, in a way that its program
// understands.
func tell(w http.ResponseWriter, r *http.Request, p problem.Document) error {
	share(w.Header(), r.Header)
	if !isGRPC(r.Header) {
		return problem.Write(w, r, p)
	}
	p.SetHeaders(w.Header())
	return writeGRPC(w, r, p)
}
