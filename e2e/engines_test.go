package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	// across is the project that both engines have: names of services, containers and routers
	// are the same there and here.
	across = "e2e-across"
	// streamQuiet: connections to apps elsewhere are not counted, so one may be open there for
	// as long as nothing moves.
	streamQuiet = "PAASTIS_STREAM_QUIET_TIME=3s"
)

// farByTLS is how Paastis reaches the second engine through a network.
const farByTLS = `host: "tcp://` + wireThere + `:2376", tls_ca: /config/ca.pem, tls_cert: /config/paastis.pem, tls_key: /config/paastis-key.pem, address: ` + wireThere

// providers is a configuration with both: near, beside which Paastis and Traefik run, and far.
func providers(far string) string {
	return "providers:\n  - {name: near, type: docker}\n  - {name: far, type: docker, " + far + "}\n"
}

// at publishes an app's port at an address of its machine.
func at(address string, port int) string {
	return fmt.Sprintf("ports: ['%s:%d:8080']", address, port)
}

// named is an app as its answers name it, whatever its service is called.
func (a app) named(name string) app {
	a.env = append(a.env, "NAME="+name)
	return a
}

// acrossApps are those of both engines. Each front needs a database that runs on the other one.
// One app of far is led to by its published route, one by a file of Traefik's.
func acrossApps() (near, far []app) {
	far = []app{
		app{name: "front", host: "far-front.test", bare: true, next: "http://" + wireHere + ":9002/", more: at(wireThere, 9003),
			labels: []string{"paastis.linked_apps=near/" + across + "-db"}}.named("far-front"),
		app{name: "db", more: at(wireThere, 9001)}.named("far-db"),
		app{name: "web", host: "far-web.test", bare: true, more: "ports: ['8080']"}.named("far-web"),
		{name: "awake", host: "far-awake.test", bare: true, more: "ports: ['8080']", labels: []string{"paastis.max_idle_time=1m"}},
		app{name: "filed", more: at(wireThere, 9004), labels: []string{"paastis.enable=true", "paastis.mode=forwardauth"}},
	}
	near = []app{
		app{name: "front", host: "near-front.test", bare: true, next: "http://" + wireThere + ":9001/",
			labels: []string{"paastis.linked_apps=far/" + across + "-db"}}.named("near-front"),
		app{name: "db", more: at(wireHere, 9002)}.named("near-db"),
		app{name: "web", host: "near-web.test", bare: true}.named("near-web"),
	}
	for _, apps := range [][]app{near, far} {
		for i := range apps {
			apps[i].checked = "none" // Paastis probes them where their machines lead there
		}
	}
	return near, far
}

// acrossSite is a site with both engines, which serves, and what their containers do.
func acrossSite(t *testing.T) (*site, *second, *engine) {
	t.Helper()
	s := newSite(t, across+"-site")
	s.direct, s.traefikFlags = true, []string{dropIdle, "--providers.file.filename=/config/dynamic.yml"}
	s.write("dynamic.yml", fmt.Sprintf(`
http:
  routers:
    filed: {rule: "Host(`+"`filed.test`"+`)", service: filed, middlewares: [filed]}
  middlewares:
    filed: {forwardAuth: {address: "http://%s-paastis:3000/auth?app=%s-filed"}}
  services:
    filed: {loadBalancer: {servers: [{url: "http://%s:9004"}]}}
`, s.name, across, wireThere))
	far := newSecond(t)
	far.trust(s)
	far.start()
	far.load("paastis/demo-shop")
	here, there := acrossApps()
	s.stack(across, true, here...)
	far.stack(s, across, true, there...)
	engine := s.followEngine()
	engine.follow(s.name, "far/", "--host", far.host())
	s.serve(providers(farByTLS), append([]string{"PAASTIS_MAX_IDLE_TIME=" + soon.String(), "PAASTIS_WAKE_LIMIT=0",
		"PAASTIS_MANUAL_STOP=wake", streamQuiet}, adminSettings[:2]...)...)
	return s, far, engine
}

func TestCyclesOfTwoEnginesWithLinksAcrossAreWithoutOneWrongAnswer(t *testing.T) {
	s, _, engine := acrossSite(t)
	c := &cycles{t: t, engine: engine, visitors: s.visit(), direct: true, stay: soon, containerOf: map[string]string{
		"near-front.test": across + "-front-1", "near-web.test": across + "-web-1", "filed.test": "far/" + across + "-filed-1",
		"far-front.test": "far/" + across + "-front-1", "far-web.test": "far/" + across + "-web-1",
	}}
	var apps []app
	for host := range c.containerOf {
		apps = append(apps, app{name: strings.TrimSuffix(host, ".test"), host: host})
	}
	total := number(t, "CYCLES", len(apps))
	c.left.Store(int64(total))
	took := c.run(apps)
	if c.done.Load() < int64(total) {
		t.Errorf("only %d of %d cycles came to their end", c.done.Load(), total)
	}
	n, kinds := c.answers()
	t.Logf("%d cycles in %s, %d starts; %d answers: %s", c.done.Load(), took.Round(time.Second), engine.starts(), n, kinds)
	c.judge()
	t.Log(s.tell("check", "--config", "/config/paastis.yml"))
	t.Log(s.tell("explain", "--config", "/config/paastis.yml", "far/"+across+"-web"))
	t.Log(s.tell("status"))
	s.told(0, "far/"+across+"-web", "status")
}

// TestASecondEngineInTroubleHurtsNoAppOfTheFirst has it hang.
func TestASecondEngineInTroubleHurtsNoAppOfTheFirst(t *testing.T) {
	s, far, engine := acrossSite(t)
	for range number(t, "TROUBLES", 1) {
		(&trouble{site: s, engine: engine, begin: far.freeze, end: far.thaw, serves: true}).pass()
	}
}
