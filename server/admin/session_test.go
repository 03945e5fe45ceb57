package admin

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// valueOf is that of the cookie in a line.
func valueOf(line string) string {
	_, value, _ := strings.Cut(line, "=")
	return value
}

// secured is the TLS of a request that came by it.
var secured = &tls.ConnectionState{HandshakeComplete: true}

// letIn fails the test unless a cookie gets an answer of a code.
func (r *room) letIn(t *testing.T, what string, code int, lines ...string) {
	t.Helper()
	if w := r.ask("GET", "/api/v1/apps", lines...); w.Code != code {
		t.Errorf("%s: got %s, want %d", what, told(w), code)
	}
}

func TestALoginGivesASessionThatEndsAfterHalfADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		w := r.ask("POST", "/login", append(form("token="+token), "Origin: http://paastis.test")...)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "./" {
			t.Fatalf("got %s", told(w))
		}
		set := w.Header().Get("Set-Cookie")
		for _, want := range []string{"paastis_session=", "HttpOnly", "SameSite=Strict", "Max-Age=43200"} {
			if !strings.Contains(set, want) {
				t.Errorf("the cookie lacks %s: %s", want, set)
			}
		}
		if strings.Contains(set, "Secure") || strings.Contains(set, "Path") {
			t.Errorf("the cookie has too much: %s", set)
		}
		set = r.ask("POST", "/login", append(form("token="+token), "Origin: https://paastis.test")...).Header().Get("Set-Cookie")
		if !strings.Contains(set, "; Secure") {
			t.Errorf("by https the cookie is not Secure: %s", set)
		}

		cookie, _, _ := strings.Cut("Cookie: "+set, ";")
		time.Sleep(sessionLife - time.Minute)
		if got := r.ask("GET", "/api/v1/apps", cookie); got.Code != http.StatusOK {
			t.Errorf("after nearly 12 h: %s", told(got))
		}
		time.Sleep(time.Minute)
		if got := r.ask("GET", "/api/v1/apps", cookie); got.Code != http.StatusUnauthorized {
			t.Errorf("after 12 h: %s", told(got))
		}
	})
}

func TestACookieIsSecureWhereTheVisitorsConnectionIs(t *testing.T) {
	for what, c := range map[string]struct {
		lines  []string
		tls    bool
		secure bool
	}{
		"a browser by https": {[]string{"Origin: https://paastis.test"}, false, true},
		"a browser by http":  {[]string{"Origin: http://paastis.test"}, false, false},
		"a browser by http, behind a proxy that uses TLS": {[]string{"Origin: http://paastis.test"}, true, false},
		"a program by TLS":     {nil, true, true},
		"a program by nothing": {nil, false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := open(t)
			req := request("POST", "/login", append(form("token="+token), c.lines...)...)
			if c.tls {
				req.TLS = secured
			}
			w := r.answer(req)
			if set := w.Header().Get("Set-Cookie"); set == "" || strings.Contains(set, "; Secure") != c.secure {
				t.Errorf("%s: %s", what, told(w))
			}
		})
	}
}

func TestACookieThatWasTouchedIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		cookie, _ := r.logsIn(t)
		for i := len("Cookie: paastis_session="); i < len(cookie); i++ {
			b := []byte(cookie)
			if b[i] == 'A' {
				b[i] = 'B'
			} else {
				b[i] = 'A'
			}
			if w := r.ask("GET", "/api/v1/apps", string(b)); w.Code != http.StatusUnauthorized {
				t.Errorf("%s in place of %s: %d", b, cookie, w.Code)
			}
		}
	})
}

func TestALogoutEndsTheSessionForAllCopiesOfTheCookieAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, byForm := range []bool{false, true} {
			r := open(t, asleep("shop"))
			cookie, csrf := r.logsIn(t)
			others, othersCSRF := r.logsIn(t)
			lines := []string{cookie, csrf}
			if byForm {
				_, secret, _ := strings.Cut(csrf, ": ")
				lines = append(form("csrf="+secret), cookie)
			}
			w := r.ask("POST", "/logout", lines...)
			if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "./" || !strings.Contains(w.Header().Get("Set-Cookie"), "paastis_session=; Max-Age=0") {
				t.Errorf("got %s", told(w))
			}
			nobody := told(r.ask("GET", "/api/v1/apps"))
			for _, at := range r.everywhere() {
				if got := told(r.ask(at[0], at[1], cookie, csrf)); got != nobody && at[1] != "/login" {
					t.Errorf("a copy of the cookie at %s %s: %s", at[0], at[1], got)
				}
			}
			r.letIn(t, "another session", http.StatusOK, others)
			if w := r.ask("POST", "/api/v1/apps/shop/wake", others, othersCSRF); w.Code != http.StatusAccepted {
				t.Errorf("another session moves nothing: %s", told(w))
			}
		}
	})
}

func TestALogoutEndsTheSessionThoughTheTokenIsSentToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		cookie, _ := r.logsIn(t)
		r.ask("POST", "/logout", cookie, bearer)
		r.letIn(t, "the session", http.StatusUnauthorized, cookie)
	})
}

func TestAStreamEndsWithItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		cookie, csrf := r.logsIn(t)
		others, _ := r.logsIn(t)
		one, other, programs := r.followsAs(t, "/api/v1/events", cookie), r.followsAs(t, "/api/v1/events", others), r.follows(t, "/api/v1/events")
		r.ask("POST", "/logout", cookie, csrf)
		synctest.Wait()
		if !one.over() || other.over() || programs.over() {
			t.Errorf("after a log-out over is the session's %t, another's %t, a program's %t", one.over(), other.over(), programs.over())
		}
		told := one.text.String()
		r.wakesOnce("shop")
		if one.text.String() != told || len(other.told("event")) != 2 {
			t.Errorf("after it the session's stream was told %q, another's %q", one.text.String(), other.told("event"))
		}
		time.Sleep(sessionLife)
		if !other.over() || programs.over() {
			t.Errorf("after 12 h over is the session's %t, a program's %t", other.over(), programs.over())
		}
	})
}

func TestASessionKnowsNeitherAnotherTokenNorARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, again := open(t), open(t)
		cookie, _ := one.logsIn(t)
		one.letIn(t, "where it was begun", http.StatusOK, cookie)
		again.letIn(t, "after a restart", http.StatusUnauthorized, cookie)
	})
}

func TestALoginTakesNoSessionThatItIsGivenAndEndsTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		before, _ := r.logsIn(t)
		w := r.ask("POST", "/login", append(form("token="+token), before, "Cookie: paastis_session=planted")...)
		after := "Cookie: paastis_session=" + w.Result().Cookies()[0].Value
		r.letIn(t, "the planted one", http.StatusUnauthorized, "Cookie: paastis_session=planted")
		r.letIn(t, "the one before", http.StatusUnauthorized, before)
		r.letIn(t, "the new one", http.StatusOK, after)
	})
}

func TestACookieThatANeighbourHasSetKeepsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		cookie, csrf := r.logsIn(t)
		both := "Cookie: paastis_session=planted; paastis_session=" + valueOf(cookie)
		r.letIn(t, "with both", http.StatusOK, both)
		r.ask("POST", "/logout", both, csrf)
		r.letIn(t, "after the log-out", http.StatusUnauthorized, cookie)
	})
}

func TestTheOldestSessionGivesWayToOneTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSessions()
		with := func(cookie string) *http.Request { return request("GET", "/", "Cookie: paastis_session="+cookie) }
		oldest := s.begin(time.Now())
		of, _ := s.of(with(oldest), time.Now())
		time.Sleep(time.Second)
		second := s.begin(time.Now())
		for range mostSessions - 1 {
			s.begin(time.Now().Add(time.Second))
		}
		if _, ok := s.of(with(oldest), time.Now()); ok || of.ctx.Err() == nil {
			t.Error("the oldest goes on")
		}
		if _, ok := s.of(with(second), time.Now()); !ok || len(s.active) != mostSessions {
			t.Errorf("%d are left; the second goes on: %t", len(s.active), ok)
		}
		time.Sleep(sessionLife + time.Second)
		s.begin(time.Now())
		if len(s.active) != 1 {
			t.Errorf("when all are over %d are left", len(s.active))
		}
	})
}
