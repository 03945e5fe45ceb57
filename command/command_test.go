package command

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// paastis runs the program and returns its exit code and what it printed. It knows no
// provider: DOCKER_HOST leads nowhere.
func paastis(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = run(t.Context(), "dev", args, environ, &out, &errs)
	return code, out.String(), errs.String()
}

// served runs Paastis until it has logged a text, and returns what paastis does.
func served(t *testing.T, until string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out strings.Builder
	errs := &awaited{until: until, then: cancel}
	code = run(ctx, "dev", append(args, "--listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0"), nil, &out, errs)
	return code, out.String(), errs.text.String()
}

// awaited keeps what is written, and does something once a text was.
type awaited struct {
	until string
	then  func()

	mu   sync.Mutex
	text strings.Builder
}

func (a *awaited) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.text.Write(b)
	if strings.Contains(a.text.String(), a.until) {
		a.then()
	}
	return len(b), nil
}

func TestPaastisServesBeforeItsProviderDoes(t *testing.T) {
	socket := noProvider(t)
	code, _, stderr := served(t, "msg=serving ")
	if code != exitOK || !strings.Contains(stderr, "provider does not answer: Paastis begins without its apps, and asks again") || !strings.Contains(stderr, socket) {
		t.Errorf("exit %d:\n%s", code, stderr)
	}
}

// file writes a paastis.yml and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "paastis.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func noProvider(t *testing.T) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "docker.sock")
	t.Setenv("DOCKER_HOST", "unix://"+socket)
	return socket
}

func TestHelpListsEveryCommandAndEverySetting(t *testing.T) {
	code, stdout, stderr := paastis(t, nil, "--help")
	if code != exitOK || stderr != "" {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
	golden, err := os.ReadFile("testdata/help.txt")
	if err != nil {
		t.Fatal(err)
	}
	if stdout != string(golden) {
		t.Errorf("help has changed; if that is meant, put this into testdata/help.txt:\n%s", stdout)
	}
}

func TestExitCodesTellWrongUseFromFailure(t *testing.T) {
	noProvider(t)
	badHost := file(t, "providers:\n  - {name: far, type: docker, host: 'gopher://x'}\n")
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"version":            {[]string{"version"}, exitOK, ""},
		"help of a command":  {[]string{"explain", "--help"}, exitOK, ""},
		"unknown command":    {[]string{"expain"}, exitUsage, "did you mean explain?"},
		"unknown flag":       {[]string{"--max-idel-time", "5m"}, exitUsage, "did you mean --max-idle-time?"},
		"flag without value": {[]string{"--listen"}, exitUsage, "needs a value"},
		"missing operand":    {[]string{"explain"}, exitUsage, "needs NAME|URL"},
		"operand too many":   {[]string{"check", "this"}, exitUsage, `unexpected argument "this"`},
		"bad value":          {[]string{"check", "--max-idle-time", "soon"}, exitFailure, "--max-idle-time"},
		"missing file":       {[]string{"check", "--config", "/nowhere/paastis.yml"}, exitFailure, "no such file"},
		"bad address":        {[]string{"--listen", "3000"}, exitFailure, "write HOST:PORT or :PORT"},
		"no Paastis answers": {[]string{"healthcheck", "--listen", "127.0.0.1:1"}, exitFailure, "no Paastis answers"},
		"bad host":           {[]string{"--config", badHost}, exitFailure, `paastis.yml:2: providers: host "gopher://x": only unix://`},
	} {
		code, _, stderr := paastis(t, nil, c.args...)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: exit %d, want %d; stderr %q, want %q in it", name, code, c.code, stderr, c.says)
		}
		if lines := strings.Count(stderr, "\n"); lines > 2 {
			t.Errorf("%s: %d lines of complaint:\n%s", name, lines, stderr)
		}
	}
}

func TestABrokenFileIsToldByLineAndNearestKey(t *testing.T) {
	noProvider(t)
	path := file(t, "max_idel_time: 5m\ntraefik:\n  throtle: 3s\nrules:\n  - pattern: 'a('\n  - pattern: b\n    linked_app: [c]\n")
	code, _, stderr := paastis(t, nil, "check", "--config", path)
	if code != exitFailure {
		t.Errorf("exit %d", code)
	}
	for _, want := range []string{
		`paastis.yml:1: unknown key "max_idel_time"; did you mean "max_idle_time"?`,
		`paastis.yml:3: unknown key "traefik.throtle"; did you mean "traefik.throttle"?`,
		`paastis.yml:5: `,
		`paastis.yml:7: unknown key "linked_app"`,
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr lacks %q:\n%s", want, stderr)
		}
	}
}

func TestExplainWorksOnTheRulesAlone(t *testing.T) {
	noProvider(t)
	path := file(t, "rules:\n  - pattern: 'pix-app-review-pr(\\d+)-(back|front)'\n    linked_apps: ['pix-app-review-pr$1-back', 'pix-app-review-pr$1-front']\n    max_idle_time: 30m\n")
	code, stdout, stderr := paastis(t, nil, "explain", "pix-app-review-pr42-front", "--config", path)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{"on the rules alone", "pix-app-review-pr42-back", "30m", "paastis.yml:2"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("explain lacks %q:\n%s", want, stdout)
		}
	}
}

func TestCheckWorksOnTheRulesAlone(t *testing.T) {
	noProvider(t)
	code, stdout, stderr := paastis(t, nil, "check", "--config", file(t, "rules:\n  - pattern: shop\n    max_idle_time: 1h\n"))
	if code != exitOK || !strings.Contains(stdout, "is valid") || !strings.Contains(stdout, "on the rules alone") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
}
