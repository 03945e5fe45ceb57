package strangers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// named is an app that answers with its name, at that port of this machine.
func named(t *testing.T, name string) (port string) {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, name) }))
	t.Cleanup(app.Close)
	_, port, _ = strings.Cut(app.Listener.Addr().String(), ":")
	return port
}

// routed is the container of an app of the stack "shop", with a router and more labels.
func routed(t *testing.T, service, rule, priority string, more map[string]string) container {
	t.Helper()
	port := named(t, service)
	labels := map[string]string{
		"traefik.enable": "true", "traefik.http.routers." + service + ".rule": rule, "traefik.http.routers." + service + ".priority": priority,
		"traefik.http.services." + service + ".loadbalancer.server.port": port,
	}
	for key, value := range more {
		labels[key] = value
	}
	return container{"shop", service, labels, port}
}

// runPaastis runs a Paastis over an engine until the test ends, and returns its URL.
func runPaastis(t *testing.T, engine string, environ ...string) string {
	t.Helper()
	port := freePort(t)
	start(t, root+"/dist/paastis", append([]string{"DOCKER_HOST=" + engine, "PAASTIS_LISTEN=127.0.0.1:" + port}, environ...))
	url := "http://127.0.0.1:" + port
	await(t, "Paastis serves", func() bool { code, _, _ := visit(t, url, "", "/healthz"); return code == 200 })
	return url
}

// Traefik picks at random among routers of one priority whenever it makes them anew.
func TestRequestsOfAnAppThatIsNotPublishedGoThere(t *testing.T) {
	engine := playEngine(t,
		routed(t, "front", "Host(`shop.test`)", "1", map[string]string{"paastis.enable": "true"}),
		routed(t, "api", "Host(`shop.test`) && PathPrefix(`/api`)", "2", nil))
	paastis := runPaastis(t, engine)
	for range 8 {
		web := runTraefik(t, "--providers.docker.endpoint="+engine, "--providers.http.endpoint="+paastis+"/traefik/config", "--providers.http.pollinterval=1s")
		await(t, "Traefik leads to front", func() bool { _, _, body := visit(t, web, "shop.test", "/"); return body == "front" })
		// Traefik's providers begin one after the other: until it knows api, front has its requests.
		await(t, "Traefik leads to api", func() bool { _, _, body := visit(t, web, "shop.test", "/api/orders"); return body == "api" })
		for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if code, _, body := visit(t, web, "shop.test", "/api/orders"); body != "api" {
				t.Fatalf("a request of api's is answered %d %s", code, body)
			}
		}
		if _, _, body := visit(t, web, "shop.test", "/"); body != "front" {
			t.Errorf("a request of front's is answered %s", body)
		}
	}
}

func TestWhatATraefikLeavesOutIsNotServedByItThroughPaastis(t *testing.T) {
	engine := playEngine(t,
		routed(t, "inner", "Host(`inner.test`)", "0", map[string]string{"paastis.enable": "true", "zone": "in"}),
		routed(t, "outer", "Host(`outer.test`)", "0", map[string]string{"paastis.enable": "true", "zone": "out"}))
	paastis := runPaastis(t, engine, "PAASTIS_TRAEFIK_ENDPOINTS_IN_CONSTRAINTS=Label(`zone`,`in`)", "PAASTIS_TRAEFIK_ENDPOINTS_OUT_CONSTRAINTS=Label(`zone`,`out`)")
	if code, _, _ := visit(t, paastis, "", "/traefik/config/other"); code != http.StatusNotFound {
		t.Errorf("an endpoint that is none is answered %d", code)
	}
	webs := map[string]string{}
	for _, zone := range []string{"in", "out"} {
		webs[zone] = runTraefik(t, "--providers.http.endpoint="+paastis+"/traefik/config/"+zone, "--providers.http.pollinterval=1s")
	}
	for zone, web := range webs {
		hosts := map[string]string{"in": "inner.test", "out": "outer.test"}
		await(t, "Traefik leads to the app of "+zone, func() bool { code, _, _ := visit(t, web, hosts[zone], "/"); return code == 200 })
		for other, host := range hosts {
			if code, _, body := visit(t, web, host, "/"); other != zone && code != http.StatusNotFound {
				t.Errorf("the Traefik of %s gives %s: %d %s", zone, host, code, body)
			}
		}
	}
}
