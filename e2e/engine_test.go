package e2e

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestAnEngineThatRestartsIsFollowed(t *testing.T) {
	if os.Getenv("E2E_RESTART") == "0" {
		t.Skip("left out by hand: E2E_RESTART=0")
	}
	s := newTestServer(t, "e2e-engine-site")
	s.stack("e2e-engine", true, app{name: "web", needs: []string{"db"}, next: "http://db:8080/", host: "engine.test", static: true}, app{name: "db"})
	s.serveOutside("PAASTIS_MAX_IDLE_TIME=1h")
	s.browseUntilAwake("engine.test", 30*time.Second)

	cmd := exec.Command("scripts/engine", "restart")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s(E2E_RESTART=0 leaves this test out)", out)
	}
	s.await("Traefik to run again", 30*time.Second, func() bool {
		return exec.Command("docker", "port", s.name+"-traefik", "80").Run() == nil
	})
	s.meetTraefik()
	// The engine has stopped the stack; whoever comes now wakes it, and gets no answer
	// but the waiting page and the app's.
	restarted := time.Now()
	got := s.browseUntilAwake("engine.test", 30*time.Second)
	t.Logf("awake again %s after the restart: %s", time.Since(restarted).Round(time.Millisecond), got)
	for range 100 {
		if got := s.browse("engine.test"); got.status != 200 {
			t.Fatalf("once awake again, a visitor got %s", got)
		}
	}
}
