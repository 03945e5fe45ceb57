package herokutest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// mostTokens is how many calls an account may have left, and perMinute how many it gets back
	// (devcenter.heroku.com/articles/platform-api-reference#rate-limits).
	mostTokens = 4500
	perMinute  = 75
	// ecoHours is what the owner of eco dynos has for a month.
	ecoHours = 1000 * time.Hour
	// accountID is that of the account.
	accountID = "0000acc0-0000-4000-8000-000000000000"
)

// token is an authorization of the account. The zero value is one that works.
type token struct{ revoked, expired bool }

// Issue makes another token of the account: `heroku authorizations:create`.
func (h *Heroku) Issue(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tokens[text] = token{}
}

// Revoke makes a token one that is not known any more, Expire one whose time is over.
func (h *Heroku) Revoke(text string) { h.put(text, token{revoked: true}) }
func (h *Heroku) Expire(text string) { h.put(text, token{expired: true}) }

func (h *Heroku) put(text string, is token) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tokens[text] = is
}

// Suspend has Heroku suspend the account, Default has it wait for its money; each until it is
// called with false.
func (h *Heroku) Suspend(is bool) { h.stand(func(s *standing) { s.suspended = is }) }
func (h *Heroku) Default(is bool) { h.stand(func(s *standing) { s.delinquent = is }) }

func (h *Heroku) stand(how func(*standing)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	how(&h.account)
}

// Spend has others of the account make so many calls: its CI, the CLI of its people.
func (h *Heroku) Spend(calls int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.quota.refill(time.Now())
	h.quota.left = max(h.quota.left-float64(calls), 0)
}

// Remaining is how many calls are left to the account.
func (h *Heroku) Remaining() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.quota.refill(time.Now())
	return int(h.quota.left)
}

// UseUpEco has the month's hours of eco dynos be over.
func (h *Heroku) UseUpEco() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ecoUsed = ecoHours
	for _, a := range h.apps {
		if a.isEco() {
			a.asleep = true
		}
	}
}

// bucket are the calls that are left. It goes by time.Now, however the platform's clock is set.
type bucket struct {
	left float64
	at   time.Time
}

func newBucket(now time.Time) bucket { return bucket{left: mostTokens, at: now} }

// refill adds what has come back since.
func (b *bucket) refill(now time.Time) {
	b.left = min(b.left+perMinute*now.Sub(b.at).Minutes(), mostTokens)
	b.at = now
}

// take takes a call, and reports whether there was one left.
func (b *bucket) take(now time.Time) bool {
	b.refill(now)
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// admit lets those in who may call: who names the version of the API, has a token, and has calls
// left. What is answered says how many those are.
func (h *Heroku) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/sessions/") { // it is another host's
			h.writeLog(w, r)
			return
		}
		w.Header().Set("Request-Id", r.Header.Get("Request-Id"))
		if fault := h.refuse(w.Header(), r); fault != nil {
			fault.write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse is why a call is not let in. Nil: it is.
func (h *Heroku) refuse(header http.Header, r *http.Request) *fault {
	if accept := r.Header.Get("Accept"); !strings.Contains(accept, "application/vnd.heroku+json") || !strings.Contains(accept, "version=3") {
		return &fault{http.StatusNotAcceptable, "not_acceptable", "The requested API version was not found. You can request the API version by Accept: application/vnd.heroku+json; version=3."}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	text, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	known, issued := h.tokens[text]
	switch {
	case !bearer, !issued, known.revoked:
		return &fault{http.StatusUnauthorized, "unauthorized", "Invalid credentials provided."}
	case known.expired:
		return &fault{http.StatusUnauthorized, "unauthorized", "The access token expired."}
	}
	free := r.URL.Path == "/account/rate-limits"
	taken := free || h.quota.take(time.Now())
	h.quota.refill(time.Now())
	header.Set("RateLimit-Remaining", strconv.Itoa(int(h.quota.left)))
	switch {
	case !taken:
		return &fault{http.StatusTooManyRequests, "rate_limit", "Your account reached the API rate limit\nPlease wait a few minutes before making new requests"}
	case h.account.suspended:
		return &fault{http.StatusForbidden, "suspended", "There's a problem with your account. Please email heroku-abuse@salesforce.com."}
	default:
		return nil
	}
}
