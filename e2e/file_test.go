package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestARouterOfAFileIsHandedOverWithoutAWrongAnswer has Traefik check the server's health
// as well: it answers 503 by itself until its next check, whatever the app says. The
// checks are traffic, under a floor that the rule says.
func TestARouterOfAFileIsHandedOverWithoutAWrongAnswer(t *testing.T) {
	s := newTestServer(t, "e2e-file-site")
	s.stack("e2e-file", true, app{name: "web"})
	s.serve("rules: [{pattern: '^e2e-file-web$', traffic_floor: 20kB}]", "PAASTIS_TRAEFIK_API_URL=http://"+s.name+"-edge:8080")
	s.write("dynamic.yml", fmt.Sprintf(`
http:
  routers:
    web: {rule: "Host(`+"`file.test`"+`)", service: web, middlewares: [%[1]s]}
  middlewares:
    %[1]s: {forwardAuth: {address: "http://%[1]s-paastis:3000/auth?app=e2e-file-web"}}
  services:
    web:
      loadBalancer:
        servers: [{url: "http://e2e-file-web-1:8080"}]
        healthCheck: {path: /healthz, interval: 2s, timeout: 1s}
`, s.name))
	s.up("e2e-edge", fmt.Sprintf(`
services:
  edge:
    image: traefik:v3.6.12
    container_name: %[1]s-edge
    labels: {e2e: %[1]s}
    command:
      - --api.insecure=true
      - --api.dashboard=false
      - --global.checknewversion=false
      - --global.sendanonymoususage=false
      - --entrypoints.web.address=:80
      - --providers.file.filename=/config/dynamic.yml
    ports: ["127.0.0.1::80"]
    volumes: ["%[2]s:/config"]
`, s.name, s.dir))
	s.traefik = strings.TrimSpace(docker(t, "port", s.name+"-edge", "80"))
	s.await("Traefik to have read its file", 10*time.Second, func() bool {
		got, err := s.send("GET", "file.test", "/", nil, "User-Agent: UptimeRobot")
		return err == nil && got.status == http.StatusServiceUnavailable && got.header.Get("X-Paastis-State") == "asleep"
	})
	s.browseUntilAwake("file.test", 30*time.Second) // fails at any wrong answer
	for range 20 {
		if got := s.browse("file.test"); got.status != http.StatusOK {
			t.Fatalf("once awake, a visitor got %s", got)
		}
	}
	s.awaitAsleep(6*idle, "e2e-file")
	got, err := s.send("POST", "file.test", "/echo", strings.NewReader("hello"), "Accept: application/json")
	if err != nil || got.status != http.StatusOK || !strings.Contains(got.body, sum("hello")) {
		t.Errorf("a held program got %s (%v)", got, err)
	}
}
