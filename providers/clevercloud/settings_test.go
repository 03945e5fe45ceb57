package clevercloud

import (
	"strings"
	"testing"
)

func TestHalfOfTheCredentialsIsToldByTheKeyThatIsWrongAndWithoutThem(t *testing.T) {
	const secret = "hunter2"
	whole := Settings{ConsumerKey: secret, ConsumerSecret: secret, OAuthToken: secret, OAuthSecret: secret}
	for name, c := range map[string]struct {
		given Settings
		key   string // empty: it makes sense
	}{
		"a token":                {Settings{Token: secret}, ""},
		"a file with it":         {Settings{TokenFile: "/run/secrets/clever"}, ""},
		"the four of OAuth":      {whole, ""},
		"an emulator":            {Settings{Token: secret, APIURL: "http://127.0.0.1:8080"}, ""},
		"nothing":                {Settings{}, "token"},
		"a token and its file":   {Settings{Token: secret, TokenFile: "clever"}, "token_file"},
		"a token and OAuth":      {Settings{Token: secret, OAuthSecret: secret}, "oauth_secret"},
		"one of the four":        {Settings{ConsumerKey: secret}, "consumer_secret"},
		"three of the four":      {Settings{ConsumerKey: secret, ConsumerSecret: secret, OAuthToken: secret}, "oauth_secret"},
		"a token elsewhere":      {Settings{Token: secret, APIURL: "https://api.clever-cloud.com/"}, "api_url"},
		"OAuth elsewhere":        {Settings{ConsumerKey: secret, ConsumerSecret: secret, OAuthToken: secret, OAuthSecret: secret, APIURL: "https://api-bridge.clever-cloud.com"}, "api_url"},
		"an address without //":  {Settings{Token: secret, APIURL: "api.clever-cloud.com"}, "api_url"},
		"an address with a user": {Settings{Token: secret, APIURL: "https://ada:" + secret + "@api.clever-cloud.com"}, "api_url"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := c.given.Validate()
			if (err != nil) != (c.key != "") || err != nil && key != c.key {
				t.Errorf("key %q: %v", key, err)
			}
			if err != nil && (strings.Contains(err.Error(), secret) || !strings.HasPrefix(err.Error(), key+": ")) {
				t.Errorf("told: %v", err)
			}
		})
	}
}
