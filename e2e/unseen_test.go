package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// bothModes runs a test in ForwardAuth and in direct mode, side by side.
func bothModes(t *testing.T, name string, test func(s *testServer)) {
	for mode, direct := range map[string]bool{"forwardauth": false, "direct": true} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, name+"-"+mode)
			s.direct = direct
			test(s)
		})
	}
}

// onHost is an app on the host's network.
func (s *testServer) onHost(name, host, port string) app {
	router := s.name + "-" + name
	return app{
		name: name, checked: "none", more: "network_mode: host", env: []string{"PORT=" + port},
		labels: []string{
			"traefik.enable=true",
			"traefik.http.routers." + router + ".rule=Host(`" + host + "`)",
			"traefik.http.routers." + router + ".middlewares=" + s.name + "@docker",
			"traefik.http.services." + router + ".loadbalancer.server.port=" + port,
		},
	}
}

// awaitAnswer waits until an app that runs answers: Paastis, which was started after it, may
// not listen yet.
func (s *testServer) awaitAnswer(host string) {
	s.t.Helper()
	s.await(host+" to answer", time.Minute, func() bool {
		a, err := s.send("GET", host, "/", nil)
		return err == nil && a.status == http.StatusOK
	})
}

func TestAnAppOnTheHostsNetworkIsNotStoppedUnderItsUsers(t *testing.T) {
	t.Parallel()
	bothModes(t, "e2e-host", func(s *testServer) {
		project, host := s.name+"-apps", s.name+".test"
		s.stack(project, false, s.onHost("hub", host, freePort(s.t)))
		s.serve("")
		s.awaitAnswer(host)
		v := s.visit()
		v.reach(download(host, "hub", 30, 50_000), time.Minute)
		time.Sleep(3 * idle)
		if got := running(project); len(got) != 1 {
			s.t.Errorf("it was stopped although nobody knows whether it is in use: %q run", got)
		}
		said := docker(s.t, "exec", s.name+"-paastis", "/paastis", "check", "--config", "/config/paastis.yml")
		if !strings.Contains(said, `"`+project+`-hub" stays awake, for its use cannot be seen`) || !strings.Contains(said, "pid: host") {
			s.t.Errorf("check does not say why, and what to do:\n%s", said)
		}
		v.judge()
	})
}

func TestAnAppOnTheHostsNetworkSleepsOnceItsConnectionsAreSeen(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, "e2e-host-seen")
	s.hostPID = true
	s.traefikFlags = []string{dropIdle}
	project, host := s.name+"-apps", s.name+".test"
	hub := s.onHost("hub", host, freePort(t))
	hub.labels = append(hub.labels, "traefik.docker.allownonrunning=true")
	s.stack(project, false, hub)
	engine := s.followEngine()
	s.serve("", "PAASTIS_MODE=forwardauth")
	s.awaitAnswer(host)
	v := s.visit()
	began := time.Now()
	v.reach(download(host, "hub", 30, 10), time.Minute)
	if ends := engine.of(project+"-hub-1", "die", began); len(ends) > 0 {
		t.Errorf("it was stopped %s into a download", ends[0].at.Sub(began))
	}
	s.awaitAsleep(4*idle, project)
	v.judge()
}

func TestASilentWebSocketOnASecondPortKeepsItsAppAwake(t *testing.T) {
	t.Parallel()
	bothModes(t, "e2e-ports", func(s *testServer) {
		s.hostPID = true
		s.traefikFlags = []string{dropIdle}
		project, host, router := s.name+"-apps", s.name+".test", s.name+"-"
		s.stack(project, true, app{
			name: "vault", env: []string{"ALSO=3012"}, labels: []string{
				"traefik.enable=true", "traefik.docker.allownonrunning=true",
				"traefik.http.routers." + router + "a.rule=Host(`" + host + "`)",
				"traefik.http.routers." + router + "a.middlewares=" + s.name + "@docker",
				"traefik.http.routers." + router + "a.service=" + router + "a",
				"traefik.http.services." + router + "a.loadbalancer.server.port=8080",
				"traefik.http.routers." + router + "b.rule=Host(`" + host + "`) && Path(`/ws`)",
				"traefik.http.routers." + router + "b.middlewares=" + s.name + "@docker",
				"traefik.http.routers." + router + "b.service=" + router + "b",
				"traefik.http.services." + router + "b.loadbalancer.server.port=3012",
			},
		})
		engine := s.followEngine()
		s.serve("")
		v := s.visit()
		v.reach(programTo(host, "vault"), time.Minute)
		began, silence := time.Now(), either(5*time.Minute, 8*idle)
		v.converse(host, "vault", silence, silence)
		if ends := engine.of(project+"-vault-1", "die", began); len(ends) > 0 {
			s.t.Errorf("it was stopped %s into its WebSocket", ends[0].at.Sub(began))
		}
		s.awaitAsleep(6*idle, project)
		v.judge()
	})
}

// The silence is longer than stream_quiet_time: what keeps the app awake by then are the
// packets of the connection.
func TestASilentUploadKeepsItsAppAwakeWithoutTheHostsProc(t *testing.T) {
	t.Parallel()
	bothModes(t, "e2e-silent", func(s *testServer) {
		s.traefikFlags = []string{dropIdle, "--entrypoints.web.transport.respondingtimeouts.readtimeout=0"}
		project, host := s.name+"-apps", s.name+".test"
		s.stack(project, true, app{name: "web", host: host, static: true})
		engine := s.followEngine()
		s.serve("", "PAASTIS_STREAM_QUIET_TIME=70s")
		v := s.visit()
		v.reach(programTo(host, "web"), time.Minute)
		if s.direct {
			s.awaitRoute(project, "web", "http://"+project+"-web-1")
		}
		began, silence := time.Now(), either(5*time.Minute, 100*time.Second)
		a, err := s.pausing(host, "/echo", silence)
		if err != nil || a.status != http.StatusOK || !strings.Contains(a.body, sum("begin end")) {
			s.t.Errorf("the upload that paused for %s got %s: %v", silence, a, err)
		}
		if ends := engine.of(project+"-web-1", "die", began); len(ends) > 0 {
			s.t.Errorf("the app was stopped %s into an upload", ends[0].at.Sub(began))
		}
		s.awaitAsleep(4*time.Minute, project)
		v.judge()
	})
}

// pausing sends a body of two parts with a pause between them.
func (s *testServer) pausing(host, path string, pause time.Duration) (answer, error) {
	body, parts := io.Pipe()
	go func() {
		_, _ = io.WriteString(parts, "begin ")
		time.Sleep(pause)
		_, _ = io.WriteString(parts, "end")
		parts.Close()
	}()
	client := s.client()
	client.Timeout = 0
	req, err := http.NewRequest(http.MethodPut, "http://"+host+path, body)
	if err != nil {
		return answer{}, err
	}
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(got), time.Since(began)}, err
}

// Front and back of a review app need each other, and front keeps a connection to back that
// has packets on it. That is no use of either.
func TestConnectionsWithinACircleKeepNobodyAwake(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, "e2e-circle")
	s.hostPID = true
	s.traefikFlags = []string{dropIdle}
	const project = "e2e-circle-apps"
	s.stack(project, true,
		app{name: "front", host: "circle.test", static: true, next: "http://back:8080/", env: []string{"EVERY=10s"}},
		app{name: "back"})
	s.serve("rules: [{pattern: 'e2e-circle-apps-(front|back)', linked_apps: ['e2e-circle-apps-front', 'e2e-circle-apps-back']}]", "PAASTIS_TRAFFIC_FLOOR=4kB")
	s.browseUntilAwake("circle.test", time.Minute)
	if got := running(project); len(got) != 2 {
		t.Errorf("only %q run", got)
	}
	s.awaitAsleep(8*idle, project)
}
