package registry

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
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
			var apps []Reported
			for _, a := range []*fakeApp{front, db, other, smtp, redis, second, service("blog", "web")} {
				apps = append(apps, Reported{Provider: "fake", App: a.app})
			}
			inv := Resolve(apps, settingsFor(t, ""))
			var links []string
			for _, l := range inv.Graph.Links("shop-front") {
				links = append(links, l.Name)
			}
			if got := strings.Join(links, " "); got != c.want {
				t.Errorf("links to %q, want %q", got, c.want)
			}
			if got := strings.Join(inv.Named("shop-front").Problems, "\n"); !strings.Contains(got, c.problem) || strings.Count(got, "links to") > 1 {
				t.Errorf("problems: %s", got)
			}
		})
	}
}

func TestAnAppThatItsProviderRemovesIsNeverStoppedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		once := service("", "once").routed("once.test").awake()
		once.app.Ephemeral = true
		w := live(t, "", once, service("shop", "front").routed("shop.test").label("paastis.linked_apps", "-once").awake())
		time.Sleep(time.Hour)
		w.wantCalls("stop shop-front")
		if w.Named("-once") != nil {
			t.Error("it is managed")
		}
		if told := strings.Join(w.Inventory().Problems(), "\n"); !strings.Contains(told, "start it without --rm") {
			t.Errorf("told: %s", told)
		}
	})
}

func TestAnAppThatCannotWakeAsItIsIsTold(t *testing.T) {
	app := service("shop", "front").routed("shop.test")
	app.app.Unstartable = "its lender is gone; create it anew"
	inv := Resolve([]Reported{{Provider: "fake", App: app.app}}, settingsFor(t, ""))
	if want, got := `app "shop-front" cannot wake: its lender is gone; create it anew`, strings.Join(inv.Problems(), "\n"); got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}
