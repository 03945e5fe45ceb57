package e2e

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// adminSettings let an owner in; apps sleep at their word alone.
var adminSettings = []string{
	"PAASTIS_ADMIN_TOKEN=correct-horse-battery-staple", "PAASTIS_ADMIN_LISTEN=:8091",
	"PAASTIS_MAX_IDLE_TIME=10m", "PAASTIS_MODE=forwardauth", "PAASTIS_QUIET_TIME=2s",
}

// tell runs one of Paastis's commands in its container, as an owner would.
func (s *testServer) tell(args ...string) (out string, code int) {
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
func (s *testServer) told(code int, says string, args ...string) {
	s.t.Helper()
	if out, got := s.tell(args...); got != code || !strings.Contains(out, says) {
		s.t.Errorf("paastis %s: exit code %d, %q; want %d and %q in it", strings.Join(args, " "), got, out, code, says)
	}
}

func TestAnOwnerMovesAppsFromAShell(t *testing.T) {
	s := newTestServer(t, "e2e-owner-site")
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

func TestAnOwnerMovesAppsInTheDashboard(t *testing.T) {
	s := newTestServer(t, "e2e-dashboard-site")
	s.stack("e2e-seen", true, shop()...)
	s.serve("", adminSettings...)
	address := strings.TrimSpace(docker(t, "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", s.name+"-paastis"))
	page := browserTab(t, "shop.test")
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(page, steps...); err != nil {
			t.Fatal(err)
		}
	}
	shows := func(expression string) {
		t.Helper()
		s.await("the page to have "+expression, 20*time.Second, func() bool {
			is, err := chromedp.Run(page, chromedp.Evaluate[bool]("!!("+expression+")"))
			return err == nil && is
		})
	}
	press := func(name, act string) {
		t.Helper()
		row := "document.querySelector('[data-app=e2e-seen-" + name + "] [data-act=" + act + "]')"
		shows(row)
		do(chromedp.Evaluate[chromedp.Void](row + ".click()"))
	}
	state := func(name, text string) {
		t.Helper()
		shows("document.querySelector('[data-app=e2e-seen-" + name + "]')?.innerText.includes('" + text + "')")
	}

	if _, err := chromedp.Run(page, chromedp.Navigate("http://"+address+":8091/")); err != nil {
		t.Fatal(err)
	}
	do(chromedp.SendKeys("#token", "correct-horse-battery-staple\r"))
	state("front", "asleep")
	press("front", "wake")
	for _, name := range []string{"db", "back", "front"} {
		state(name, "awake")
	}
	if got := len(running("e2e-seen")); got != 3 {
		t.Errorf("%d containers run after the wake", got)
	}
	do(chromedp.Evaluate[chromedp.Void]("location.hash = '#/app/e2e-seen-front'"))
	shows("document.querySelector('#detail').innerText.includes('Usually awake in')")

	press("db", "sleep")
	shows(`document.querySelector('[data-app=e2e-seen-db] [role=alert]')?.innerText.includes('eeded by')`)
	s.told(0, "", "sleep", "e2e-seen-front") // another client
	state("front", "asleep")
	press("back", "sleep")
	state("back", "asleep")
	s.browseUntilAwake("shop.test", 30*time.Second) // a visitor
	state("front", "awake")
}
