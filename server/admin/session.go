package admin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// cookieName is the name of the session's cookie.
	cookieName = "paastis_session"
	// sessionLife is how long a session lasts.
	sessionLife = 12 * time.Hour
	// mostSessions is how many there are at once. One more ends the oldest.
	mostSessions = 10_000
)

// sessions are the log-ins of people that are in force. A cookie is but a name for one of
// them, so a log-out ends it for all copies of the cookie. They are in memory alone: a
// restart ends them all, and with it a new token does; none that was ended before can come
// back after it.
type sessions struct {
	mu     sync.Mutex
	active map[[sha256.Size]byte]session // :: sum of the cookie's value → what it stands for
}

// session is one log-in of a person.
type session struct {
	expires time.Time
	csrf    string          // what its requests send that no other site can know
	ctx     context.Context // ends with the session
	end     context.CancelFunc
}

func newSessions() *sessions {
	return &sessions{active: map[[sha256.Size]byte]session{}}
}

// begin starts a session, and returns its cookie's value, which is kept nowhere.
func (s *sessions) begin(now time.Time) string {
	cookie, one := rand.Text(), session{expires: now.Add(sessionLife), csrf: rand.Text()}
	one.ctx, one.end = context.WithDeadline(context.Background(), one.expires)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom(now)
	s.active[sha256.Sum256([]byte(cookie))] = one
	return cookie
}

// makeRoom forgets the sessions that are over, and ends the oldest if there are too many
// others. Called with s.mu held.
func (s *sessions) makeRoom(now time.Time) {
	var oldest [sha256.Size]byte
	for sum, one := range s.active {
		switch was, ok := s.active[oldest]; {
		case !now.Before(one.expires):
			delete(s.active, sum)
		case !ok || one.expires.Before(was.expires):
			oldest = sum
		}
	}
	if len(s.active) >= mostSessions {
		s.active[oldest].end()
		delete(s.active, oldest)
	}
}

// of returns the session that a request has a cookie of. It may have other cookies of the
// name as well, which somebody else on the host has set.
func (s *sessions) of(r *http.Request, now time.Time) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cookie := range r.CookiesNamed(cookieName) {
		if one, ok := s.active[sha256.Sum256([]byte(cookie.Value))]; ok && now.Before(one.expires) {
			return one, true
		}
	}
	return session{}, false
}

// endOf ends every session that a request has a cookie of.
func (s *sessions) endOf(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cookie := range r.CookiesNamed(cookieName) {
		sum := sha256.Sum256([]byte(cookie.Value))
		if one, ok := s.active[sum]; ok {
			one.end()
			delete(s.active, sum)
		}
	}
}

// sent reports whether a text is the session's CSRF secret.
func (s session) sent(text string) bool {
	return subtle.ConstantTimeCompare([]byte(s.csrf), []byte(text)) == 1
}

// setCookie gives the browser a session, or takes it away with an empty one. Without a
// Path the cookie is for the folder of /login, which is the admin root, wherever a proxy
// may have put it.
func setCookie(w http.ResponseWriter, r *http.Request, value string) {
	cookie := &http.Cookie{
		Name: cookieName, Value: value, MaxAge: int(sessionLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: byTLS(r),
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// byTLS reports whether the visitor's own connection is encrypted. A browser tells by the
// origin of its page; what it says of itself concerns nobody else. A proxy may be reached
// by TLS and take visitors without, or the other way round.
func byTLS(r *http.Request) bool {
	origin, proto := strings.ToLower(r.Header.Get("Origin")), strings.ToLower(last(r.Header, "X-Forwarded-Proto"))
	switch {
	case strings.HasPrefix(origin, "https://") || proto == "https":
		return true
	case strings.HasPrefix(origin, "http://") || proto != "":
		return false
	default:
		return r.TLS != nil
	}
}
