package paas

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/paastis/paastis/registry/reason"
)

// Limit is how often calls are made.
type Limit struct {
	// PerMinute is how many tokens come back a minute. Within any minute, wherever it begins, no
	// more calls are made than this, or than Burst if that is more. Zero: there is no limit.
	PerMinute int
	// Burst is how many calls may be made at once after a while without any. Zero: 1.
	Burst int
	// Wakes is how many of the calls of any minute are for wakes alone. Up to half of Burst is
	// kept for them as well. It is at most half of what a minute has.
	Wakes int
	// Low is below how many calls left, as the platform itself counts, only wakes and looks at
	// what starts are made as ever: one call of all others goes each minute, to see how it
	// stands. Zero: that does not matter. It needs Config.Remaining.
	Low int
}

// limiter lets calls go one after another. Of those that wait, the most urgent goes first, and of
// these the one that came first.
type limiter struct {
	limit  Limit
	window int // how many may be made within a minute; 0: any number

	mu      sync.Mutex
	bucket  *rate.Limiter // nil: there is no limit
	recent  []stamp       // what was made within the last minute, in order
	queue   []*waiter     // what waits, in the order in which it goes
	timer   *time.Timer   // for the first of queue; nil: nothing waits
	until   time.Time     // nothing goes before; zero: nothing held it yet
	strikes int           // how often the platform has said in a row that it is asked too often
	trying  bool          // whether one call sees just now whether that has passed
	left    int           // calls that the platform has left; -1: it has not said
	lately  time.Time     // when a call went although few are left
}

// stamp is a call that was made.
type stamp struct {
	at   time.Time
	wake bool
}

// waiter is a call that waits for its turn.
type waiter struct {
	urgency Urgency
	turn    chan struct{} // closed once it may go
}

func newLimiter(limit Limit) *limiter {
	l := &limiter{limit: limit, left: -1}
	if limit.PerMinute <= 0 {
		return l
	}
	l.limit.Burst = max(limit.Burst, 1)
	l.window = max(limit.PerMinute, l.limit.Burst)
	l.limit.Wakes = min(limit.Wakes, l.window/2)
	l.bucket = rate.NewLimiter(rate.Limit(float64(limit.PerMinute)/60), l.limit.Burst)
	return l
}

// wait returns once a call may be made, or with an error if ctx ends before.
func (l *limiter) wait(ctx context.Context, urgency Urgency) error {
	w := l.join(urgency)
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
		if !l.leave(w) {
			return nil // its turn had come, and the limiter is to hear how it ends
		}
		return noTurn{cause: ctx.Err(), until: l.heldUntil()}
	}
}

// join puts a call in the queue, and lets it go if it may.
func (l *limiter) join(urgency Urgency) *waiter {
	w := &waiter{urgency: urgency, turn: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.queue, func(other *waiter) bool { return other.urgency > urgency })
	if i < 0 {
		i = len(l.queue)
	}
	l.queue = slices.Insert(l.queue, i, w)
	l.serve()
	return w
}

// leave reports whether the call waited still.
func (l *limiter) leave(gone *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.queue, gone)
	if i < 0 {
		return false
	}
	l.queue = slices.Delete(l.queue, i, i+1)
	l.serve()
	return true
}

// tick is what the timer calls.
func (l *limiter) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serve()
}

// serve lets go whatever may, and sets the timer for the next. What is less urgent never goes
// where the more urgent may not, so the first of the queue is all that counts. Called with l.mu
// held.
func (l *limiter) serve() {
	now := time.Now()
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	for len(l.queue) > 0 {
		first := l.queue[0]
		if at := l.next(now, first.urgency); at.After(now) {
			l.timer = time.AfterFunc(at.Sub(now), l.tick)
			return
		}
		l.take(now, first.urgency)
		l.queue = slices.Delete(l.queue, 0, 1)
		close(first.turn)
	}
}

// next is when a call may go, as far as is known: now, or when to look again. Called with l.mu
// held.
func (l *limiter) next(now time.Time, urgency Urgency) time.Time {
	if now.Before(l.until) {
		return l.until
	}
	if l.trying {
		return now.Add(time.Minute) // it is served again once that call is answered
	}
	at := now
	if l.bucket != nil {
		at = l.refilled(now, urgency)
		if open := l.windowOpens(now, urgency); open.After(at) {
			at = open
		}
	}
	if l.fewLeft() && urgency > Starting {
		if turn := l.lately.Add(time.Minute); turn.After(at) {
			at = turn
		}
	}
	return at
}

// refilled is when the bucket has what a call needs. Called with l.mu held.
func (l *limiter) refilled(now time.Time, urgency Urgency) time.Time {
	need := 1.0
	if urgency != Wake {
		need += float64(min(l.limit.Wakes, l.limit.Burst/2))
	}
	lacks := need - l.bucket.TokensAt(now)
	if lacks <= 0 {
		return now
	}
	return now.Add(time.Duration(lacks/float64(l.bucket.Limit())*float64(time.Second)) + time.Millisecond)
}

// windowOpens is when one call more is not one too many within its minute. Called with l.mu held.
func (l *limiter) windowOpens(now time.Time, urgency Urgency) time.Time {
	l.recent = slices.DeleteFunc(l.recent, func(s stamp) bool { return now.Sub(s.at) >= time.Minute })
	opens := now
	if over := len(l.recent) - l.window; over >= 0 {
		opens = l.recent[over].at.Add(time.Minute)
	}
	if urgency == Wake {
		return opens
	}
	others := slices.DeleteFunc(slices.Clone(l.recent), func(s stamp) bool { return s.wake })
	if over := len(others) - (l.window - l.limit.Wakes); over >= 0 {
		if at := others[over].at.Add(time.Minute); at.After(opens) {
			opens = at
		}
	}
	return opens
}

// take counts a call that goes now. After the platform has said that there were too many, the
// first one goes alone, to see whether it may. Called with l.mu held.
func (l *limiter) take(now time.Time, urgency Urgency) {
	l.trying = l.strikes > 0
	if l.fewLeft() && urgency > Starting {
		l.lately = now
	}
	if l.left > 0 {
		l.left--
	}
	if l.bucket == nil {
		return
	}
	l.bucket.AllowN(now, 1)
	l.recent = append(l.recent, stamp{at: now, wake: urgency == Wake})
}

// fewLeft is called with l.mu held.
func (l *limiter) fewLeft() bool { return l.limit.Low > 0 && l.left >= 0 && l.left < l.limit.Low }

const (
	// maxHold is the longest that calls are held for being too many, whatever is answered.
	maxHold = 10 * time.Minute
	// jitter is by how much at most Paastis comes later than it might, so that many do not come
	// at once.
	jitter = 5 * time.Second
)

// tooMany holds all calls, after the platform said that there were too many: for as long as it
// says, or until its next minute, and longer each time in a row. It returns until when, and whether
// that is the first time in a row.
func (l *limiter) tooMany(after time.Duration) (until time.Time, first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Before(l.until) { // it is said of a call of before
		return l.until, false
	}
	until = now.Add(after)
	if after <= 0 {
		until = now.Truncate(time.Minute).Add(time.Duration(1+l.strikes) * time.Minute)
	}
	until = until.Add(rand.N(jitter))
	if latest := now.Add(maxHold); until.After(latest) {
		until = latest
	}
	l.strikes++
	l.until, l.trying = until, false
	l.serve()
	return until, l.strikes == 1
}

// answered takes in an answer that does not say that there were too many calls. Left is how many
// the platform has left; negative: it does not say. It reports whether there were too many before.
func (l *limiter) answered(left int) (again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); !now.Before(l.until) { // else it is of a call of before
		again = l.strikes > 0
		l.strikes, l.trying = 0, false
	}
	if left >= 0 {
		l.left = left
	}
	l.serve()
	return again
}

// unanswered takes in that a call got no answer.
func (l *limiter) unanswered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trying = false
	l.serve()
}

// heldUntil is until when nothing goes. Zero: it may.
func (l *limiter) heldUntil() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !time.Now().Before(l.until) {
		return time.Time{}
	}
	return l.until
}

// standing is how many calls may be made at once, -1 if there is no limit, and how many wait.
func (l *limiter) standing() (remaining, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bucket == nil {
		return l.left, len(l.queue)
	}
	now := time.Now()
	inWindow := 0
	for _, s := range l.recent {
		if now.Sub(s.at) < time.Minute {
			inWindow++
		}
	}
	remaining = max(0, min(int(l.bucket.TokensAt(now)), l.window-inWindow))
	if l.left >= 0 {
		remaining = min(remaining, l.left)
	}
	return remaining, len(l.queue)
}

// limited lets each try wait for its turn.
func (s *shared) limited(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if err := s.breaker.refuses(); err != nil {
			return nil, err // it would wait for nothing
		}
		if err := s.limiter.wait(r.Context(), urgencyOf(r.Context())); err != nil {
			return nil, err
		}
		answer, err := next.RoundTrip(r)
		if err != nil {
			s.limiter.unanswered()
			return nil, err
		}
		s.counted(answer)
		return answer, nil
	})
}

// counted takes in what an answer says of the number of calls.
func (s *shared) counted(answer *http.Response) {
	if answer.StatusCode != http.StatusTooManyRequests {
		if s.limiter.answered(s.left(answer.Header)) {
			s.told(false, "the platform takes calls again", reason.Reason{}, time.Time{})
		}
		return
	}
	if until, first := s.limiter.tooMany(retryAfter(answer.Header)); first {
		s.told(true, "the platform was asked too often; calls pause", reason.Reason{Kind: reason.RateLimited, Until: until}, until)
	}
}

func (s *shared) left(header http.Header) int {
	if s.config.Remaining == nil {
		return -1
	}
	if left, known := s.config.Remaining(header); known {
		return left
	}
	return -1
}

// noTurn is the error of a call that was not made, because its context ended while it waited for
// its turn.
type noTurn struct {
	cause error
	until time.Time // the platform wants no call before; zero: it is Paastis's own limit
}

func (e noTurn) Error() string {
	if !e.until.IsZero() {
		return fmt.Sprintf("not called: the platform was asked too often, and is asked again at %s: %v", e.until.Format("15:04:05"), e.cause)
	}
	return fmt.Sprintf("not called: no turn within the limit of calls: %v", e.cause)
}

func (e noTurn) Unwrap() error { return e.cause }

func (e noTurn) Reason() reason.Reason {
	return reason.Reason{Kind: reason.RateLimited, Until: e.until}
}
