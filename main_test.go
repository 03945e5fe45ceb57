package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// paastis runs the program and returns its exit code and what it printed. It knows no
// provider: DOCKER_HOST leads nowhere.
func paastis(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = run(t.Context(), args, environ, &out, &errs)
	return code, out.String(), errs.String()
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
		"missing socket":     {nil, exitFailure, "docker.sock"},
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

func TestLaterLayersOfTheConfigurationWin(t *testing.T) {
	secret := file(t, "7m\n")
	path := file(t, "max_idle_time: 5\nhold_timeout: 20s\nstart_timeout: 3m\nlisten: ':1'\n")
	environ := []string{"PAASTIS_MAX_IDLE_TIME_FILE=" + secret, "PAASTIS_HOLD_TIMEOUT=10s", "PAASTIS_TRAEFIK_THROTTLE=3", "PAASTIS_NEVER_WAKE_PATHS=/a,/b"}
	l, err := loadConfig(path, environ, map[string]string{"--hold-timeout": "5s", "--never-wake.prefetch": "false"})
	if err != nil {
		t.Fatal(err)
	}
	d := l.Defaults
	if d.MaxIdleTime.String() != "7m0s" || d.HoldTimeout.String() != "5s" || d.StartTimeout.String() != "3m0s" {
		t.Errorf("idle %s, hold %s, start %s", d.MaxIdleTime, d.HoldTimeout, d.StartTimeout)
	}
	if l.Listen != ":1" || l.Traefik.Throttle.String() != "3s" || len(l.NeverWake.Paths) != 2 || l.NeverWake.Prefetch {
		t.Errorf("listen %s, throttle %s, never wake %+v", l.Listen, l.Traefik.Throttle, l.NeverWake)
	}
	for key, want := range map[string]string{"max_idle_time": "PAASTIS_MAX_IDLE_TIME_FILE", "hold_timeout": "--hold-timeout", "start_timeout": "paastis.yml:3", "probe": "default"} {
		if got := d.Origins[key]; got != want {
			t.Errorf("%s comes from %q, want %q", key, got, want)
		}
	}
}

func TestAnUnknownVariableIsAnError(t *testing.T) {
	_, err := loadConfig("", []string{"PAASTIS_MAX_IDEL_TIME=3m"}, nil)
	if err == nil || !strings.Contains(err.Error(), `did you mean "PAASTIS_MAX_IDLE_TIME"?`) {
		t.Errorf("error: %v", err)
	}
}

func TestTheShippedFileIsValidAndSaysTheDefaults(t *testing.T) {
	l, err := loadConfig("paastis.yml", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := defaultConfig()
	if !l.NeverWake.equal(want.NeverWake) {
		t.Errorf("of never_wake the reference says %+v, the defaults are %+v", l.NeverWake, want.NeverWake)
	}
	l.NeverWake = want.NeverWake // an empty list is written there, and none is the default
	if !reflect.DeepEqual(l.Config, want) {
		t.Errorf("the reference says %+v, the defaults are %+v", l.Config, want)
	}
	data, err := os.ReadFile("paastis.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings() {
		last := s.Key[strings.LastIndex(s.Key, ".")+1:]
		if !regexp.MustCompile(`(?m)^[ #]*` + last + `:`).Match(data) {
			t.Errorf("paastis.yml does not mention %s", s.Key)
		}
	}
}

func TestEveryExamplesFileIsValid(t *testing.T) {
	files, err := filepath.Glob("examples/*/paastis.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("examples: %q, %v", files, err)
	}
	for _, path := range files {
		l, err := loadConfig(path, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if warnings := l.Rules.Warnings(nil); len(warnings) > 0 {
			t.Errorf("%s: %q", path, warnings)
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

func TestAValueOfTheWrongKindIsToldByLine(t *testing.T) {
	for text, want := range map[string]string{
		"traefik:\n  throttle: soon\n":           "paastis.yml:2: traefik.throttle: expected a duration such as 30s or 2m",
		"wake_limit: many\n":                     "paastis.yml:1: wake_limit: expected a number",
		"never_wake:\n  prefetch: sometimes\n":   "paastis.yml:2: never_wake.prefetch: expected true or false",
		"never_wake:\n  paths: {a: b}\n":         "paastis.yml:2: never_wake.paths: expected a list",
		"max_idle_time: [5m]\n":                  "paastis.yml:1: max_idle_time: expected a text",
		"traefik: http://traefik:8080\n":         "paastis.yml:1: expected keys such as max_idle_time or rules",
		"listen: ':1'\nlisten: ':2'\n":           `paastis.yml:2: mapping key "listen" already defined at line 1`,
		"never_wake:\n  sources: [everywhere]\n": "paastis.yml:2: never_wake: sources: \"everywhere\" is neither an address nor a range such as 10.0.0.0/8",
	} {
		_, err := loadConfig(file(t, text), nil, nil)
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}
