package server

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/traefik"
)

// edge is a Traefik with more flags than it needs.
func edge(flags ...string) *registrytest.App {
	static, _ := traefik.ReadStatic(append([]string{"--entrypoints.web.address=:80", "--providers.docker"}, flags...), nil)
	a := service("edge").Awake()
	a.Labels, a.Traefik, a.Protected = nil, &static, inventory.RunsTraefik
	return a
}

const respondingTimeouts = "--entrypoints.web.transport.respondingtimeouts."

func TestNobodyIsHeldForLongerThanTraefikWaitsForItsBody(t *testing.T) {
	for name, c := range map[string]struct {
		flag  string
		lines []string
		want  string
	}{
		"as usual":                   {"", []string{"method POST"}, "after 25s"},
		"a form":                     {respondingTimeouts + "readtimeout=12s", []string{"method POST", "Content-Type: application/x-www-form-urlencoded"}, "after 9s"},
		"a method of WebDAV":         {respondingTimeouts + "readtimeout=12s", []string{"method PROPFIND"}, "after 9s"},
		"a GET has no body":          {respondingTimeouts + "readtimeout=12s", nil, "after 25s"},
		"one that says it has":       {respondingTimeouts + "readtimeout=12s", []string{"Content-Type: application/json"}, "after 9s"},
		"a DELETE has none":          {respondingTimeouts + "readtimeout=12s", []string{"method DELETE"}, "after 25s"},
		"a readTimeout of none":      {respondingTimeouts + "readtimeout=0", []string{"method POST"}, "after 25s"},
		"an answer that is too late": {respondingTimeouts + "writetimeout=12s", nil, "after 10s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop := service("shop").At("shop.test").Label("paastis.mode", "forwardauth")
				shop.Boot = time.Minute
				s := live(t, shop, edge(strings.Fields(c.flag)...))
				began := time.Now()
				w := s.answerTo("http://shop.test/", c.lines...)
				if got := gist(w) + " " + after(began); got != "503 problem starting "+c.want || w.Header().Get("Retry-After") == "" {
					t.Errorf("got %s, want %s; to be asked again in %q", got, c.want, w.Header().Get("Retry-After"))
				}
			})
		})
	}
}

func TestAHeldUploadGetsItsAnswerBeforeTraefikCutsItOff(t *testing.T) {
	const small, large, unknown = smallBody, smallBody + 1, -1
	for name, c := range map[string]struct {
		flag   string
		length int64
		want   string
	}{
		"by the usual readTimeout":            {"", large, "after 45s"},
		"of a length that nobody knows":       {"", unknown, "after 45s"},
		"a body that has come in already":     {"", small, "after 2m0s"},
		"none":                                {"", 0, "after 2m0s"},
		"by a longer readTimeout":             {respondingTimeouts + "readtimeout=100s", large, "after 1m25s"},
		"by a shorter one":                    {respondingTimeouts + "readtimeout=10", large, "after 7.5s"},
		"by none":                             {respondingTimeouts + "readtimeout=0s", large, "after 2m0s"},
		"by an answer that would be too late": {respondingTimeouts + "writetimeout=1m", 0, "after 58s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop := routed("shop").At("shop.test").Label("paastis.start_timeout", "10m")
				shop.Boot = 5 * time.Minute
				s := live(t, shop, edge(strings.Fields(c.flag)...))
				r := come("shop", "/", "method PUT")
				r.ContentLength = c.length
				began := time.Now()
				w := s.answer(r)
				if got := gist(w) + " " + after(began); got != "503 problem starting "+c.want || w.Header().Get("Retry-After") == "" {
					t.Errorf("got %s, want %s; to be asked again in %q", got, c.want, w.Header().Get("Retry-After"))
				}
			})
		})
	}
}

func TestAPollIsAnsweredBeforeTraefikGivesNoAnswerAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := service("shop").At("shop.test")
		shop.Boot = time.Minute
		s := live(t, shop, edge(respondingTimeouts+"writetimeout=12s"))
		s.answerTo("http://shop.test/", "Accept: text/html")
		seen := s.answerTo("http://shop.test/", "X-Paastis-Poll: 1").Body.String()
		_, seen, _ = strings.Cut(seen, `data-poll="`)
		seen, _, _ = strings.Cut(seen, `"`)
		began := time.Now()
		s.answerTo("http://shop.test/", "X-Paastis-Poll: "+seen)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("the poll %q is answered after %s", seen, took)
		}
	})
}
