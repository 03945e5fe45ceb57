package paastest

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"text/tabwriter"
	"time"
)

// Call is one call that came in.
type Call struct {
	// At is when it came.
	At time.Time
	// Method and Path are as they were called; Route is the pattern that they are of, or both of
	// them if they are of none.
	Method, Path, Route string
	// Status is what was answered. Zero: nothing was, or has been yet.
	Status int
	// ID is the header X-Request-Id of the call. Empty: it had none.
	ID string
}

// Minute is what came in during a minute of the clock.
type Minute struct {
	// Start is its first instant.
	Start time.Time
	// Total are all calls, Routes those of each route.
	Total  int
	Routes map[string]int
}

// Router tells the pattern of a request, as http.ServeMux does.
type Router interface {
	Handler(*http.Request) (h http.Handler, pattern string)
}

// Calls is a handler before another one that keeps count of all that comes in.
type Calls struct {
	next   http.Handler
	routes Router

	mu       sync.Mutex
	all      []*Call // in the order in which they came
	inFlight int
	most     int
}

// NewCalls counts what comes to a handler, faults included. Routes are whose patterns calls are
// counted by: usually the mux behind next. Nil: they are counted by method and path.
func NewCalls(next http.Handler, routes Router) *Calls { return &Calls{next: next, routes: routes} }

func (c *Calls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := c.came(r)
	seen := &witness{ResponseWriter: w}
	defer func() { c.answered(call, seen.status) }() // of one that is cut, too
	c.next.ServeHTTP(seen, r)
	if seen.status == 0 {
		seen.status = http.StatusOK
	}
}

func (c *Calls) came(r *http.Request) *Call {
	call := &Call{At: time.Now(), Method: r.Method, Path: r.URL.Path, Route: c.routeOf(r), ID: r.Header.Get("X-Request-Id")}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, call)
	c.inFlight++
	c.most = max(c.most, c.inFlight)
	return call
}

func (c *Calls) routeOf(r *http.Request) string {
	if c.routes != nil {
		if _, pattern := c.routes.Handler(r); pattern != "" {
			return pattern
		}
	}
	return r.Method + " " + r.URL.Path
}

func (c *Calls) answered(call *Call, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight--
	call.Status = status
}

// Log is every call so far, in the order in which they came.
func (c *Calls) Log() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Call, len(c.all))
	for i, call := range c.all {
		all[i] = *call
	}
	return all
}

// Of counts the calls of some routes. None: all calls.
func (c *Calls) Of(routes ...string) int { return len(c.timesOf(routes)) }

// Peak is the greatest number of calls of some routes that came within one minute, wherever that
// begins. None: of all routes.
func (c *Calls) Peak(routes ...string) int {
	times := c.timesOf(routes)
	most, first := 0, 0
	for i, at := range times {
		for at.Sub(times[first]) >= time.Minute {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func (c *Calls) timesOf(routes []string) []time.Time {
	var times []time.Time
	for _, call := range c.Log() {
		if len(routes) == 0 || slices.Contains(routes, call.Route) {
			times = append(times, call.At)
		}
	}
	return times
}

// AtOnce is the greatest number of calls that were answered at the same time.
func (c *Calls) AtOnce() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.most
}

// Minutes are those of the clock in which anything came, in order.
func (c *Calls) Minutes() []Minute {
	var all []Minute
	for _, call := range c.Log() {
		start := call.At.Truncate(time.Minute)
		if len(all) == 0 || !all[len(all)-1].Start.Equal(start) {
			all = append(all, Minute{Start: start, Routes: map[string]int{}})
		}
		last := &all[len(all)-1]
		last.Total++
		last.Routes[call.Route]++
	}
	return all
}

// Reset forgets all calls.
func (c *Calls) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all, c.most = nil, c.inFlight
}

// WriteTable writes how often each route was called, the most frequent first, and how many calls
// came in the busiest minute.
func (c *Calls) WriteTable(out io.Writer) error {
	counts := map[string]int{}
	for _, call := range c.Log() {
		counts[call.Route]++
	}
	routes := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "calls\tmost a minute\t  route")
	for _, route := range routes {
		fmt.Fprintf(table, "%d\t%d\t  %s\n", counts[route], c.Peak(route), route)
	}
	fmt.Fprintf(table, "%d\t%d\t  all\n", c.Of(), c.Peak())
	return table.Flush()
}

// witness sees with what status a handler answers.
type witness struct {
	http.ResponseWriter
	status int
}

func (w *witness) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *witness) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *witness) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

func (w *witness) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

func (w *witness) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}
