package admin

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// from is a request of somebody's at an address.
func from(addr string, r *http.Request) *http.Request {
	r.RemoteAddr = addr
	return r
}

// types is a log-in with a wrong token.
func (r *room) types(addr string, lines ...string) int {
	return r.answer(from(addr, request("POST", "/login", append(form("token=wrong"), lines...)...))).Code
}

// carries is a program's request with a wrong token.
func (r *room) carries(addr string, lines ...string) int {
	return r.answer(from(addr, request("GET", "/api/v1/apps", append(lines, "Authorization: Bearer wrong")...))).Code
}

// guesses tries wrong tokens from an address until there are too many, as people do and as
// programs do.
func (r *room) guesses(t *testing.T, addr string, lines ...string) {
	t.Helper()
	for range 200 {
		r.types(addr, lines...)
		r.carries(addr, lines...)
	}
	if typed, carried := r.types(addr, lines...), r.carries(addr, lines...); typed != http.StatusTooManyRequests || carried != http.StatusTooManyRequests {
		t.Errorf("200 guesses from %s, and still %d and %d", addr, typed, carried)
	}
}

func TestAWrongLoginSaysSoAndManyAreToldToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		w := r.ask("POST", "/login", form("token=wrong")...)
		if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `role="alert"`) || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("got %s", told(w))
		}
		for range 9 {
			r.ask("POST", "/login", form("token=wrong")...)
		}
		w = r.ask("POST", "/login", form("token=wrong")...)
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "6" || !strings.Contains(w.Body.String(), "That is not the token, as many before it were not") || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("the eleventh got %s", told(w))
		}
		time.Sleep(6 * time.Second)
		if w = r.ask("POST", "/login", form("token=wrong")...); w.Code != http.StatusUnauthorized {
			t.Errorf("six seconds later: %s", told(w))
		}
	})
}

func TestAWrongTokenAfterManyIsToldTheSameEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		r.guesses(t, "192.0.2.1:1234")
		want := told(r.ask("GET", "/api/v1/apps", "Authorization: Bearer wrong"))
		if !strings.HasPrefix(want, "429") || strings.Contains(want, "shop") {
			t.Fatalf("got %s", want)
		}
		for _, at := range r.everywhere() {
			if got := told(r.ask(at[0], at[1], "Authorization: Bearer wrong", "body {}")); got != want && at[1] != "/login" && at[0] != "HEAD" {
				t.Errorf("%s %s:\n got %s\nwant %s", at[0], at[1], got, want)
			}
		}
		if w := r.ask("GET", "/api/v1/apps"); w.Code != http.StatusUnauthorized {
			t.Errorf("without a token: %s", told(w))
		}
	})
}

func TestTheRightTokenIsLetInHoweverManyWereWrongFromItsOwnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		cookie, csrf := r.logsIn(t)
		const addr = "172.18.0.1:40000" // the engine's, for a published port
		for range 3 {
			r.guesses(t, addr)
			if w := r.answer(from(addr, request("POST", "/login", form("token="+token)...))); w.Code != http.StatusSeeOther || w.Header().Get("Set-Cookie") == "" {
				t.Errorf("a person who knows: %s", told(w))
			}
			if w := r.answer(from(addr, request("GET", "/api/v1/apps", bearer))); w.Code != http.StatusOK {
				t.Errorf("a program that knows: %s", told(w))
			}
			if w := r.answer(from(addr, request("POST", "/api/v1/apps/shop/wake", cookie, csrf))); w.Code != http.StatusAccepted {
				t.Errorf("the dashboard: %s", told(w))
			}
		}
	})
}

func TestWhoGuessesIsToldApartFromWhoMistypes(t *testing.T) {
	for what, c := range map[string]struct{ guesses, mistypes string }{
		"another address":      {"203.0.113.7:1", "198.51.100.1:1"},
		"another IPv6 network": {"[2001:db8:0:1::7]:1", "[2001:db8:0:2::1]:1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := open(t)
			r.guesses(t, c.guesses)
			if typed, carried := r.types(c.mistypes), r.carries(c.mistypes); typed != http.StatusUnauthorized || carried != http.StatusUnauthorized {
				t.Errorf("%s: %d and %d", what, typed, carried)
			}
		})
	}
}

func TestWhoHasManyAddressesGuessesNoMoreThanAHundredWithOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		guess := func(i int) int {
			addr := fmt.Sprintf("203.%d.%d.7:1", i>>8, i&255)
			return r.answer(from(addr, request("POST", "/login", form("token=wrong")...))).Code
		}
		for i := range 1000 {
			guess(i)
		}
		if code := guess(1000); code != http.StatusTooManyRequests {
			t.Errorf("the thousandth address got %d", code)
		}
		time.Sleep(time.Second)
		if code := guess(1001); code != http.StatusUnauthorized {
			t.Errorf("a second later: %d", code)
		}
	})
}

func TestGuessesDoNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		r.guesses(t, "203.0.113.7:1")
		r.guesses(t, "203.0.113.7:1")
		if n := strings.Count(r.logs.String(), "wrong token"); n != 110 {
			t.Errorf("%d lines for 800 guesses", n)
		}
		if !r.logs.has("from=203.0.113.7") {
			t.Errorf("nobody is told where they come from")
		}
	})
}

func TestShortTokensAndBadSumsAreRefusedWithoutRepeatingThem(t *testing.T) {
	if _, err := SumOf("short-secret"); err == nil || strings.Contains(err.Error(), "short-secret") || !strings.Contains(err.Error(), "16 at least") {
		t.Errorf("a short token: %v", err)
	}
	for _, text := range []string{"correct-horse-battery-staple", strings.Repeat("a", 63), strings.Repeat("a", 65), strings.Repeat("ab", 33)} {
		if _, err := ParseSum(text); err == nil || strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
	want, _ := SumOf(token)
	if got, err := ParseSum(fmt.Sprintf("%X", want)); err != nil || got != want {
		t.Errorf("the token's own sum: %v", err)
	}
}

func TestATokenThatIsEasyToGuessIsCalledSo(t *testing.T) {
	for token, want := range map[string]string{
		"correct-horse-battery-staple":     "has 28 characters only",
		strings.Repeat("a", 64):            "has 1 different characters only",
		strings.Repeat("ha", 20):           "has 2 different characters only",
		"0123456789abcdef0123456789abcdef": "",
		strings.Repeat("é", 31):            "has 31 characters only",
	} {
		got := Weakness(token)
		if !strings.HasPrefix(got, want) || want == "" && got != "" || strings.Contains(got, token) {
			t.Errorf("%q: %q, want %q", token, got, want)
		}
	}
}
