package heroku_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paastis/paastis/providers/heroku"
)

func TestSettingsThatMakeNoSenseAreToldByTheirKey(t *testing.T) {
	const secret = "HRKU-secret"
	for _, c := range []struct {
		key, text string
		settings  heroku.Settings
	}{
		{"token", "heroku authorizations:create", heroku.Settings{}},
		{"token", "spaces", heroku.Settings{Token: secret + " \n"}},
		{"token_file", "keep one of the two", heroku.Settings{Token: secret, TokenFile: "/run/secrets/heroku"}},
		{"api_url", "https://", heroku.Settings{Token: secret, APIURL: "api.heroku.com"}},
		{"api_url", "https://", heroku.Settings{Token: secret, APIURL: "https://u:" + secret + "@api.heroku.com"}},
		{"eco", "heroku or paastis", heroku.Settings{Token: secret, Eco: "never"}},
	} {
		key, err := c.settings.Validate()
		if key != c.key || err == nil || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %s: %v, want %s", c.key, key, err, c.text)
		}
	}
	for _, good := range []heroku.Settings{{Token: secret}, {TokenFile: "/run/secrets/heroku", APIURL: "http://localhost:8080", Eco: heroku.EcoPaastis}} {
		if key, err := good.Validate(); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestATokenIsReadFromItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "heroku")
	open := func() error {
		_, err := heroku.Open("attic", heroku.Settings{TokenFile: file}, slog.New(slog.DiscardHandler))
		return err
	}
	if err := open(); err == nil || !strings.Contains(err.Error(), "attic") || !strings.Contains(err.Error(), file) {
		t.Errorf("it is not there: %v", err)
	}
	for text, fault := range map[string]string{"HRKU-1\n": "", "\n": file, "HRKU 1": "spaces"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := open(); (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%q: %v, want %q", text, err, fault)
		}
	}
}
