package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// twoEngines are there at once behind one Traefik: near, beside which Paastis and Traefik run, and
// far, whose apps Traefik reaches at ports of its machine.
type twoEngines struct {
	*site
	far *second
}

// newTwoEngines makes both; far has its images.
func newTwoEngines(t *testing.T, name string) *twoEngines {
	t.Helper()
	s := newSite(t, name)
	e := &twoEngines{site: s, far: newSecond(t)}
	e.far.trust(s)
	e.far.start()
	e.far.load("paastis/demo-shop")
	return e
}

// farByTLS is far as Paastis finds it in a network.
const farByTLS = `host: "tcp://` + wireThere + `:2376", tls_ca: /config/ca.pem, tls_cert: /config/paastis.pem, tls_key: /config/paastis-key.pem`

// providers is a configuration with both.
func providers(far string) string {
	return "providers:\n  - {name: near, type: docker}\n  - {name: far, type: docker, " + far + "}\n"
}

// streamQuiet: connections to apps elsewhere are not counted, so one may be open there for as
// long as nothing moves.
const streamQuiet = "PAASTIS_STREAM_QUIET_TIME=3s"

// at is where far's machine leads to an app.
func at(port int) string { return fmt.Sprintf("http://%s:%d", wireThere, port) }

// farApp is an app of far that is found at a port of its machine.
func farApp(name string, port int) app {
	return app{name: name, more: fmt.Sprintf("ports: ['%d:8080']", port), labels: []string{"paastis.enable=true"}}
}

// routeByFile lets Traefik lead a host to an app of far by a file, and ask Paastis before.
func (e *twoEngines) routeByFile(host, name string, port int) {
	e.traefikFlags = append(e.traefikFlags, "--providers.file.filename=/config/dynamic.yml")
	e.write("dynamic.yml", fmt.Sprintf(`
http:
  routers:
    far: {rule: "Host(`+"`%s`"+`)", service: far, middlewares: [far]}
  middlewares:
    far: {forwardAuth: {address: "http://%s-paastis:3000/auth?app=%s"}}
  services:
    far: {loadBalancer: {servers: [{url: "%s"}]}}
`, host, e.site.name, name, at(port)))
}

// isAsleep tells that nothing runs on the engine.
func (e *second) isAsleep() bool {
	out, err := e.docker("ps", "--quiet").Output()
	return err == nil && strings.TrimSpace(string(out)) == ""
}

// TestAnEngineElsewhereIsReachedByTLSAndByItsSocket has one app woken through Traefik, and put
// to sleep, on an engine that shares no network with Paastis.
func TestAnEngineElsewhereIsReachedByTLSAndByItsSocket(t *testing.T) {
	e := newTwoEngines(t, "e2e-far-site")
	e.far.stack(e.site, "e2e-far", true, farApp("web", 9001))
	e.traefikFlags = []string{dropIdle}
	e.routeByFile("far.test", "e2e-far-web", 9001)
	for how, settings := range map[string]string{"TLS": farByTLS, "socket": "host: 'unix:///far/docker.sock'"} {
		t.Run(how, func(t *testing.T) {
			s := *e.site
			s.t, s.volumes = t, []string{e.far.path("run") + ":/far"}
			s.serve(providers(settings), streamQuiet)
			v := s.visit()
			v.reach(personTo("far.test", "web"), 30*time.Second)
			v.reach(postTo("far.test", "web"), 30*time.Second)
			v.judge()
			s.await("the app to sleep", 30*time.Second, e.far.isAsleep)
		})
	}
}
