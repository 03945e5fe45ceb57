package docker

import (
	"testing"
	"testing/synctest"

	api "github.com/moby/moby/api/types/container"

	"github.com/paastis/paastis/rules"
)

func TestContainerNeedsWhatItBorrowsFromAnother(t *testing.T) {
	t.Parallel()
	lent := []rules.Link{{Name: "web", Condition: rules.Started, Lends: true}}
	linked := []rules.Link{{Name: "web", Condition: rules.Started}}
	for name, c := range map[string]struct {
		change func(*api.InspectResponse)
		want   []rules.Link
	}{
		"network":       {onNetwork("container:web"), lent},
		"IPC":           {func(c *api.InspectResponse) { c.HostConfig.IpcMode = "container:web" }, lent},
		"PID":           {func(c *api.InspectResponse) { c.HostConfig.PidMode = "container:web" }, lent},
		"volumes":       {func(c *api.InspectResponse) { c.HostConfig.VolumesFrom = []string{"web:ro"} }, []rules.Link{{Name: "web", Condition: rules.Started, Optional: true}}},
		"docker --link": {func(c *api.InspectResponse) { c.HostConfig.Links = []string{"/web:/app/db"} }, linked},
		"external_links": {func(c *api.InspectResponse) {
			for _, at := range c.NetworkSettings.Networks {
				at.Links = []string{"web:db", "web:web"}
			}
		}, linked},
		"itself":           {func(c *api.InspectResponse) { c.HostConfig.Links = []string{"/app:/app/app"} }, nil},
		"one that is gone": {onNetwork("container:nobody"), nil},
	} {
		e := newEngine(t)
		e.add(another(t, "web", "tty"))
		e.add(another(t, "app", "tty", attachedTo("apps=10.0.0.3"), c.change))
		equal(t, name, appOf(t, e.provider(), "app").Links, c.want)
	}
}

func TestContainerWhoseLenderWasCreatedAnewCannotStartAndSaysHowToMendIt(t *testing.T) {
	t.Parallel()
	const gone = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	e := newEngine(t, recordings...)
	e.change("shop-sidecar-1", onNetwork("container:"+gone))
	const why = `container "shop-sidecar-1" is to live in the network, IPC or PID namespace of container 0123456789ab, which is gone or was created anew; `
	equal(t, "of Compose", appOf(t, e.provider(), "shop-sidecar").Unstartable, why+"docker compose up -d --force-recreate sidecar")
	equal(t, "in order", appOf(t, e.provider(), "shop-front").Unstartable, "")
}

func TestContainerThatItsEngineRemovesOnceItEndsIsEphemeral(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "tty")
	equal(t, "kept", appOf(t, e.provider(), "tty").Ephemeral, false)
	e.change("tty", func(c *api.InspectResponse) { c.HostConfig.AutoRemove = true })
	equal(t, "docker run --rm", appOf(t, e.provider(), "tty").Ephemeral, true)
}

func TestAppHasTheNamesByWhichContainersKnowIt(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-db-1")
	e.change("shop-db-1", func(c *api.InspectResponse) {
		c.Config.Hostname = "database"
		for _, at := range c.NetworkSettings.Networks {
			at.Aliases, at.DNSNames = []string{"db", "pg", c.ID[:12]}, []string{"pg", "database"}
		}
	}, renamed("postgres"))
	equal(t, "aliases", appOf(t, e.provider(), "shop-db").Aliases, []string{"database", "db", "pg", "postgres"})
}

func TestAppsInTheNetworkOfAContainerAreReportedWithIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		e.add(another(t, "vpn", "tty", attachedTo("apps=10.0.0.3")))
		e.add(another(t, "torrent", "tty", onNetwork("container:vpn")))
		w := watchOn(t, e, e.provider())
		defer w.stop(t)
		w.only(t)
		e.change("vpn", attachedTo("apps=10.0.0.9"))
		e.happens("start", e.id("vpn"))
		report := w.only(t)
		equal(t, "reported", appNames(report), []string{"torrent", "vpn"})
		equal(t, "address", appIn(t, report, "torrent").Instances[0].Addresses[0].String(), "10.0.0.9")
	})
}
