package scalingo_test

import (
	"strings"
	"testing"

	"github.com/paastis/paastis/providers/scalingo"
)

func TestSettingsThatMakeNoSenseAreToldByTheirKey(t *testing.T) {
	for _, c := range []struct {
		key, text string
		settings  scalingo.Settings
	}{
		{"token", "https://dashboard.scalingo.com/account/tokens", scalingo.Settings{}},
		{"token_file", "write one of them", scalingo.Settings{Token: "tk-us-1", TokenFile: "/run/secrets/token"}},
		{"auth_url", "write https://", scalingo.Settings{Token: "tk-us-1", AuthURL: "auth.scalingo.com"}},
		{"api_url", "write https://", scalingo.Settings{Token: "tk-us-1", APIURL: "ftp://api.example.com"}},
		{"regions", "no name of a region", scalingo.Settings{Token: "tk-us-1", Regions: "osc-fr1, https://api.osc-fr1.scalingo.com"}},
		{"regions", "the API of one region", scalingo.Settings{Token: "tk-us-1", APIURL: "https://paas.example.com", Regions: "one, two"}},
	} {
		key, err := c.settings.Validate()
		if key != c.key || err == nil || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "tk-us-1") {
			t.Errorf("%+v: %s: %v, want %s", c.settings, key, err, c.key)
		}
	}
	good := scalingo.Settings{TokenFile: "/run/secrets/token", Regions: "osc-fr1, osc-secnum-fr1", AuthURL: "https://auth.example.com"}
	if key, err := good.Validate(); err != nil {
		t.Errorf("%s: %v", key, err)
	}
}
