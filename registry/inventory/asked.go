package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
)

// AskedByName is what Traefik has asked about if the middleware's address names the app.
const AskedByName = "?app"

// Question is a router that Traefik asks Paastis about, with what makes it do so: another
// one of that name need not.
func (r *Router) Question() string {
	return r.Name + " " + strings.Join(r.Middlewares, ",") + " " + strings.Join(r.EntryPoints, ",")
}

// AskedAbout is what Reported.Asked is by the routers that Traefik's API tells, by the IDs
// of the apps, for those whose labels do not tell as much.
func (inv *Inventory) AskedAbout(routers []api.Router, s Settings) map[string]string {
	uses := map[string]bool{} // :: router with its provider → it uses the middleware
	for _, router := range routers {
		if s.Catalog.Uses(router.Middlewares, router.Provider, s.Middleware) {
			uses[router.Name] = true
		}
	}
	asked := map[string]string{}
	for _, e := range inv.Definitions {
		if !e.Excluded().IsZero() {
			continue
		}
		for i := range e.Routers {
			if r := &e.Routers[i]; !r.Paastis && slices.ContainsFunc(r.RunningNames(e.TraefikProvider()), func(name string) bool { return uses[name] }) {
				asked[e.ID] = r.Question()
				break
			}
		}
	}
	return asked
}

// RunningNames are those that the router may have in Traefik's API; see
// api.Router.
func (r *Router) RunningNames(provider string) []string {
	name := r.Name
	if !strings.Contains(name, "@") {
		name += "@" + provider
	}
	names := []string{name}
	for _, entryPoint := range r.EntryPoints {
		names = append(names, entryPoint+"-"+name)
	}
	return names
}

// whole is a catalog with what Traefik itself tells, which counts more than labels.
func (s Settings) whole(labels traefik.Catalog) traefik.Catalog {
	maps.Copy(labels, s.Catalog)
	return labels
}

// IsNewer reports whether Traefik is known to have the options of 3.7.
func (s Settings) IsNewer() bool {
	var major, minor int
	_, err := fmt.Sscanf(strings.TrimPrefix(s.TraefikVersion, "v"), "%d.%d", &major, &minor)
	return err == nil && (major > 3 || major == 3 && minor >= 7)
}
