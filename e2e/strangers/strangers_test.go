package strangers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/traefik/dynamic"
)

// town is a Traefik, a Paastis and an app behind a login, front.
type town struct {
	t       *testing.T
	web     string // where visitors come in
	paastis string // of which strangers should not get at more than by Traefik
}

// The labels of Paastis are those without which it has a default router of Traefik's.
var defaultRouter = map[string]string{"traefik.enable": "true", "traefik.docker.allownonrunning": "true"}

// settle starts them. Traefik has more flags; "{paastis}" in one is its address.
func settle(t *testing.T, labels map[string]string, flags ...string) *town {
	t.Helper()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "front's secret") }))
	t.Cleanup(front.Close)
	_, frontPort, _ := strings.Cut(front.Listener.Addr().String(), ":")
	port := freePort(t)
	paastis := container{"infra", "paastis", map[string]string{
		"traefik.http.middlewares.paastis.forwardauth.address":             "http://127.0.0.1:" + port + "/auth",
		"traefik.http.middlewares.paastis.forwardauth.maxresponsebodysize": "4096",
	}, port}
	for key, value := range labels {
		paastis.labels[key] = value
	}
	engine := playEngine(t, paastis, container{"shop", "front", map[string]string{
		"traefik.enable": "true", "traefik.docker.allownonrunning": "true",
		"traefik.http.routers.shop.rule":                     "Host(`shop.example.com`)",
		"traefik.http.middlewares.login.basicauth.users":     "admin:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/",
		"traefik.http.routers.shop.middlewares":              "login@docker,paastis@docker",
		"traefik.http.services.shop.loadbalancer.server.url": "http://127.0.0.1:" + frontPort,
		"paastis.traffic_floor":                              "off", // so that its route leads to Paastis while it is awake, too
	}, frontPort})
	start(t, root+"/dist/paastis", []string{
		"DOCKER_HOST=" + engine, "PAASTIS_LISTEN=127.0.0.1:" + port, "PAASTIS_ADMIN_PATH=/paastis-admin",
		"PAASTIS_ADMIN_TOKEN=a-token-that-nobody-knows", "PAASTIS_ADMIN_LISTEN=127.0.0.1:" + freePort(t),
	})
	s := &town{t: t, paastis: "http://127.0.0.1:" + port}
	await(t, "Paastis serves", func() bool { code, _, _ := visit(t, s.paastis, "", "/healthz"); return code == 200 })
	for i := range flags {
		flags[i] = strings.ReplaceAll(flags[i], "{paastis}", s.paastis)
	}
	s.web = runTraefik(t, append([]string{"--providers.docker.exposedbydefault=false", "--providers.docker.endpoint=" + engine}, flags...)...)
	await(t, "Traefik asks who wants to see front", func() bool { code, _, _ := visit(t, s.web, "shop.example.com", "/"); return code == 401 })
	return s
}

// Traefik makes a router of its own, Host(`paastis-infra`), for a container that is enabled
// and has none.
const byDefault = "paastis-infra"

func TestNobodyGetsPastTheLoginOfAnAppByWayOfPaastis(t *testing.T) {
	for mode, flags := range map[string][]string{
		"ForwardAuth":               nil,
		"ForwardAuth, all believed": {"--entrypoints.web.forwardedheaders.insecure=true"},
		"direct mode":               {"--providers.http.endpoint={paastis}/traefik/config", "--providers.http.pollinterval=1s"},
		"direct mode, all believed": {"--providers.http.endpoint={paastis}/traefik/config", "--providers.http.pollinterval=1s", "--entrypoints.web.forwardedheaders.insecure=true"},
	} {
		t.Run(mode, func(t *testing.T) {
			s := settle(t, defaultRouter, flags...)
			for _, path := range attempts(s.marks()) {
				for _, lines := range disguises() {
					s.wantShut(path, lines)
				}
			}
		})
	}
}

// marks are what stands before the paths of published requests: that of front, as if somebody
// had read it, and one that is out of date.
func (s *town) marks() []string {
	s.t.Helper()
	code, _, body := visit(s.t, s.paastis, "", "/traefik/config", "Accept: */*") // to look changes nothing
	var config struct {
		HTTP struct {
			Middlewares map[string]struct{ AddPrefix struct{ Prefix string } }
		}
	}
	if err := json.Unmarshal([]byte(body), &config); code != 200 || err != nil {
		s.t.Fatalf("%d %s", code, body)
	}
	prefix := config.HTTP.Middlewares["paastis-shop-front.shop"].AddPrefix.Prefix
	if len(prefix) < 43 {
		s.t.Fatalf("front's prefix is %q", prefix)
	}
	return []string{prefix, dynamic.PathPrefix + registrytest.Mark("shop-front.shop")}
}

// attempts are paths at which a stranger may try to get at front.
func attempts(marks []string) []string {
	guess := strings.Repeat("A", 43)
	paths := []string{
		"/.paastis", "/.paastis/", "/.paastis/shop-front.shop/admin", "/.paastis/shop-front/admin", "/.paastis/" + guess + ".shop-front.shop/admin",
		"/.paastis/" + guess + ".nobody/admin", "/.paastis/%2e%2e/" + guess + ".shop-front.shop/", "//.paastis/shop-front.shop/",
		"/traefik/config", "/traefik/config/", "/traefik/config?token=", "/traefik/config?token=x", "/traefik/config/default", "/traefik/",
		"/auth", "/auth?app=shop-front", "/auth?app=nobody", "/auth/", "/auth/../auth",
		"/api", "/api/v1/apps", "/api/v1/apps/shop-front", "/api/v1/apps/nobody", "/api/v1/events", "/api/rawdata",
		"/paastis-admin/", "/paastis-admin/api/v1/apps", "/paastis-admin/api/v1/apps/shop-front", "/paastis-admin/api/v1/nothing",
		"/", "/metrics", "/debug/pprof/",
	}
	for _, mark := range marks {
		paths = append(paths, mark+"/admin")
	}
	return paths
}

// disguises are headers of which some are Traefik's own.
func disguises() [][]string {
	question := []string{"X-Forwarded-Method: GET", "X-Forwarded-Proto: http", "X-Forwarded-Host: shop.example.com", "X-Forwarded-Uri: /admin", "X-Forwarded-For: 10.0.0.1"}
	return [][]string{
		nil, {"Accept: text/html"}, {"method POST"}, {"method HEAD"},
		question, append(slices.Clone(question), "Accept: text/html", "Sec-Fetch-Mode: navigate"),
		{"X-Forwarded-Uri: /admin"}, {"X-Forwarded-Uri: /.paastis/shop-front.shop/admin", "X-Forwarded-Host: " + byDefault},
		{"X-Forwarded-Host: shop.example.com"}, {"X-Forwarded-For: 127.0.0.1"}, {"Forwarded: for=127.0.0.1;host=shop.example.com"},
		{"X-Forwarded-Prefix: /x"}, {"X-Replaced-Path: /admin"}, {"X-Real-Ip: 127.0.0.1"}, {"Authorization: Bearer x"},
		{"Connection: X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Server, X-Real-Ip"},
		{"Connection: Upgrade", "Upgrade: websocket", "Sec-Websocket-Key: x"}, {"X-Paastis-Poll: 1"}, {"X-Traefik-Router: x"},
	}
}

// The labels that the README gives to Paastis: a router that takes no request and leads nowhere,
// so that Traefik makes none of its own.
var noRouter = map[string]string{
	"traefik.enable": "true", "traefik.docker.allownonrunning": "true",
	"traefik.http.routers.paastis.rule": "Host(`paastis.invalid`)", "traefik.http.routers.paastis.service": "noop@internal",
}

func TestWithTheLabelsOfTheReadmeNoRouterLeadsToPaastis(t *testing.T) {
	s := settle(t, noRouter)
	if code, _, body := visit(t, s.web, "shop.example.com", "/", "Authorization: Basic YWRtaW46dGVzdA=="); code != 200 || body != "front's secret" {
		t.Errorf("who logs in gets %d %s", code, body)
	}
	for _, host := range []string{byDefault, "paastis", "paastis.invalid", "infra", "127.0.0.1"} {
		for _, path := range attempts(nil) {
			if code, _, body := visit(t, s.web, host, path); code != 404 && code != 418 && !strings.Contains(path, "..") {
				t.Errorf("%s%s: %d %s", host, path, code, body)
			}
		}
	}
}

// wantShut fails the test unless a stranger is turned away and learns nothing of front.
func (s *town) wantShut(path string, lines []string) {
	s.t.Helper()
	code, header, body := visit(s.t, s.web, byDefault, path, lines...)
	if path == "/auth/../auth" && code == http.StatusMovedPermanently {
		return // Traefik's own, to the path without dots
	}
	if !slices.Contains([]int{401, 403, 404}, code) || strings.Contains(body+fmt.Sprint(header), "front") {
		s.t.Errorf("%s %q: %d %v %s", path, lines, code, header, body)
	}
}
