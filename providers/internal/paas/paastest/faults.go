package paastest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Fault is what goes wrong with some calls. What comes first of its fields happens first; the
// zero one changes nothing.
type Fault struct {
	// Route is a pattern of http.ServeMux: "POST /v1/apps/{app}/scale", "/v2/". Empty: all calls.
	Route string
	// Times is how many calls it is of. Zero: all, as long as it lasts.
	Times int
	// For is how long it lasts, from Add on. Zero: until it is removed.
	For time.Duration

	// Delay is how long the call waits before anything happens. The call's context ends it.
	Delay time.Duration
	// Hang answers nothing until the call's context ends. The order is not carried out.
	Hang bool
	// Down is a server that is not there: the connection is refused where calls are made in
	// process, and cut where they come by a socket.
	Down bool
	// Status is answered, with Header and Body, and the order is not carried out. Without a
	// Content-Type in Header it is what Body looks like. Zero: the handler answers.
	Status int
	Header http.Header
	Body   string

	// These are of calls whose order is carried out.

	// Late is how long the handler's answer is held back.
	Late time.Duration
	// Lost cuts the connection in place of the handler's answer.
	Lost bool
	// Cut ends the connection in the middle of the handler's answer.
	Cut bool
	// Change makes another JSON of the handler's: see AddFields and Retype. What it is given is
	// as json.Unmarshal makes it, and its own. Nil: it stays.
	Change func(value any) any
	// ContentType is said in place of the handler's. Empty: the handler's is.
	ContentType string
	// Skew is how far the server's clock, by the header Date, is ahead.
	Skew time.Duration
}

// Faults is a handler before another one, with faults that can be switched at any time.
type Faults struct {
	next http.Handler

	mu  sync.Mutex
	all []*fault // in the order in which they were added
}

// NewFaults is a handler that passes on everything, at first.
func NewFaults(next http.Handler) *Faults { return &Faults{next: next} }

// fault is one that was added.
type fault struct {
	Fault
	routes *http.ServeMux // has the route alone; nil: all are meant
	until  time.Time      // zero: no end
	left   int            // calls; negative: no end
}

// Add makes something go wrong from now on. Of several that are about a call, the one that was
// added first is what happens. A route that is no pattern panics. The fault ends when remove is
// called, or Clear is, or by itself.
func (f *Faults) Add(what Fault) (remove func()) {
	added := &fault{Fault: what, left: -1}
	if what.Times > 0 {
		added.left = what.Times
	}
	if what.For > 0 {
		added.until = time.Now().Add(what.For)
	}
	if what.Route != "" {
		added.routes = http.NewServeMux()
		added.routes.Handle(what.Route, http.NotFoundHandler())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, added)
	return func() { f.remove(added) }
}

func (f *Faults) remove(gone *fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = slices.DeleteFunc(f.all, func(one *fault) bool { return one == gone })
}

// Clear ends all faults.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = nil
}

// of is the fault of a call, and counts it. Nil: nothing is wrong with it.
func (f *Faults) of(r *http.Request) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = slices.DeleteFunc(f.all, (*fault).isOver)
	for _, one := range f.all {
		if one.isOf(r) {
			if one.left > 0 {
				one.left--
			}
			return &one.Fault
		}
	}
	return nil
}

func (f *fault) isOver() bool {
	return f.left == 0 || !f.until.IsZero() && !time.Now().Before(f.until)
}

func (f *fault) isOf(r *http.Request) bool {
	if f.routes == nil {
		return true
	}
	_, pattern := f.routes.Handler(r)
	return pattern != ""
}

func (f *Faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := f.of(r)
	if fault == nil {
		f.next.ServeHTTP(w, r)
		return
	}
	wait(r, fault.Delay)
	switch {
	case fault.Hang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case fault.Down:
		refuse(r)
	case fault.Status != 0:
		fault.answer(w)
	default:
		fault.alter(w, r, f.next)
	}
}

// wait returns after the time, or leaves the call unanswered if its context ends before.
func wait(r *http.Request, how time.Duration) {
	if how <= 0 {
		return
	}
	timer := time.NewTimer(how)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// refuse does not return.
func refuse(r *http.Request) {
	if r.Context().Value(inProcessKey{}) != nil {
		panic(refused{})
	}
	panic(http.ErrAbortHandler)
}

// answer is what is said in place of the handler.
func (f *Fault) answer(w http.ResponseWriter) {
	for name, values := range f.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if w.Header().Get("Content-Type") == "" && f.Body != "" {
		w.Header().Set("Content-Type", http.DetectContentType([]byte(f.Body)))
	}
	f.skew(w.Header())
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body)) // a caller that has gone is none of ours
}

func (f *Fault) skew(header http.Header) {
	if f.Skew != 0 {
		header.Set("Date", time.Now().Add(f.Skew).UTC().Format(http.TimeFormat))
	}
}

// alter lets the handler answer, and passes on what is left of that.
func (f *Fault) alter(w http.ResponseWriter, r *http.Request, next http.Handler) {
	made := &buffered{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(made, r)
	wait(r, f.Late)
	if f.Lost {
		panic(http.ErrAbortHandler)
	}
	body := f.changed(made.body)
	maps.Copy(w.Header(), made.header)
	w.Header().Del("Content-Length")
	if f.ContentType != "" {
		w.Header().Set("Content-Type", f.ContentType)
	}
	f.skew(w.Header())
	if f.Cut {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = body[:len(body)/2]
	}
	w.WriteHeader(made.status)
	_, _ = w.Write(body)
	if f.Cut {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// changed is the body as Change makes it. One that is no JSON stays.
func (f *Fault) changed(body []byte) []byte {
	var value any
	if f.Change == nil || json.Unmarshal(body, &value) != nil {
		return body
	}
	changed, err := json.Marshal(f.Change(value))
	if err != nil {
		return body
	}
	return changed
}

// buffered is an answer that nobody has got yet.
type buffered struct {
	header http.Header
	status int
	sent   bool
	body   []byte
}

func (b *buffered) Header() http.Header { return b.header }

func (b *buffered) WriteHeader(status int) {
	if !b.sent {
		b.status, b.sent = status, true
	}
}

func (b *buffered) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	b.body = append(b.body, p...)
	return len(p), nil
}
