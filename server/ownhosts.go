package server

import "sync"

// ownHosts are those by which a Traefik asks for Paastis itself, and not by the visitor's: it has
// fetched routes at them, by https. It may be used by several goroutines.
type ownHosts struct {
	mu    sync.RWMutex
	names map[string]bool // as they stand in requests, with the port
}

// mostOwnHosts is how many are kept. Only who gets the routes adds any.
const mostOwnHosts = 16

// add takes in one. It is left out if there are too many.
func (h *ownHosts) add(name string) {
	if h.has(name) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.names == nil {
		h.names = map[string]bool{}
	}
	if len(h.names) < mostOwnHosts {
		h.names[name] = true
	}
}

// has reports whether it is one of them.
func (h *ownHosts) has(name string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.names[name]
}
