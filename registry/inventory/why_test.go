package inventory_test

import (
	"strings"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

func TestWhyAnAppIsManagedOrNotIsToldWithItsKind(t *testing.T) {
	const rulesFile = "rules:\n  - pattern: 'pr-.*'\n    max_idle_time: 5m\nignore: ['tool-.*']\n"
	plain := func(*played) {}
	for name, c := range map[string]struct {
		stack   string
		change  func(*played)
		managed bool
		kind    reason.Kind
		says    string
	}{
		"the middleware":      {"shop", func(a *played) { a.routed("shop.test") }, true, reason.RouterUses, `router "shop-web" uses the middleware "paastis"`},
		"a label":             {"shop", func(a *played) { a.label("paastis.enable", "true") }, true, reason.Enabled, "enabled by label paastis.enable"},
		"a label against it":  {"shop", func(a *played) { a.label("paastis.enable", "false") }, false, reason.Disabled, "disabled by label paastis.enable"},
		"a rule":              {"pr", plain, true, reason.RuleMatches, "matched by "},
		"a pattern to ignore": {"tool", plain, false, reason.Ignored, "ignore 'tool-.*'"},
		"nothing":             {"shop", plain, false, reason.NotEnabled, "nothing enables it: add a rule that matches it, the middleware to its router, or the label paastis.enable=true"},
		"started with --rm":   {"shop", func(a *played) { a.routed("shop.test").app.Ephemeral = true }, false, reason.Ephemeral, "its provider removes it once it stops (docker run --rm), so it could not wake"},
		"Traefik itself":      {"pr", func(a *played) { a.app.Protected = inventory.RunsTraefik }, false, reason.RunsTraefik, "runs Traefik"},
		"Paastis itself":      {"pr", func(a *played) { a.app.Protected = inventory.IsPaastis }, false, reason.IsPaastis, "is Paastis itself"},
		"a middleware of files": {"shop", func(a *played) {
			a.routed("shop.test").label("traefik.http.routers.shop-web.middlewares", "secured@file")
		}, false, reason.MiddlewareUnknown, `none defines secured@file of router "shop-web"`},
	} {
		a := service(c.stack, "web")
		c.change(a)
		e := resolvedWith(settingsFor(t, rulesFile), a).Named(c.stack + "-web")
		if e.Managed != c.managed || e.Why.Kind != c.kind || !strings.Contains(e.Why.String(), c.says) {
			t.Errorf("%s: managed %t, %s: %q; want %s, %q", name, e.Managed, e.Why.Kind, e.Why, c.kind, c.says)
		}
	}
}

func TestAnAppThatIsLinkedFromItsStackIsToldSo(t *testing.T) {
	inv := resolved(t, service("shop", "web", "db").routed("shop.test"), service("shop", "db"))
	if why := inv.Named("shop-db").Why; why.Kind != reason.LinkedFromStack || why.String() != `linked to by "shop-web" in the same stack` {
		t.Errorf("%s: %s", why.Kind, why)
	}
}
