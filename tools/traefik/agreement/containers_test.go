package agreement

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/provider/docker"
	"github.com/traefik/traefik/v3/pkg/safe"
)

// container is one as both sides see it.
type container struct {
	name    string
	status  string // of Docker
	health  string // of Docker; "" has no health check
	network string
	ports   []uint16
	labels  map[string]string
}

func (c container) String() string {
	return fmt.Sprintf("%s %s %q in %q on %v %q", c.name, c.status, c.health, c.network, c.ports, c.labels)
}

// flags are what a Traefik is started with.
type flags struct {
	hidden      bool // exposedByDefault=false
	constraints string
	unhealthy   bool // allowEmptyServices
	defaultRule string
}

func TestBothSidesHaveTheSameRoutersOfContainers(t *testing.T) {
	t.Parallel()
	all := []flags{
		{}, {hidden: true}, {constraints: "Label(`zone`, `out`)"}, {unhealthy: true},
		{hidden: true, constraints: "!Label(`zone`, `out`)", unhealthy: true},
		{defaultRule: "Host(`{{ trimPrefix `c` .Name }}.{{ index .Labels \"zone\" | default .ContainerName }}`)"},
		{defaultRule: "{{ if eq (index .Labels \"zone\") \"out\" }}Host(`out`){{ end }}"},
	}
	d := dice{rand.New(rand.NewPCG(36, 12))}
	var compared, there int
	for _, f := range all {
		var containers []container
		for i := range 400 {
			containers = append(containers, d.container(i))
		}
		they, we := theirContainers(t, f, containers), ourContainers(f, containers)
		compared, there = compared+len(containers), there+len(they)
		for _, name := range slices.Sorted(maps.Keys(they)) {
			if they[name] != we[name] && !listed(ofRouter(containers, name)) {
				t.Errorf("%+v: router %s:\n\tTraefik has %q\n\tPaastis has %q\n\tof %v", f, name, they[name], we[name], ofRouter(containers, name))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(we)) {
			if _, there := they[name]; !there {
				t.Errorf("%+v: router %s: only Paastis has it: %q\n\tof %v", f, name, we[name], ofRouter(containers, name))
			}
		}
	}
	t.Logf("%d routers of %d containers", there, compared)
	if there < compared/15 {
		t.Errorf("only %d routers of %d containers: they say little", there, compared)
	}
}

// listed reports whether both sides may differ about a container, and check tells of it: if
// a server has a port beside its URL, Traefik notices once the container runs and leaves it
// out from then on. Paastis leaves it out in every state.
func listed(c container) bool {
	number := c.name[1:]
	server := "traefik.http.services.s" + number + ".loadbalancer.server."
	return c.labels[server+"url"] != "" && c.labels[server+"port"] != ""
}

func TestBothSidesHaveTheSameRoutersOfContainersThatShareNames(t *testing.T) {
	t.Parallel()
	d := dice{rand.New(rand.NewPCG(37, 12))}
	var there, missing int
	for range 300 {
		var containers []container
		for i := range 2 + d.IntN(3) {
			c := container{name: fmt.Sprintf("c%d", i), status: d.of(statuses[:5]), network: "web", labels: map[string]string{}}
			for _, group := range [][]string{shared, shared, shared, keeps} {
				for label := range strings.SplitSeq(d.of(group), ";") {
					if name, value, is := strings.Cut(label, "="); is {
						c.labels[name] = value
					}
				}
			}
			c.ports = []uint16{80}
			containers = append(containers, c)
		}
		they, we := theirContainers(t, flags{}, containers), ourContainers(flags{}, containers)
		if there, missing = there+len(they), missing+len(containers)-len(they); !maps.Equal(they, we) {
			t.Errorf("containers %v:\n\tTraefik has %q\n\tPaastis has %q", containers, they, we)
		}
	}
	t.Logf("%d routers, %d containers more", there, missing)
}

// shared are labels of routers and services whose names several containers have.
var shared = []string{
	"", "traefik.http.routers.a.rule=Host(`a`);traefik.http.routers.a.service=s", "traefik.http.routers.a.rule=Host(`b`);traefik.http.routers.a.service=s",
	"traefik.http.routers.a.rule=Host(`a`);traefik.http.routers.a.service=s;traefik.http.routers.a.tls.certresolver=x", "traefik.http.routers.b.rule=Host(`b`)",
	"traefik.http.routers.b.rule=Host(`b`);traefik.http.routers.b.service=u@docker", "traefik.http.services.s.loadbalancer.server.port=80", "traefik.http.services.u.loadbalancer.server.port=81",
	"traefik.http.routers.b.rule=Host(`b`);traefik.http.routers.b.middlewares=m;traefik.http.middlewares.m.addprefix.prefix=/m", "traefik.http.routers.b.rule=Host(`b`);traefik.http.routers.b.observability.metrics=false",
}

// Labels that come in groups, of container number %d.
var (
	enables   = []string{"", "", "traefik.enable=true", "traefik.enable=false", "traefik.enable=maybe"}
	keeps     = []string{"", "", "traefik.docker.allownonrunning=true", "traefik.docker.allownonrunning=false"}
	zones     = []string{"", "zone=out", "zone=in"}
	backends  = []string{"", "traefik.http.services.s%d.loadbalancer.server.port=80", "traefik.http.services.s%d.loadbalancer.server.url=http://x:80", "traefik.http.services.s%d.loadbalancer.server.scheme=https", "traefik.http.services.s%d.loadbalancer.passhostheader=false", "traefik.http.services.s%d.loadbalancer.server.url=http://x:80;traefik.http.services.s%d.loadbalancer.server.port=80"}
	frontends = []string{"", "traefik.http.routers.r%d.rule=Host(`r%d`)", "traefik.http.routers.r%d.priority=7", "traefik.http.routers.r%d.rule=Host(`r%d`);traefik.http.routers.q%d.rule=Path(`/q%d`);traefik.http.routers.q%d.tls=true", "traefik.http.routers.r%d.rule=Host(`r%d`);traefik.http.routers.r%d.priority=high", "traefik.http.routers.r%d.rule=Host(`r%d`);traefik.http.routers.r%d.service=none"}
	guards    = []string{"", "", "", "traefik.http.middlewares.m%d.ratelimit.average=9", "traefik.http.middlewares.m%d.ratelimit.average=much"}
	networks  = []string{"bridge", "web", "web", "none", "host"}
	statuses  = []string{"running", "running", "running", "exited", "created", "paused", "restarting", "dead"}
	healths   = []string{"", "", "healthy", "unhealthy", "starting"}
)

func (d dice) container(i int) container {
	c := container{name: fmt.Sprintf("c%d", i), status: d.of(statuses), health: d.of(healths), network: d.of(networks), labels: map[string]string{}}
	if d.IntN(4) > 0 && c.network != "host" {
		c.ports = []uint16{8080, 9090}[:1+d.IntN(2)]
	}
	for _, group := range [][]string{enables, keeps, zones, backends, frontends, guards} {
		for label := range strings.SplitSeq(strings.ReplaceAll(d.of(group), "%d", fmt.Sprint(i)), ";") {
			if name, value, is := strings.Cut(label, "="); is {
				c.labels[name] = value
			}
		}
	}
	return c
}

// theirContainers are the routers that Traefik's own Docker provider makes of containers, by
// name: their rules. Those whose service is nowhere Traefik leaves out when it builds them.
//
// One that is made for a container of which no label speaks is left out here: Paastis knows
// it only with traefik.enable=true, for most such containers are nobody's business.
func theirContainers(t *testing.T, f flags, containers []container) map[string]string {
	t.Helper()
	conf := provided(t, f, containers)
	spoken := map[string]bool{}
	for _, c := range containers {
		if speaks(c) {
			spoken[c.name] = true
		}
	}
	rules := map[string]string{}
	for name, r := range conf.HTTP.Routers {
		if _, there := conf.HTTP.Services[strings.TrimSuffix(r.Service, "@docker")]; there && (spoken[name] || !strings.HasPrefix(name, "c")) {
			rules[name] = r.Rule
		}
	}
	return rules
}

// speaks reports whether labels of a container tell that it has routers.
func speaks(c container) bool {
	for name := range c.labels {
		if name == "traefik.enable" || strings.HasPrefix(name, "traefik.http.routers.") {
			return true
		}
	}
	return false
}

// provided is what Traefik's Docker provider makes of the containers of an engine.
func provided(t *testing.T, f flags, containers []container) *dynamic.Configuration {
	t.Helper()
	engine := httptest.NewServer(engineOf(containers))
	defer engine.Close()
	p := &docker.Provider{}
	p.SetDefaults()
	p.Endpoint, p.Watch = strings.Replace(engine.URL, "http", "tcp", 1), false
	p.ExposedByDefault, p.Constraints, p.AllowEmptyServices = !f.hidden, f.constraints, f.unhealthy
	if f.defaultRule != "" {
		p.DefaultRule = f.defaultRule
	}
	if err := p.Init(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	pool := safe.NewPool(ctx)
	defer pool.Stop()
	messages := make(chan dynamic.Message, 1)
	if err := p.Provide(messages, pool); err != nil {
		t.Fatal(err)
	}
	select {
	case m := <-messages:
		return m.Configuration
	case <-ctx.Done():
		t.Fatal("Traefik's provider makes nothing of the containers")
		return nil
	}
}

// engineOf plays as much of a Docker engine as Traefik asks.
func engineOf(containers []container) http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, what any) { _ = json.NewEncoder(w).Encode(what) }
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.44") })
	mux.HandleFunc("/{v}/version", func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]string{"ApiVersion": "1.44"}) })
	mux.HandleFunc("/{v}/containers/json", func(w http.ResponseWriter, _ *http.Request) {
		list := []map[string]string{}
		for _, c := range containers {
			list = append(list, map[string]string{"Id": c.name})
		}
		answer(w, list)
	})
	mux.HandleFunc("/{v}/containers/{id}/json", func(w http.ResponseWriter, r *http.Request) {
		for _, c := range containers {
			if c.name == r.PathValue("id") {
				answer(w, c.inspected())
			}
		}
	})
	return mux
}

func (c container) inspected() map[string]any {
	state := map[string]any{"Status": c.status, "Running": c.status == "running"}
	if c.health != "" {
		state["Health"] = map[string]any{"Status": c.health}
	}
	ports := map[string]any{}
	for _, port := range c.ports {
		ports[fmt.Sprintf("%d/tcp", port)] = nil
	}
	address := map[string]string{"IPAddress": "10.0.0.7"}
	if c.network == "none" || c.network == "host" || c.status == "exited" {
		address["IPAddress"] = ""
	}
	return map[string]any{
		"Id": c.name, "Name": "/" + c.name, "State": state, "Config": map[string]any{"Labels": c.labels},
		"HostConfig":      map[string]any{"NetworkMode": c.network},
		"NetworkSettings": map[string]any{"Ports": ports, "Networks": map[string]any{c.network: address}},
	}
}

// ourContainers are the routers that Paastis takes for those that Traefik has, by name: their
// rules.
func ourContainers(f flags, containers []container) map[string]string {
	var apps []inventory.Reported
	for _, c := range containers {
		apps = append(apps, inventory.Reported{Provider: "docker", App: new(c.app())})
	}
	exposed := !f.hidden
	s := inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"}
	s.Traefik = traefik.Static{ExposedByDefault: &exposed, KeepsUnhealthy: f.unhealthy}
	if f.constraints != "" {
		s.Traefik.Constraints, _ = traefik.ParseConstraint(f.constraints)
	}
	if f.defaultRule != "" {
		s.DefaultRule, _ = traefik.ParseDefaultRule(f.defaultRule)
	}
	found := map[string]string{}
	for _, e := range inventory.Resolve(apps, s).Definitions {
		for i := range e.Routers {
			if r := &e.Routers[i]; r.There() {
				found[r.Name] = r.Rule
			}
		}
	}
	return found
}

func (c container) app() inventory.App {
	instance := inventory.Instance{Name: c.name, ID: c.name}
	switch c.status {
	case "running":
		instance.Status, instance.Address = inventory.Running, netip.MustParseAddr("10.0.0.7")
	case "paused":
		instance.Status = inventory.Paused
	case "restarting":
		instance.Status = inventory.Restarting
	}
	instance.Health = map[string]inventory.Health{
		"healthy": inventory.Healthy, "unhealthy": inventory.Unhealthy, "starting": inventory.HealthStarting,
	}[c.health]
	return inventory.App{
		Name: c.name, Origin: c.name, Labels: c.labels, Instances: []inventory.Instance{instance}, Ports: c.ports, Networks: []string{c.network},
	}
}

// ofRouter is the container whose number a router has.
func ofRouter(containers []container, name string) container {
	i := slices.IndexFunc(containers, func(c container) bool { return reflect.DeepEqual(c.name[1:], name[1:]) })
	if i < 0 {
		return container{}
	}
	return containers[i]
}
