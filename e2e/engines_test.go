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

// isAsleep tells that nothing runs on the engine.
func (e *second) isAsleep() bool {
	out, err := e.docker("ps", "--quiet").Output()
	return err == nil && strings.TrimSpace(string(out)) == ""
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
func acrossSite(t *testing.T) (*testServer, *second, *engine) {
	t.Helper()
	s := newTestServer(t, across+"-site")
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
		"PAASTIS_MANUAL_STOP=wake", "PAASTIS_QUIET_TIME=3s", streamQuiet}, adminSettings[:2]...)...)
	return s, far, engine
}

// TestAnEngineThatIsDownAtTheStartKeepsNobodyDown has Paastis begin while the second machine is
// there and its engine is not. It is the engine's socket by which that is reached.
func TestAnEngineThatIsDownAtTheStartKeepsNobodyDown(t *testing.T) {
	s := newTestServer(t, across+"-site")
	far := newSecond(t)
	far.trust(s)
	far.start()
	far.load("paastis/demo-shop")
	far.stack(s, across, true, app{name: "web", host: "far.test", bare: true, more: "ports: ['8080']"})
	far.freeze()
	s.stack(across, true, app{name: "web", host: "near.test", static: true})
	s.direct, s.traefikFlags, s.volumes = true, []string{dropIdle}, []string{far.path("run") + ":/far"}
	s.serve(providers("host: 'unix:///far/docker.sock', address: "+wireThere), streamQuiet)
	if out, code := s.tell("healthcheck"); code != 0 {
		t.Errorf("it does not serve: %s", out)
	}
	if log := s.log(); !hasLine(log, []string{"WARN", "provider=far"}) {
		t.Errorf("its log does not tell of the engine:\n%s", log)
	}
	v := s.visit()
	v.reach(personTo("near.test", "web"), 30*time.Second)
	far.thaw()
	s.await("the engine's app to be known", noticed, func() bool {
		got, err := s.send("GET", "far.test", "/", nil, "User-Agent: UptimeRobot")
		return err == nil && got.header.Get("X-Paastis-State") == "asleep"
	})
	v.reach(personTo("far.test", "web"), 30*time.Second)
	v.judge()
	s.await("the app to sleep", 40*time.Second, far.isAsleep)
}

func TestCyclesOfTwoEnginesWithLinksAcrossAreWithoutOneWrongAnswer(t *testing.T) {
	s, _, engine := acrossSite(t)
	c := &cycles{t: t, engine: engine, visitors: s.visit(), direct: true, timed: true, stay: soon, containerOf: map[string]string{
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
	s.told(0, "reached at", "explain", "--config", "/config/paastis.yml", "far/"+across+"-web")
	s.told(0, "far/"+across+"-web", "status")
}

// TestASecondEngineInTroubleHurtsNoAppOfTheFirst has it hang, and its machine cut off.
func TestASecondEngineInTroubleHurtsNoAppOfTheFirst(t *testing.T) {
	s, far, engine := acrossSite(t)
	for range number(t, "TROUBLES", 1) {
		(&trouble{testServer: s, engine: engine, begin: far.freeze, end: far.thaw, serves: true}).pass()
		(&trouble{testServer: s, engine: engine, begin: far.cutWire, end: far.restoreWire}).pass()
	}
}
