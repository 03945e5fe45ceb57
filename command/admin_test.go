package command

import (
	"strings"
	"testing"

	"github.com/paastis/paastis/config"
)

const adminToken = "correct-horse-battery-staple"

func TestAdminsAreServedOnlyOnceThereIsAToken(t *testing.T) {
	for _, environ := range [][]string{nil, {"PAASTIS_ADMIN_TOKEN=" + adminToken}} {
		l, err := config.Load("", append(environ, "PAASTIS_LISTEN=127.0.0.1:0", "PAASTIS_ADMIN_LISTEN=127.0.0.1:0"), nil)
		if err != nil {
			t.Fatal(err)
		}
		all, forAdmins, err := listenAll(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		for _, ln := range append(all, forAdmins...) {
			ln.Close()
		}
		if served := newAdmin(l, nil, "dev", nil) != nil; served != (environ != nil) || len(forAdmins) != len(environ) || len(all) != 1 {
			t.Errorf("with %d variables: served %t, on %d listeners", len(environ), served, len(forAdmins))
		}
	}
}

func TestNoCommandTellsTheToken(t *testing.T) {
	noProvider(t)
	path := file(t, "admin:\n  token: "+adminToken+"\n")
	for _, args := range [][]string{{"check"}, {"explain", "shop"}, {"--help"}, {"serve"}, {"healthcheck", "--listen", "127.0.0.1:1"}} {
		args = append(args, "--config", path, "--log.level", "debug")
		_, stdout, stderr := saidBy(t, args...)
		if strings.Contains(stdout+stderr, adminToken) {
			t.Errorf("%v tells it:\n%s%s", args, stdout, stderr)
		}
	}
}

// saidBy runs a command; one that serves, until it does.
func saidBy(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	if args[0] == "serve" {
		return served(t, "msg=serving ", args...)
	}
	return paastis(t, nil, args...)
}

func TestATokenThatIsEasyToGuessIsWarnedOfByCheckAndAtTheStart(t *testing.T) {
	noProvider(t)
	const hard = "0123456789abcdef0123456789abcdef"
	for token, warned := range map[string]bool{adminToken: true, hard: false} {
		path := file(t, "admin:\n  token: "+token+"\n")
		for _, command := range []string{"check", "serve"} {
			_, stdout, stderr := saidBy(t, command, "--config", path)
			if strings.Contains(stdout+stderr, "admin.token has 28 characters only") != warned || warned && !strings.Contains(stdout+stderr, "paastis.yml:2") || strings.Contains(stdout+stderr, token) {
				t.Errorf("%s with %d characters:\n%s%s", command, len(token), stdout, stderr)
			}
		}
	}
}
