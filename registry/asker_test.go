package registry

import (
	"net/netip"
	"testing"
	"testing/synctest"
)

func TestAQuestionIsAboutARouterOfTheTraefikThatAsks(t *testing.T) {
	asks := func(name, rule string) *fakeApp {
		return zoned(name, name).label("traefik.http.routers.shop-"+name+".rule", rule).label("traefik.docker.allownonrunning", "true")
	}
	const host, longer = "Host(`shop.test`)", "Host(`shop.test`) && PathPrefix(`/`)"
	for name, c := range map[string]struct {
		public, inner []string // the flags of the Traefiks
		out, in       func(*fakeApp)
	}{
		"by constraints": {
			[]string{"--providers.docker.constraints=!Label(`zone`,`in`)"}, []string{"--providers.docker.constraints=LabelRegex(`zone`,`^in`)"}, nil, nil,
		},
		"by exposure": {
			[]string{"--providers.docker.exposedbydefault=false"}, []string{"--providers.docker.constraints=Label(`zone`,`in`)"},
			nil, func(a *fakeApp) { delete(a.Labels, "traefik.enable") },
		},
		"by entry points": {
			[]string{"--entrypoints.web.address=:80", "--providers.docker"}, []string{"--entrypoints.internal.address=:80", "--providers.docker"},
			func(a *fakeApp) { a.label("traefik.http.routers.shop-out.entrypoints", "web") },
			func(a *fakeApp) { a.label("traefik.http.routers.shop-in.entrypoints", "internal") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out, in := asks("out", host), asks("in", longer)
				for a, change := range map[*fakeApp]func(*fakeApp){out: c.out, in: c.in} {
					if change != nil {
						change(a)
					}
				}
				w := liveFor(t, settingsFor(t, ""), out, in, traefikAt("public", "10.0.0.2", c.public...), traefikAt("inner", "10.0.0.3", c.inner...))
				for by, want := range map[string]string{"10.0.0.2": "shop-out", "10.0.0.3": "shop-in", "10.0.0.9": "shop-in"} {
					if got := nameOf(w.FindFor(request(t, "http://shop.test/cart"), netip.MustParseAddr(by)).Definition()); got != want {
						t.Errorf("what %s asks about is for %q, want %q", by, got, want)
					}
				}
			})
		})
	}
}

func TestATraefikAsksAboutNoRouterThatItDoesNotHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := liveFor(t, settingsFor(t, ""), zoned("in", "in"),
			traefikAt("public", "10.0.0.2", "--providers.docker.constraints=!Label(`zone`,`in`)"), traefikAt("inner", "10.0.0.3", "--providers.docker"))
		for by, want := range map[string]bool{"10.0.0.2": false, "10.0.0.3": true} {
			if got := w.FindFor(request(t, "http://in.test/"), netip.MustParseAddr(by)) != nil; got != want {
				t.Errorf("%s asks about it: %t", by, got)
			}
		}
	})
}
