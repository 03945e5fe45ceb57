package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/providers"
	"github.com/paastis/paastis/rules"
)

// file writes a paastis.yml and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "paastis.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLaterLayersOfTheConfigurationWin(t *testing.T) {
	secret := file(t, "7m\n")
	path := file(t, "max_idle_time: 5\nhold_timeout: 20s\nstart_timeout: 3m\nlisten: ':1'\n")
	environ := []string{"PAASTIS_MAX_IDLE_TIME_FILE=" + secret, "PAASTIS_HOLD_TIMEOUT=10s", "PAASTIS_TRAEFIK_THROTTLE=3", "PAASTIS_NEVER_WAKE_PATHS=/a,/b"}
	l, err := Load(path, environ, map[string]string{"--hold-timeout": "5s", "--never-wake.prefetch": "false"})
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
	_, err := Load("", []string{"PAASTIS_MAX_IDEL_TIME=3m"}, nil)
	if err == nil || !strings.Contains(err.Error(), `did you mean "PAASTIS_MAX_IDLE_TIME"?`) {
		t.Errorf("error: %v", err)
	}
}

func TestTheShippedFileIsValidAndSaysTheDefaults(t *testing.T) {
	l, err := Load("../paastis.yml", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	if !l.NeverWake.equal(want.NeverWake) {
		t.Errorf("of never_wake the reference says %+v, the defaults are %+v", l.NeverWake, want.NeverWake)
	}
	l.NeverWake = want.NeverWake // an empty list is written there, and none is the default
	if !reflect.DeepEqual(l.Config, want) {
		t.Errorf("the reference says %+v, the defaults are %+v", l.Config, want)
	}
	data, err := os.ReadFile("../paastis.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range Settings() {
		last := s.Key[strings.LastIndex(s.Key, ".")+1:]
		if !regexp.MustCompile(`(?m)^[ #]*` + last + `:`).Match(data) {
			t.Errorf("paastis.yml does not mention %s", s.Key)
		}
	}
}

func TestTheFileOfEveryExampleAndDemoIsValid(t *testing.T) {
	examples, _ := filepath.Glob("../examples/*/paastis.yml")
	demos, _ := filepath.Glob("../demo/*/paastis.yml")
	if len(examples) == 0 || len(demos) == 0 {
		t.Fatalf("examples: %q, demos: %q", examples, demos)
	}
	for _, path := range append(examples, demos...) {
		var environ []string
		if slices.Contains(demos, path) {
			environ = []string{"PAASTIS_SCALINGO_TOKEN=tk-us-of-the-demo"} // as its docker-compose.yml has it
		}
		l, err := Load(path, environ, nil)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if warnings := l.Rules.Warnings(nil); len(warnings) > 0 {
			t.Errorf("%s: %q", path, warnings)
		}
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
		_, err := Load(file(t, text), nil, nil)
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestACertificateWithoutItsKeyIsRefused(t *testing.T) {
	_, err := Load("", []string{"PAASTIS_TLS_CERT=/a.pem", "PAASTIS_LISTEN_TLS=3443"}, nil)
	for _, want := range []string{"tls.cert and tls.key belong together", `"3443" is no address`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestAPropertyThatAllAppsMayHaveIsASettingWithItsDefault(t *testing.T) {
	for _, p := range rules.Keys() {
		value, global := rules.GlobalDefault(p.Key)
		s, known := settingBy(Settings(), func(s Setting) bool { return s.Key == p.Key })
		if global != known || s.Default != value {
			t.Errorf("%s: the setting is %+v (%t), the default %q (%t)", p.Key, s, known, value, global)
		}
	}
}

func TestTheDescriptionOfProviderNamesAllTypes(t *testing.T) {
	s, _ := settingBy(Settings(), func(s Setting) bool { return s.Key == "provider" })
	for _, kind := range providers.Types() {
		if !strings.Contains(s.Doc, kind) {
			t.Errorf("%q does not name %s", s.Doc, kind)
		}
	}
}
