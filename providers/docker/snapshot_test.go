package docker

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	api "github.com/moby/moby/api/types/container"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

var recordings = []string{
	"shop-front-1", "shop-back-1", "shop-db-1", "shop-sidecar-1", "shop-front-run-5d1f",
	"traefik", "port", "host", "tty", "oom", "crash",
}

func TestListReportsEveryAppSortedByName(t *testing.T) {
	t.Parallel()
	report := listOf(t, newEngine(t, recordings...).provider())
	equal(t, "apps", appNames(report), []string{
		"crash", "host", "oom", "port", "shop-back", "shop-db", "shop-front", "shop-sidecar", "traefik", "tty",
	})
	if !report.Complete || report.Version == 0 {
		t.Errorf("complete is %v, version %d", report.Complete, report.Version)
	}
}

func TestAppIsReportedWithAllThatDockerTellsOfIt(t *testing.T) {
	t.Parallel()
	app := appOf(t, newEngine(t, recordings...).provider(), "shop-front")
	equal(t, "stack", app.Stack, "shop")
	equal(t, "origin", app.Origin, `container "shop-front-1"`)
	equal(t, "label", app.Labels["traefik.enable"], "true")
	equal(t, "ports", app.Ports, []uint16{8080})
	equal(t, "networks", app.Networks, []string{"shop_default"})
	equal(t, "health check", app.HealthCheck, &inventory.HealthCheck{Interval: 500 * time.Millisecond})
	equal(t, "links", app.Links, []rules.Link{
		{Name: "shop-back", Condition: rules.Healthy},
		{Name: "shop-db", Condition: rules.Started, Restart: true},
	})
	front := app.Instances[0]
	equal(t, "address", front.Address.String(), "172.20.0.2")
	equal(t, "started", front.StartedAt, time.Date(2026, 11, 24, 2, 34, 26, 51427005, time.UTC))
	equal(t, "ID", front.ID, "17600320cc1d60b2f1099f5a315bc6f86e781c59fd3750b50a5818507af163cc")
}

func TestStatesOfContainers(t *testing.T) {
	t.Parallel()
	states := map[string]inventory.Instance{
		"shop-front": {Status: inventory.Running, Health: inventory.Healthy},
		"shop-back":  {Status: inventory.Exited, Health: inventory.HealthStarting},
		"shop-db":    {Status: inventory.Paused},
		"crash":      {Status: inventory.Restarting, ExitCode: 3},
		"oom":        {Status: inventory.Exited, ExitCode: 137, OOMKilled: true},
		"port":       {Status: inventory.Exited, ExitCode: 128, Fault: reason.PortTaken},
		"tty":        {Status: inventory.Running},
	}
	report := listOf(t, newEngine(t, recordings...).provider())
	for name, want := range states {
		got := appIn(t, report, name).Instances[0]
		equal(t, name, inventory.Instance{
			Status: got.Status, Health: got.Health, ExitCode: got.ExitCode, OOMKilled: got.OOMKilled, Fault: got.Fault,
		}, want)
		equal(t, name+" ever started", !got.StartedAt.IsZero(), name != "port")
	}
}

func TestRestartsAreThoseOfTheEngine(t *testing.T) {
	t.Parallel()
	report := listOf(t, newEngine(t, recordings...).provider())
	for name, want := range map[string]int{"crash": 5, "tty": 0} {
		equal(t, name, appIn(t, report, name).Instances[0].Restarts, want)
	}
}

func TestComposeServiceIsOneAppWithAllItsContainers(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-front-1")
	e.add(another(t, "shop-front-2", "shop-front-1", labelled(labelNumber, "2"), exits(1)))
	app := appOf(t, e.provider(), "shop-front")
	equal(t, "instances", instanceNames(app), []string{"shop-front-1", "shop-front-2"})
	equal(t, "second", app.Instances[1].Status, inventory.Exited)
}

func TestContainerNameGivenInComposeDoesNotNameTheApp(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-front-1")
	e.change("shop-front-1", renamed("storefront"))
	equal(t, "instances", instanceNames(appOf(t, e.provider(), "shop-front")), []string{"storefront"})
}

func TestOneOffContainersAndSwarmTasksAreNoApps(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-front-run-5d1f")
	e.add(another(t, "web.1.x", "host", labelled(labelSwarmTask, "x")))
	equal(t, "apps", appNames(listOf(t, e.provider())), []string(nil))
}

func TestLowestNumberSpeaksForTheApp(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.add(another(t, "shop-front-10", "shop-front-1", labelled(labelNumber, "10"), labelled("who", "ten")))
	e.add(another(t, "shop-front-9", "shop-front-1", labelled(labelNumber, "9"), labelled("who", "nine")))
	e.add(another(t, "shop-front-0", "shop-front-1", labelled(labelNumber, "?"), labelled("who", "nobody")))
	equal(t, "labels", appOf(t, e.provider(), "shop-front").Labels["who"], "nine")
}

func TestSuccessorSpeaksForTheAppWhileComposeReplacesAContainer(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-front-1")
	e.add(another(t, "17600320cc1d_shop-front-1", "shop-front-1", labelled("who", "successor"), func(c *api.InspectResponse) {
		c.Created = "2026-11-24T09:00:00Z"
	}))
	app := appOf(t, e.provider(), "shop-front")
	equal(t, "instances", instanceNames(app), []string{"17600320cc1d_shop-front-1", "shop-front-1"})
	equal(t, "labels", app.Labels["who"], "successor")
}

func TestAppsOfOneNameAreNeverMixed(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-front-1")
	e.add(another(t, "shop-front", "host"))
	e.add(another(t, "x", "shop-front-1", labelled(labelProject, "shop-fr"), labelled(labelService, "ont")))
	equal(t, "instances", instanceNames(appOf(t, e.provider(), "shop-front")), []string{"shop-front-1"})
}

func TestDependsOnBecomesLinks(t *testing.T) {
	t.Parallel()
	for label, want := range map[string][]rules.Link{
		"":                        nil,
		"db":                      {{Name: "shop-db", Condition: rules.Started}},
		"db:service_started":      {{Name: "shop-db", Condition: rules.Started}},
		"db:service_healthy:true": {{Name: "shop-db", Condition: rules.Healthy, Restart: true}},
		"db:what:ever":            {{Name: "shop-db", Condition: rules.Started}},
		"migrate:service_completed_successfully:false, db:service_healthy:false": {
			{Name: "shop-migrate", Condition: rules.Completed},
			{Name: "shop-db", Condition: rules.Healthy},
		},
	} {
		e := newEngine(t, "shop-front-1")
		e.change("shop-front-1", labelled(labelDependsOn, label))
		equal(t, label, appOf(t, e.provider(), "shop-front").Links, want)
	}
}

func TestContainerOnTheNetworkOfAnotherNeedsIt(t *testing.T) {
	t.Parallel()
	app := appOf(t, newEngine(t, recordings...).provider(), "shop-sidecar")
	equal(t, "links", app.Links, []rules.Link{{Name: "shop-front", Condition: rules.Started, Lends: true}})
	equal(t, "networks", app.Networks, []string{"shop_default"})
}

func TestContainerOnTheNetworkOfADependencyNeedsItOnce(t *testing.T) {
	t.Parallel()
	e := newEngine(t, recordings...)
	e.change("shop-sidecar-1", labelled(labelDependsOn, "front:service_healthy:true"))
	links := appOf(t, e.provider(), "shop-sidecar").Links
	equal(t, "links", links, []rules.Link{{Name: "shop-front", Condition: rules.Healthy, Restart: true, Lends: true}})
}

func TestHealthChecks(t *testing.T) {
	t.Parallel()
	test := []string{"CMD", "/check"}
	for _, c := range []struct {
		name    string
		config  *api.HealthConfig
		version string
		want    *inventory.HealthCheck
	}{
		{"none", nil, "1.41", nil},
		{"inherited from nothing", &api.HealthConfig{}, "1.41", nil},
		{"turned off", &api.HealthConfig{Test: []string{"NONE"}}, "1.41", nil},
		{"interval left open", &api.HealthConfig{Test: test}, "1.41",
			&inventory.HealthCheck{Interval: 30 * time.Second}},
		{"start interval", &api.HealthConfig{Test: test, Interval: time.Minute, StartInterval: time.Second, StartPeriod: time.Minute}, "1.44",
			&inventory.HealthCheck{Interval: time.Minute, StartInterval: time.Second}},
		{"start interval without a start period", &api.HealthConfig{Test: test, Interval: time.Minute, StartInterval: time.Second}, "1.44",
			&inventory.HealthCheck{Interval: time.Minute}},
		{"start interval of an old engine", &api.HealthConfig{Test: test, Interval: time.Minute, StartInterval: time.Second, StartPeriod: time.Minute}, "1.43",
			&inventory.HealthCheck{Interval: time.Minute}},
		{"start period of an old engine", &api.HealthConfig{Test: test, StartPeriod: time.Minute}, "1.43",
			&inventory.HealthCheck{Interval: 30 * time.Second}},
		{"start period of a new engine", &api.HealthConfig{Test: test, StartPeriod: time.Minute}, "1.44",
			&inventory.HealthCheck{Interval: 30 * time.Second, StartInterval: 5 * time.Second}},
	} {
		equal(t, c.name, healthCheck(c.config, c.version), c.want)
	}
}

func TestOnlyTCPPortsCountAndInOrder(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "host")
	e.change("host", exposing("9000/tcp", "53/udp", "80/tcp"))
	equal(t, "ports", appOf(t, e.provider(), "host").Ports, []uint16{80, 9000})
}

func TestListAndLookShowTheSameOutline(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/list.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []api.Summary
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	equal(t, "containers", len(list), len(recordings))
	for _, s := range list {
		equal(t, s.Names[0], fingerprintOfListed(s), newContainer(*recording(t, s.Names[0][1:]), "1.41").fingerprint)
	}
}
