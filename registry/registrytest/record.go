package registrytest

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Record is what a Provider was asked, for a test to read.
type Record struct {
	mu     sync.Mutex
	calls  []string               // "start shop", "stop shop", in order
	lists  int                    // calls of List
	starts map[string][]time.Time // by name, whoever started it, refused ones included
}

// Took are the orders since the last time somebody asked, as "start shop, stop shop"; "-"
// for none.
func (r *Record) Took() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := strings.Join(r.calls, ", ")
	r.calls = nil
	if calls == "" {
		return "-"
	}
	return calls
}

// Lists is how many times all apps were asked for.
func (r *Record) Lists() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lists
}

// Started is when an app was started, by whomever, or was to be.
func (r *Record) Started(name string) []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.starts[name])
}

// noteOrder takes down an order.
func (r *Record) noteOrder(call, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call+" "+name)
}

// noteList takes down that all apps were asked for.
func (r *Record) noteList() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lists++
}

// noteStart takes down when an app was started, or was to be.
func (r *Record) noteStart(name string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.starts[name] = append(r.starts[name], at)
}
