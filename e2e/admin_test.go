package e2e

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// adminSettings let an owner in; apps sleep at their word alone.
var adminSettings = []string{
	"PAASTIS_ADMIN_TOKEN=correct-horse-battery-staple", "PAASTIS_ADMIN_LISTEN=:8091",
	"PAASTIS_MAX_IDLE_TIME=10m", "PAASTIS_MODE=forwardauth", "PAASTIS_QUIET_TIME=2s",
}

// tell runs one of Paastis's commands in its container, as an owner would.
func (s *site) tell(args ...string) (out string, code int) {
	s.t.Helper()
	text, err := exec.Command("docker", append([]string{"exec", s.name + "-paastis", "/paastis"}, args...)...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return string(text), code
}

// told fails the test unless a command ends with a code and says something.
func (s *site) told(code int, says string, args ...string) {
	s.t.Helper()
	if out, got := s.tell(args...); got != code || !strings.Contains(out, says) {
		s.t.Errorf("paastis %s: exit code %d, %q; want %d and %q in it", strings.Join(args, " "), got, out, code, says)
	}
}

func TestAnOwnerMovesAppsFromAShell(t *testing.T) {
	s := newSite(t, "e2e-owner-site")
	s.stack("e2e-owned", true, shop()...)
	s.serve("", adminSettings...)
	s.told(0, "3 apps: 0 awake, 3 asleep", "status")

	began := time.Now()
	s.told(0, "", "wake", "e2e-owned-front", "--wait")
	if got := len(running("e2e-owned")); got != 3 {
		t.Errorf("%d containers run after the wake", got)
	}
	s.browseUntilAwake("shop.test", time.Second) // at once

	s.told(1, `needed by "e2e-owned-back"`, "sleep", "e2e-owned-db")
	s.told(1, "needed by", "sleep", "e2e-owned-db", "--force")
	s.told(0, "", "pin", "e2e-owned-front", "--for", "1h")
	s.told(0, "pinned", "status")
	s.told(1, "pinned until", "sleep", "e2e-owned-front")
	s.told(0, "", "unpin", "e2e-owned-front")
	for _, name := range []string{"front", "back", "db"} {
		s.told(0, "", "sleep", "e2e-owned-"+name)
		s.await(name+" to sleep", 30*time.Second, func() bool {
			return !slices.Contains(running("e2e-owned"), "e2e-owned-"+name+"-1")
		})
	}
	if got, want := s.events(began, "e2e-owned", "die"), []string{"die e2e-owned-front-1", "die e2e-owned-back-1", "die e2e-owned-db-1"}; !slices.Equal(got, want) {
		t.Errorf("ends: %q, want %q", got, want)
	}
	s.told(0, "starting → ready", "events", "--app", "e2e-owned-front")
	s.told(0, "pinned until", "events")
	s.told(0, "ready after", "status", "e2e-owned-front")
	s.told(1, "no app is known as", "wake", "e2e-owned-fornt")
	s.browseUntilAwake("shop.test", 30*time.Second) // a visit wakes it as ever
}
