package server

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/paastis/paastis/registry"
)

const (
	// keptFor is how long a connection to the URL of an app is kept for another request. The
	// routers of platforms close theirs after a minute or more.
	keptFor = 15 * time.Second
	// keptOfHost is how many are kept of one host, and keptAtAll of all.
	keptOfHost = 32
	keptAtAll  = 512
	// mostBroken is how many connections in a row may turn out to be closed.
	mostBroken = 3
	// pingAfter is for how long nothing may come by a connection of HTTP/2 until it is asked
	// whether it is there.
	pingAfter = 15 * time.Second
)

// newKeptTransport is for requests to URLs of apps that may be sent again. Who is at the other end
// is a platform's router, which stays while apps restart, and does not take a connection for use.
// Agreeing on TLS anew would take each request longer than its answer.
func newKeptTransport() *http.Transport {
	var both http.Protocols
	both.SetHTTP1(true)
	both.SetHTTP2(true)
	t := newURLTransport(both)
	t.MaxIdleConns, t.MaxIdleConnsPerHost, t.IdleConnTimeout = keptAtAll, keptOfHost, keptFor
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingAfter}
	return t
}

// unsentError reports that nothing of a request was sent.
type unsentError struct{ error }

func (e unsentError) Unwrap() error { return e.error }

// kept sends a request to the URL of an app on a connection that may have been used before. It
// tries to reach the app as long as patience lasts and the app is open.
type kept struct {
	*http.Transport
	keeper   *registry.Keeper
	patience context.Context
}

// Close keeps the connection.
func (*kept) Close() error { return nil }

// RoundTrip returns an unsentError where there was no connection. Where one broke that was used
// before, its other end may have closed it meanwhile, and the request is sent again.
func (o *kept) RoundTrip(r *http.Request) (*http.Response, error) {
	for again := 0; ; {
		resp, connected, reused, err := o.try(r)
		switch {
		case err == nil || r.Context().Err() != nil:
			return resp, err
		case reused && again < mostBroken:
			again++
			continue
		case connected:
			return nil, err
		case !o.keeper.Open():
			return nil, unsentError{errClosed}
		case isUntrusted(err):
			return nil, unsentError{err}
		}
		select {
		case <-o.patience.Done():
			return nil, unsentError{err}
		case <-time.After(urlDialPause):
		}
	}
}

// try sends a request once. It tells whether there was a connection for it, and one that was used
// before.
func (o *kept) try(r *http.Request) (resp *http.Response, connected, reused bool, err error) {
	var got, old atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		got.Store(true)
		old.Store(info.Reused)
	}}
	resp, err = o.Transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	return resp, got.Load(), old.Load(), err
}

// isRepeatable reports whether a request may be sent again if a connection breaks: it has no body,
// and changes nothing.
func isRepeatable(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return r.ContentLength == 0 && r.Header["Upgrade"] == nil
	default:
		return false
	}
}

// isUnsent reports whether nothing of a request was sent, and why.
func isUnsent(err error) (why error, unsent bool) {
	e, unsent := errors.AsType[unsentError](err)
	return e.error, unsent
}
