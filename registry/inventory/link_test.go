package inventory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

// TestALinkMayNameWhatContainersCallEachOther: a container's own name, its service's, an
// alias, a host name.
func TestALinkMayNameWhatContainersCallEachOther(t *testing.T) {
	for name, c := range map[string]struct {
		link, want, problem string
	}{
		"container_name":             {"postgres", "shop-db", ""},
		"service of the same stack":  {"db", "shop-db", ""},
		"alias in another stack":     {"mailer", "post-smtp", ""},
		"app's name before an alias": {"blog-web", "blog-web", ""},
		"name that several have":     {"cache", "", `links to "cache", by which "blog-redis", "post-redis" are known: skipped; write one of their names`},
		"nobody's name":              {"nobody", "", `links to "nobody", which does not exist`},
	} {
		t.Run(name, func(t *testing.T) {
			front := service("shop", "front").routed("shop.test").label("paastis.linked_apps", c.link)
			db, other, smtp := service("shop", "db"), service("blog", "db"), service("post", "smtp")
			db.app.Aliases, other.app.Aliases, smtp.app.Aliases = []string{"db", "postgres"}, []string{"db"}, []string{"mailer", "blog-web"}
			redis, second := service("blog", "redis"), service("post", "redis")
			redis.app.Aliases, second.app.Aliases = []string{"cache"}, []string{"cache"}
			var apps []inventory.Reported
			for _, a := range []*played{front, db, other, smtp, redis, second, service("blog", "web")} {
				apps = append(apps, inventory.Reported{Provider: "fake", App: &a.app})
			}
			inv := inventory.Resolve(apps, settingsFor(t, ""))
			var links []string
			for _, l := range inv.Graph.Links("shop-front") {
				links = append(links, l.Name)
			}
			if got := strings.Join(links, " "); got != c.want {
				t.Errorf("links to %q, want %q", got, c.want)
			}
			if got := inv.Named("shop-front").Problems.String(); !strings.Contains(got, c.problem) || strings.Count(got, "links to") > 1 {
				t.Errorf("problems: %s", got)
			}
		})
	}
}

func TestAnAppThatCannotWakeAsItIsIsTold(t *testing.T) {
	app := service("shop", "front").routed("shop.test")
	app.app.Unstartable = "its lender is gone; create it anew"
	inv := inventory.Resolve([]inventory.Reported{{Provider: "fake", App: &app.app}}, settingsFor(t, ""))
	if want, got := `app "shop-front" cannot wake: its lender is gone; create it anew`, inv.Problems().String(); got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

// TestAWorkerThatKeepsADatabaseAwakeIsToldWithItsCure: the database of a server that sleeps.
func TestAWorkerThatKeepsADatabaseAwakeIsToldWithItsCure(t *testing.T) {
	const managed, kept = `rules: [{pattern: '^shop-'}]`, `app "shop-worker" needs "shop-db", which never sleeps while it runs, and is not managed (`
	for name, c := range map[string]struct {
		rules  string
		worker func(*played)
		front  string // its linked_apps
		want   []string
	}{
		"not managed": {"", func(*played) {}, "", []string{kept + "nothing enables it", `let it sleep with "shop-front" by paastis.linked_apps=shop-worker there`, "paastis.max_idle_time of its own"}},
		"disabled":    {"", func(a *played) { a.label("paastis.enable", "false") }, "", []string{kept + "disabled by", "remove paastis.enable=false"}},
		"by a router without the middleware": {"", func(a *played) {
			a.label("traefik.enable", "true").label("traefik.http.routers.worker.rule", "Host(`w.test`)")
		}, "", []string{kept, "add the middleware to its router"}},
		"managed by a rule":     {managed, func(*played) {}, "", []string{`app "shop-worker" has no router, no app links to it, and it needs "shop-db"`, "paastis.linked_apps=shop-worker there"}},
		"linked":                {"", func(*played) {}, "shop-worker", nil},
		"enabled on purpose":    {"", func(a *played) { a.label("paastis.enable", "true") }, "", nil},
		"kept awake on purpose": {managed, func(a *played) { a.label("paastis.keep_awake", "Mon-Fri 08:00-19:00") }, "", nil},
		"Traefik itself":        {"", func(a *played) { a.app.Protected = inventory.RunsTraefik }, "", nil},
		"it has ended": {"", func(a *played) {
			a.app.Instances[0].StartedAt, a.app.Instances[0].EndedAt = time.Unix(1000, 0), time.Unix(1002, 0)
		}, "", nil},
		"needs nothing": {"", func(a *played) { a.app.Links = nil }, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			worker := service("shop", "worker", "db")
			c.worker(worker)
			front := service("shop", "front", "db").routed("shop.test")
			if c.front != "" {
				front.label("paastis.linked_apps", c.front)
			}
			var apps []inventory.Reported
			for _, a := range []*played{front, worker, service("shop", "db")} {
				apps = append(apps, inventory.Reported{Provider: "fake", App: &a.app})
			}
			told := inventory.Resolve(apps, settingsFor(t, c.rules)).Named("shop-worker").Problems.Texts()
			if len(told) > 1 || (len(told) == 0) != (c.want == nil) {
				t.Errorf("told %q", told)
			}
			for _, want := range c.want {
				if !strings.Contains(strings.Join(told, ""), want) {
					t.Errorf("told %q, want %q", told, want)
				}
			}
		})
	}
}
