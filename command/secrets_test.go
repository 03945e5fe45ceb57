package command

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paastis/paastis/providers"
)

// platformSecret is no word that Paastis may say.
const platformSecret = "tk-us-S3cr3tS3cr3tS3cr3t"

// tellings are ways to tell Paastis the secret of a platform, and how each may go wrong.
func tellings(t *testing.T) map[string]struct {
	environ []string
	args    string
} {
	t.Helper()
	type telling = struct {
		environ []string
		args    string
	}
	all := map[string]telling{
		"the original's":          {[]string{"PROVIDER_HEROKU_API_TOKEN=" + platformSecret, "ROUTING_SYSTEM_API_ENABLED=true", "ROUTING_SYSTEM_API_TOKEN=" + platformSecret}, ""},
		"the original's, refused": {[]string{"PROVIDER_CLEVER_SECRET=" + platformSecret, "REDIS_URL=redis://" + platformSecret}, ""},
		"a misspelt flag":         {nil, "--heroku.tokn=" + platformSecret},
		"a misspelt variable":     {[]string{"PAASTIS_HEROKU_TOKN=" + platformSecret}, ""},
		"a misspelt key":          {nil, "--config " + file(t, "provider: heroku\nheroku: {tokn: "+platformSecret+"}\n")},
		"a list":                  {nil, "--config " + file(t, "providers: [{name: a, type: heroku, tokn: "+platformSecret+"}]\n")},
		"a text for a section":    {nil, "--config " + file(t, "heroku: "+platformSecret+"\n")},
	}
	for _, kind := range providers.WithKey("token") {
		token := "PAASTIS_" + strings.ToUpper(kind) + "_TOKEN="
		nowhere := "--" + kind + ".api-url=http://127.0.0.1:1"
		all["a variable of "+kind] = telling{[]string{"PAASTIS_PROVIDER=" + kind, token + platformSecret}, nowhere}
		all["a flag of "+kind] = telling{nil, "--provider " + kind + " --" + kind + ".token " + platformSecret + " " + nowhere}
		all["a file of "+kind] = telling{[]string{"PAASTIS_PROVIDER=" + kind, strings.TrimSuffix(token, "=") + "_FILE=" + file(t, platformSecret)}, nowhere}
		all["twice to "+kind] = telling{[]string{"PAASTIS_PROVIDER=" + kind, token + platformSecret, strings.TrimSuffix(token, "=") + "_FILE=" + file(t, platformSecret)}, ""}
		all["to another than "+kind] = telling{[]string{token + platformSecret}, ""}
		all["an address of "+kind] = telling{[]string{"PAASTIS_PROVIDER=" + kind, token + platformSecret}, "--" + kind + ".api-url=https://user:" + platformSecret + "@api.test"}
		all["spaces for "+kind] = telling{[]string{"PAASTIS_PROVIDER=" + kind, token + platformSecret + " " + platformSecret}, nowhere}
	}
	return all
}

func TestNoCommandTellsTheSecretOfAPlatform(t *testing.T) {
	noProvider(t)
	gone, end := context.WithCancel(t.Context())
	end()
	for name, told := range tellings(t) {
		for _, command := range []string{"", "--help", "check", "explain shop", "status", "wake shop", "version", "healthcheck", "theme preview plain", "nonsense"} {
			args := append(strings.Fields(command), strings.Fields(told.args)...)
			args = append(args, "--listen=127.0.0.1:0", "--log.level=debug", "--state-file="+filepath.Join(t.TempDir(), "state.json"))
			var out strings.Builder
			run(gone, "dev", args, told.environ, &out, &out)
			if strings.Contains(out.String(), platformSecret) || strings.Contains(out.String(), "S3cr3t") {
				t.Errorf("%s, told by %s, tells it:\n%s", command, name, out.String())
			}
		}
	}
}
