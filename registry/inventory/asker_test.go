package inventory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/rules"
)

// TestAnAppThatTraefikAsksBeforePaastisNeverSleeps: while a login sleeps, Traefik answers 500 and
// asks Paastis nothing. Behind Paastis it is woken with the app.
func TestAnAppThatTraefikAsksBeforePaastisNeverSleeps(t *testing.T) {
	const label = "traefik.http.middlewares."
	for name, c := range map[string]struct {
		mode, middlewares, address string
		never, linked              bool
	}{
		"before Paastis":                {"forwardauth", "login@fake,paastis@docker", "http://auth-login:9091/verify", true, false},
		"in a chain before Paastis":     {"forwardauth", "both@fake", "http://auth-login:9091/verify", true, false},
		"by the name of its service":    {"forwardauth", "login@fake,paastis@docker", "http://login:9091/verify", true, false},
		"behind Paastis":                {"forwardauth", "paastis@docker,login@fake", "http://auth-login:9091/verify", false, true},
		"behind Paastis in direct mode": {"direct", "paastis@docker,login@fake", "http://auth-login:9091/verify", true, true},
		"of another router":             {"forwardauth", "paastis@docker", "http://auth-login:9091/verify", false, false},
		"at an address of nobody's":     {"forwardauth", "login@fake,paastis@docker", "https://sso.example.com/verify", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			shop := service("shop", "front").routed("shop.test").label("traefik.http.routers.shop-front.middlewares", c.middlewares).label("paastis.mode", c.mode)
			login := service("auth", "login").routed("login.test").
				label(label+"login.forwardauth.address", c.address).
				label(label+"both.chain.middlewares", "login@fake,paastis@docker")
			login.app.Aliases = []string{"login"}
			inv := resolvedWith(settingsFor(t, ""), shop, login)
			e := inv.Named("auth-login")
			if never := e.MaxIdleTime == rules.Never; never != c.never || !e.Managed {
				t.Errorf("it never sleeps: %t, want %t; managed: %t", never, c.never, e.Managed)
			}
			if told := strings.Contains(e.Problems.String(), `app "auth-login" never sleeps: by a forwardauth middleware of router "shop-front"`); told != c.never {
				t.Errorf("problems: %s", e.Problems)
			}
			linked := slices.ContainsFunc(inv.Graph.Links("shop-front"), func(l rules.Link) bool { return l.Name == "auth-login" && l.Condition == rules.Healthy })
			if linked != c.linked {
				t.Errorf("linked: %t, want %t", linked, c.linked)
			}
			if inv.Named("shop-front").MaxIdleTime == rules.Never {
				t.Error("the app itself never sleeps")
			}
		})
	}
}

// TestAnAppThatTraefikAsksAndNobodyManagesIsLeftAlone: it runs anyway.
func TestAnAppThatTraefikAsksAndNobodyManagesIsLeftAlone(t *testing.T) {
	shop := service("shop", "front").routed("shop.test").label("traefik.http.routers.shop-front.middlewares", "paastis@docker,login@fake")
	login := service("auth", "login").label("traefik.http.middlewares.login.forwardauth.address", "http://auth-login:9091/")
	inv := resolvedWith(settingsFor(t, ""), shop, login)
	if got := inv.Problems().String(); inv.Named("auth-login").Managed || got != "" {
		t.Errorf("managed: %t, problems: %s", inv.Named("auth-login").Managed, got)
	}
}
