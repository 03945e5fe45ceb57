package server

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/paastis/paastis/registry/registrytest"
)

// office stands for what answers admins, and notes what it is asked.
type office struct{ asked []string }

func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.asked = append(o.asked, r.URL.Path)
	w.WriteHeader(http.StatusTeapot)
}

// withOffice is a test server that answers admins under a path.
func withOffice(t *testing.T, path string, apps ...*registrytest.App) (*testServer, *office) {
	t.Helper()
	s, o := live(t, apps...), &office{}
	s.Server = New(Options{
		Registry: s.registry, Classifier: monitors(t), Log: s.Server.log, Admin: o, AdminPath: path,
		ConfigSources: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	})
	return s, o
}

func TestAdminsAreAnsweredUnderTheirPathAndNowhereElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := withOffice(t, "/paastis-admin")
		for target, want := range map[string]string{
			"/paastis-admin/":              "/",
			"/paastis-admin/api/v1/apps":   "/api/v1/apps",
			"/paastis-admin/../auth":       "/../auth",
			"/paastis-admin":               "",
			"/paastis-administrator":       "",
			"/paastis%2Dadmin/api/v1/apps": "",
			"//paastis-admin/api/v1/apps":  "",
			"/x/../paastis-admin/":         "",
			"/api/v1/apps":                 "",
			"/":                            "",
		} {
			o.asked = nil
			w := s.answer(httptest.NewRequest(http.MethodGet, "http://paastis:3000"+target, nil))
			if got := strings.Join(o.asked, " "); got != want || want != "" && w.Code != http.StatusTeapot {
				t.Errorf("%s: admins were asked for %q, want %q; the answer was %d", target, got, want, w.Code)
			}
		}
		w := s.answer(httptest.NewRequest(http.MethodGet, "http://paastis:3000/paastis-admin", nil))
		if w.Code != http.StatusPermanentRedirect || w.Header().Get("Location") != "paastis-admin/" {
			t.Errorf("without the slash: %d to %q", w.Code, w.Header().Get("Location"))
		}
	})
}

func TestNoQuestionOfTraefiksAndNoVisitorReachesTheAdmins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := withOffice(t, "/paastis-admin", service("shop").At("shop.test"))
		const path = "/paastis-admin/api/v1/apps"
		for _, line := range []string{"X-Forwarded-Uri: " + path, "X-Original-Uri: " + path, "X-Rewrite-Url: " + path, "X-Forwarded-Prefix: /paastis-admin"} {
			s.answerTo("http://shop.test"+path, line, "Accept: text/html")
			s.answerTo("http://other.test"+path, line)
		}
		for _, target := range []string{
			"/auth?app=shop", "/auth?app=" + path, "/auth/.." + path, "/auth/.." + path + "?app=shop", "/auth" + path, "/auth;" + path,
			"/healthz/.." + path, "/traefik/config/.." + path, "/.paastis/shop" + path, "/.paastis/.." + path, "/.paastis/shop/.." + path,
			"/.paastis/..%2f" + path, "/.paastis/paastis-admin/api/v1/apps",
		} {
			r := httptest.NewRequest(http.MethodGet, "http://paastis:3000"+target, nil)
			r.Header.Set("Accept", "text/html")
			if w := s.answer(r); w.Code == http.StatusTeapot {
				t.Errorf("%s reaches the admins", target)
			}
		}
		if o.asked != nil {
			t.Errorf("admins were asked for %v", o.asked)
		}
	})
}

func TestWithoutAPathNoAdminIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t)
		for _, target := range []string{"/", "/api/v1/apps", "/paastis-admin/", "/login"} {
			if w := s.answer(httptest.NewRequest(http.MethodGet, "http://paastis:3000"+target, nil)); w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", target, w.Code)
			}
		}
	})
}
