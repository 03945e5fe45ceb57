package command

import (
	"strings"
	"testing"
)

func TestEveryShellCompletesCommandsFlagsAndApps(t *testing.T) {
	environ, _ := adminAPI(t, answers{"GET apps": threeApps})
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if code, stdout, stderr := paastis(t, nil, "completion", shell); code != exitOK || !strings.Contains(stdout, "__complete") || stderr != "" {
			t.Errorf("%s: exit %d, %s%s", shell, code, stdout, stderr)
		}
	}
	for _, c := range []struct{ typed, want string }{
		{"wa", "wake\t"},
		{"theme pre", "preview\t"},
		{"pin --fo", "--for\t"},
		{"check --max-i", "--max-idle-time\t"},
		{"wake ", "blog\nhook\nshop-back\n"},
		{"events --app ", "blog\nhook\nshop-back\n"},
		{"explain ", "blog\n"},
	} {
		code, stdout, _ := paastis(t, environ, append([]string{"__complete"}, strings.Split(c.typed, " ")...)...)
		if code != exitOK || !strings.HasPrefix(stdout, c.want) {
			t.Errorf("%q: exit %d, proposed\n%s", c.typed, code, stdout)
		}
	}
}

func TestCompletionProposesNothingWhereNoPaastisAnswers(t *testing.T) {
	for _, environ := range [][]string{nil, {"PAASTIS_ADMIN_TOKEN=" + adminToken, "PAASTIS_ADMIN_URL=http://127.0.0.1:1"}, {"PAASTIS_NONE=1"}} {
		code, stdout, _ := paastis(t, environ, "__complete", "wake", "")
		if code != exitOK || stdout != ":4\n" {
			t.Errorf("%q: exit %d: %s", environ, code, stdout)
		}
	}
}

func TestWhatCobraRefusesIsWrongUseToo(t *testing.T) {
	for _, args := range []string{"completion basch", "completion bash zsh", "help chek", "theme previwe", "completion --descriptions"} {
		code, stdout, stderr := paastis(t, nil, strings.Fields(args)...)
		if code != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 2 {
			t.Errorf("%s: exit %d: %s%s", args, code, stdout, stderr)
		}
	}
}
