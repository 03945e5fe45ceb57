package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/paastis/paastis/server/admin"
)

const adminToken = "correct-horse-battery-staple"

func TestTheTokenIsKeptAsASum(t *testing.T) {
	want, _ := admin.SumOf(adminToken)
	for _, environ := range []string{"PAASTIS_ADMIN_TOKEN=" + adminToken, "PAASTIS_ADMIN_TOKEN_FILE=" + file(t, adminToken+"\n")} {
		l, err := Load("", []string{environ}, nil)
		if err != nil || l.AdminToken != want || l.Admin.Token != "" {
			t.Errorf("%.24s: %v, token %q", environ, err, l.Admin.Token)
		}
	}
}

func TestFaultsOfTheAdminSettingsAreToldWithoutTheToken(t *testing.T) {
	for text, want := range map[string]string{
		"token: tiny-secret":          "admin.token: has 11 characters, and must have 16 at least",
		"token_sha256: " + adminToken: "admin.token_sha256: must be the 64 hex digits",
		"token: " + adminToken + "\n  token_sha256: " + strings.Repeat("ab", 32): "admin.token: is not the token that admin.token_sha256 is the sum of",
		"trusted_proxies: [10.0.0.1, traefik]":                                   `admin.trusted_proxies: "traefik" is neither an address nor a range`,
		"trusted_proxies: ['']":                                                  `admin.trusted_proxies: "" is neither an address nor a range`,
		"trusted_proxies: [10.0.0.1/33]":                                         `admin.trusted_proxies: "10.0.0.1/33" is neither an address nor a range`,
		"trusted_proxies: [10.0.0.1/8]":                                          `admin.trusted_proxies: "10.0.0.1/8" is neither an address nor a network, whose address would be 10.0.0.0/8; write 10.0.0.1 for one proxy`,
		"trusted_proxies: [0.0.0.0/0]":                                           `admin.trusted_proxies: "0.0.0.0/0" is everybody`,
		"trusted_proxies: ['::/0']":                                              `admin.trusted_proxies: "::/0" is everybody`,
		"trusted_proxies: ['::ffff:10.0.0.1']":                                   `admin.trusted_proxies: "::ffff:10.0.0.1" is an address of IPv4 in IPv6`,
		"trusted_proxies: 10.0.0.1":                                              "admin.trusted_proxies: expected a list",
		"trusted_proxies: {a: b}":                                                "admin.trusted_proxies: expected a list",
		"listen: '8091'":                                                         "write HOST:PORT or :PORT",
		"path: paastis-admin":                                                    "is no path such as /paastis-admin",
		"path: /":                                                                "is no path such as /paastis-admin",
		"path: /a/../auth":                                                       "is no path such as /paastis-admin",
		"path: /a//b":                                                            "is no path such as /paastis-admin",
		"path: /paastis-admin/":                                                  "is no path such as /paastis-admin",
		"path: /pa%61stis":                                                       "is no path such as /paastis-admin",
		"path: /auth":                                                            `"/auth" is taken`,
		"path: /traefik/admin":                                                   `"/traefik/admin" is taken`,
		"path: /healthz":                                                         `"/healthz" is taken`,
		"path: /.paastis/x":                                                      `"/.paastis/x" is taken`,
	} {
		_, err := Load(file(t, "admin:\n  "+text+"\n"), nil, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "paastis.yml:2") && !strings.Contains(err.Error(), "paastis.yml:3") ||
			strings.Contains(err.Error(), "tiny-secret") || strings.Contains(err.Error(), adminToken) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
	for _, path := range []string{"/paastis-admin", "/authority", "/tools/paastis"} {
		if _, err := Load(file(t, "admin:\n  path: "+path+"\n"), nil, nil); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestANewTokenIsSaidToNeedARestart(t *testing.T) {
	one, err := Load("", []string{"PAASTIS_ADMIN_TOKEN=" + adminToken}, nil)
	other, err2 := Load("", []string{"PAASTIS_ADMIN_TOKEN=" + adminToken + "2", "PAASTIS_ADMIN_PATH=/x", "PAASTIS_ADMIN_LISTEN=:1", "PAASTIS_ADMIN_TRUSTED_PROXIES=10.0.0.1"}, nil)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if err := one.needsRestart(other); err == nil || err.Error() != "changed settings that need a restart: admin.listen, admin.path, admin.trusted_proxies, admin.token" {
		t.Errorf("got %v", err)
	}
	if err := one.needsRestart(one); err != nil {
		t.Errorf("nothing has changed: %v", err)
	}
}

func TestNoProxyIsTrustedThatNobodyHasNamed(t *testing.T) {
	for _, c := range []struct {
		environ []string
		want    string
	}{
		{nil, "[]"},
		{[]string{"PAASTIS_ADMIN_TRUSTED_PROXIES=172.18.0.2,10.0.0.0/24,2001:db8::/48"}, "[172.18.0.2/32 10.0.0.0/24 2001:db8::/48]"},
	} {
		l, err := Load("", c.environ, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := l.Admin.Proxies(); err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%q: %v, %v", c.environ, got, err)
		}
	}
}

func TestACommandFindsThePaastisOfItsOwnConfiguration(t *testing.T) {
	for want, flags := range map[string]map[string]string{
		"http://127.0.0.1:8091":         {"--admin.path": "/paastis-admin"},
		"http://localhost:9":            {"--admin.listen": ":9"},
		"http://localhost:3000/a":       {"--admin.listen": "", "--admin.path": "/a"},
		"https://paastis.example.com/a": {"--admin.url": "https://paastis.example.com/a", "--admin.path": "/b"},
	} {
		l, err := Load("", []string{"PAASTIS_ADMIN_TOKEN_FILE=" + file(t, adminToken+"\n")}, flags)
		if err != nil {
			t.Fatal(err)
		}
		if api, err := l.AdminAPI(); err != nil || api.String() != want {
			t.Errorf("%v: %v %v, want %s", flags, api, err, want)
		}
	}
}
