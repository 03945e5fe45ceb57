package e2e

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"
)

// lateGate is where an engine's socket will be once it is opened.
func lateGate(t *testing.T) *gate {
	return &gate{t: t, path: filepath.Join(t.TempDir(), "engine.sock")}
}

func TestAppsAppearWhenTheirEngineComesAfterPaastis(t *testing.T) {
	late := lateGate(t)
	s := newTestServer(t, "e2e-late-site")
	s.stack("e2e-late", true, app{name: "shop", host: "late.test", static: true})
	s.stack("e2e-early", false, app{name: "shop", host: "early.test", static: true})
	s.serveOutside("DOCKER_HOST=unix://"+late.path, "PAASTIS_MODE=forwardauth")
	for range 10 {
		if got := s.browse("early.test"); got.status != http.StatusOK {
			t.Errorf("an awake app before its engine is known: %s", got)
		}
		if got := s.browse("late.test"); got.status == http.StatusOK || got.status == http.StatusServiceUnavailable && got.header.Get("X-Paastis-State") != "" {
			t.Errorf("a sleeping app before its engine is known: %s", got)
		}
		time.Sleep(200 * time.Millisecond)
	}
	late.open()
	t.Cleanup(late.shut)
	came := time.Now()
	s.await("the waiting page of the app", 10*time.Second, func() bool {
		got := s.browse("late.test")
		return got.status == http.StatusServiceUnavailable && got.header.Get("X-Paastis-State") != ""
	})
	t.Logf("the apps were known after %s", time.Since(came).Round(time.Millisecond))
	if got := s.browseUntilAwake("late.test", 30*time.Second); got.status != http.StatusOK {
		t.Errorf("after its wake: %s", got)
	}
	if got := s.browse("early.test"); got.status != http.StatusOK {
		t.Errorf("the awake app afterwards: %s", got)
	}
}
