package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// another starts a Traefik with flags of its own, which fetches its routes as well, and
// returns where visitors of it come in.
func (s *testServer) another(name string, flags ...string) string {
	s.t.Helper()
	container := s.name + "-" + name
	s.up(container, fmt.Sprintf(`
services:
  traefik:
    image: traefik:v3.6.12
    container_name: %[1]s
    labels: {e2e: %[2]s}
    command:
      - --global.checknewversion=false
      - --global.sendanonymoususage=false
      - --entrypoints.web.address=:80
      - --providers.docker.exposedbydefault=false
      - --providers.http.endpoint=http://%[2]s-paastis:3000/traefik/config
      - --providers.http.pollInterval=1s
      - %[3]s
    ports: ["127.0.0.1::80"]
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock
`, container, s.name, strings.Join(flags, "\n      - ")))
	return strings.TrimSpace(docker(s.t, "port", container, "80"))
}

// status is that of a host's answer by the Traefik at an address; 0: there was none.
func status(address, host string) int {
	r, err := http.NewRequest(http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return 0
	}
	r.Host = host
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestTwoTraefiksGetWhatTheirOwnFlagsLetThemHaveAndNoMore(t *testing.T) {
	const project = "e2e-zones"
	s := newTestServer(t, "e2e-zones-site")
	s.direct, s.hostPID = true, true
	s.traefikFlags = []string{dropIdle, "--providers.docker.constraints=Label(`e2e`,`" + s.name + "`) && !Label(`zone`,`in`)"}
	s.stack(project, true,
		app{name: "inner", host: "inner.test", bare: true, labels: []string{"zone=in"}},
		app{name: "outer", host: "outer.test", bare: true})
	s.serve("rules: [{pattern: '^e2e-zones-', max_idle_time: 5s}]")
	inside := s.another("inside", "--providers.docker.constraints=Label(`zone`,`in`)", dropIdle)
	for round := range 2 { // the second time after both have slept
		s.await("the inner app by the inner Traefik", 60*time.Second, func() bool { return status(inside, "inner.test") == http.StatusOK })
		s.await("the outer app by the outer Traefik", 60*time.Second, func() bool { return status(s.traefik, "outer.test") == http.StatusOK })
		if code := status(s.traefik, "inner.test"); code != http.StatusNotFound {
			t.Errorf("round %d: the outer Traefik answers %d for the inner app", round, code)
		}
		if code := status(inside, "outer.test"); code != http.StatusNotFound {
			t.Errorf("round %d: the inner Traefik answers %d for the outer app", round, code)
		}
		s.awaitAsleep(90*time.Second, project)
		for address, host := range map[string]string{s.traefik: "inner.test", inside: "outer.test"} {
			if code := status(address, host); code != http.StatusNotFound {
				t.Errorf("round %d: %s is answered %d while all sleep", round, host, code)
			}
		}
	}
}
