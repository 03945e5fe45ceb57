package admin

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// behind is a room that trusts proxies.
func (r *room) behind(networks ...string) *room {
	for _, n := range networks {
		r.proxies = append(r.proxies, netip.MustParsePrefix(n))
	}
	return r
}

func TestTheClientIsTheNearestAddressThatIsNoTrustedProxys(t *testing.T) {
	trusted := proxies{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("2001:db8:1::/48")}
	for _, c := range []struct {
		peer   string
		passed []string
		want   string
	}{
		{"203.0.113.7:1", nil, "203.0.113.7"},
		{"203.0.113.7:1", []string{"198.51.100.1"}, "203.0.113.7"},
		{"192.168.1.2:1", []string{"198.51.100.1"}, "192.168.1.2"}, // near by is no reason
		{"127.0.0.1:1", []string{"198.51.100.1"}, "127.0.0.1"},
		{"10.0.0.1:1", nil, "10.0.0.1"},
		{"10.0.0.1:1", []string{""}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"192.0.2.1, 198.51.100.1"}, "198.51.100.1"}, // the first is the client's invention
		{"10.0.0.1:1", []string{"192.0.2.1", "198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"192.0.2.1, 198.51.100.1, 10.0.0.2", "10.0.0.3"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"10.0.0.9,10.0.0.2"}, "10.0.0.9"},
		{"10.0.0.1:1", []string{"198.51.100.1, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"10.0.0.1:1", []string{"_hidden"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		{"10.0.0.1:1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"[::ffff:10.0.0.1]:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"[2001:db8:1::5]:1", []string{"2001:db8::7"}, "2001:db8::7"},
		{"@", []string{"198.51.100.1"}, "invalid IP"},
	} {
		r := from(c.peer, request("GET", "/"))
		for _, line := range c.passed {
			r.Header.Add("X-Forwarded-For", line)
		}
		if got := clientOf(trusted.unwrap(r)).String(); got != c.want {
			t.Errorf("%s with %q is %s, want %s", c.peer, c.passed, got, c.want)
		}
	}
}

func TestNothingThatAStrangerForwardsIsBelieved(t *testing.T) {
	r := from("203.0.113.7:1", request("GET", "/", "Host: x", "X-Other: y"))
	for _, name := range forwarded {
		r.Header.Set(name, "evil.test")
	}
	got := proxies{netip.MustParsePrefix("10.0.0.0/24")}.unwrap(r)
	for name := range got.Header {
		if slices.Contains(forwarded, name) {
			t.Errorf("%s is left", name)
		}
	}
	if got.Host != "paastis.test" || got.Header.Get("X-Other") != "y" || r.Header.Get("X-Real-Ip") == "" {
		t.Errorf("got %+v of %+v", got, r)
	}
}

func TestANewForgedAddressAtEachGuessIsNoNewClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, peer := range []string{"172.18.0.5:1", "127.0.0.1:1", "203.0.113.7:1"} {
			r := open(t).behind("172.18.0.2/32")
			for i := range 11 {
				addr := netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}).String()
				code := r.types(peer, "X-Forwarded-For: "+addr, "X-Real-Ip: "+addr, "Forwarded: for="+addr)
				if want := http.StatusUnauthorized; i < 10 && code != want || i == 10 && code != http.StatusTooManyRequests {
					t.Errorf("guess %d from %s: %d", i, peer, code)
				}
			}
			if code := r.types("198.51.100.1:1"); code != http.StatusUnauthorized {
				t.Errorf("and who has a forged address: %d", code)
			}
		}
	})
}

func TestClientsOfATrustedProxyAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t).behind("172.18.0.2/32")
		r.guesses(t, "172.18.0.2:1", "X-Forwarded-For: 198.51.100.1, 203.0.113.7")
		if code := r.types("172.18.0.2:1", "X-Forwarded-For: 198.51.100.1"); code != http.StatusUnauthorized {
			t.Errorf("who mistypes: %d", code)
		}
		if !r.logs.has("from=203.0.113.7") {
			t.Error("the log does not tell who guesses")
		}
	})
}

func TestOnlyATrustedProxyTellsThatTheVisitorUsesTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			peer, proto string
			tls, secure bool
		}{
			{"172.18.0.2:1", "https", false, true},
			{"172.18.0.2:1", "http, HTTPS", false, true},
			{"172.18.0.2:1", "http", true, false},
			{"172.18.0.2:1", "https, http", false, false},
			{"172.18.0.5:1", "https", false, false},
			{"172.18.0.5:1", "http", true, true},
		} {
			req := from(c.peer, request("POST", "/login", append(form("token="+token), "X-Forwarded-Proto: "+c.proto)...))
			if c.tls {
				req.TLS = secured
			}
			w := open(t).behind("172.18.0.2/32").answer(req)
			if set := w.Header().Get("Set-Cookie"); set == "" || strings.Contains(set, "; Secure") != c.secure {
				t.Errorf("%+v: %s", c, told(w))
			}
		}
	})
}

func TestOnlyATrustedProxyTellsAtWhichHostTheVisitorIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for peer, want := range map[string]int{"172.18.0.2:1": http.StatusSeeOther, "172.18.0.5:1": http.StatusForbidden} {
			w := open(t).behind("172.18.0.2/32").answer(from(peer, request("POST", "/login", append(form("token="+token), "Origin: https://admin.test", "X-Forwarded-Host: admin.test")...)))
			if w.Code != want {
				t.Errorf("by %s: %s", peer, told(w))
			}
		}
	})
}
