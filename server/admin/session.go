package admin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"time"
)

const (
	// cookieName is the name of the session's cookie.
	cookieName = "paastis_session"
	// sessionLife is how long a session lasts.
	sessionLife = 12 * time.Hour
)

// sessions are signed cookies; nothing is kept of them. The key is new at each start and
// has the token's sum in it, so a restart ends them, and so does another token.
type sessions struct{ key []byte }

// session is one log-in of a person: when it ends, and a number that no other has.
type session struct {
	expires time.Time
	id      [16]byte
}

func newSessions(token Sum) sessions {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return sessions{key: append(key, token[:]...)}
}

// begin is a new session, and the text of its cookie.
func (s sessions) begin(now time.Time) (session, string) {
	one := session{expires: now.Add(sessionLife).Truncate(time.Second).UTC()}
	_, _ = rand.Read(one.id[:])
	return one, encode(one.bytes()) + "." + encode(s.sign("session", one))
}

// read is the session of a cookie; false if the cookie is none of ours, or over.
func (s sessions) read(cookie string, now time.Time) (session, bool) {
	text, signature, _ := strings.Cut(cookie, ".")
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	one, ok := sessionOf(data)
	if err != nil || !ok || !s.signed("session", one, signature) {
		return session{}, false
	}
	return one, now.Before(one.expires)
}

// csrf is what requests of a session send that no other site can know.
func (s sessions) csrf(one session) string { return encode(s.sign("csrf", one)) }

func (s sessions) sign(what string, one session) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write(append([]byte(what+" "), one.bytes()...))
	return mac.Sum(nil)
}

// signed tells whether a text is our signature under a session.
func (s sessions) signed(what string, one session, text string) bool {
	signature, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && hmac.Equal(signature, s.sign(what, one))
}

func (s session) bytes() []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(s.expires.Unix())), s.id[:]...)
}

func sessionOf(data []byte) (session, bool) {
	var s session
	if len(data) != 8+len(s.id) {
		return s, false
	}
	s.expires = time.Unix(int64(binary.BigEndian.Uint64(data)), 0).UTC()
	copy(s.id[:], data[8:])
	return s, true
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// setCookie gives the browser a session, or takes it away with an empty one. Without a
// Path the cookie is for the folder of /login, which is the admin root, wherever a proxy
// may have put it.
func setCookie(w http.ResponseWriter, r *http.Request, value string) {
	cookie := &http.Cookie{
		Name: cookieName, Value: value, MaxAge: int(sessionLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"),
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}
