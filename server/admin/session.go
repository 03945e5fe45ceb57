package admin

import (
	linked "container/list"
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
	byAge  *linked.List                  // of the sums of those, the oldest first
}

// session is one log-in of a person.
type session struct {
	expires time.Time
	csrf    string          // what its requests send that no other site can know
	ctx     context.Context // ends with the session
	end     context.CancelFunc
	place   *linked.Element // in byAge
}

func newSessions() *sessions {
	return &sessions{active: map[[sha256.Size]byte]session{}, byAge: linked.New()}
}

// begin starts a session, and returns its cookie's value, which is kept nowhere.
func (s *sessions) begin(now time.Time) string {
	cookie, one := rand.Text(), session{expires: now.Add(sessionLife), csrf: rand.Text()}
	one.ctx, one.end = context.WithDeadline(context.Background(), one.expires)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom(now)
	sum := sha256.Sum256([]byte(cookie))
	one.place = s.byAge.PushBack(sum)
	s.active[sum] = one
	return cookie
}

// makeRoom forgets the sessions that are over, and ends the oldest if there are too many
// others. Called with s.mu held.
func (s *sessions) makeRoom(now time.Time) {
	for s.byAge.Len() > 0 {
		sum := s.byAge.Front().Value.([sha256.Size]byte)
		if now.Before(s.active[sum].expires) && len(s.active) < mostSessions {
			return
		}
		s.remove(sum)
	}
}

// remove ends a session. Called with s.mu held.
func (s *sessions) remove(sum [sha256.Size]byte) {
	one := s.active[sum]
	one.end()
	s.byAge.Remove(one.place)
	delete(s.active, sum)
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
		if _, ok := s.active[sum]; ok {
			s.remove(sum)
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
