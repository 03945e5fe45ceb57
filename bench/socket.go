package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// socket stands between Paastis and the engine's socket and notes when containers were
// ordered to start and when the engine had done it.
type socket struct {
	path   string
	server *http.Server

	mu     sync.Mutex
	starts map[string][]span // :: container ID → the calls that start it, in order
}

// span is a time from one moment to another, on the clock that all processes share.
type span struct{ from, to time.Time }

// listenSocket serves at a path until close.
func listenSocket(path string) (*socket, error) {
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "engine"})
	proxy.FlushInterval = -1 // events
	proxy.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", engineSocket)
		},
		MaxIdleConnsPerHost: 100,
		DisableCompression:  true,
	}
	// Who leaves ends a stream by aborting it: that is no fault.
	s := &socket{path: path, starts: map[string][]span{}}
	s.server = &http.Server{Handler: s.timed(proxy)}
	go func() { _ = s.server.Serve(ln) }()
	return s, nil
}

func (s *socket) close() { _ = s.server.Close() }

// timed notes the calls that start a container.
func (s *socket) timed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, isStart := startedBy(r)
		from := wall()
		next.ServeHTTP(w, r)
		if isStart {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.starts[id] = append(s.starts[id], span{from, wall()})
		}
	})
}

// startedBy is the container that a call to the engine starts.
func startedBy(r *http.Request) (id string, isStart bool) {
	_, rest, _ := strings.Cut(r.URL.Path, "/containers/")
	id, verb, _ := strings.Cut(rest, "/")
	return id, r.Method == http.MethodPost && verb == "start"
}

// start is the one call since a moment that started a container.
func (s *socket) start(id string, since time.Time) (span, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []span
	for _, call := range s.starts[id] {
		if !call.from.Before(since) {
			found = append(found, call)
		}
	}
	if len(found) != 1 {
		return span{}, fmt.Errorf("container %.12s was ordered to start %d times", id, len(found))
	}
	return found[0], nil
}

// wall is now as other processes see it.
func wall() time.Time { return time.Now().Round(0) }
