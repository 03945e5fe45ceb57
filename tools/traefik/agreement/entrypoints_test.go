package agreement

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/rule"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/config/runtime"
)

// entryPoints of the Traefik that both sides know.
var entryPoints = []traefik.EntryPoint{
	{Name: "web", Port: 80}, {Name: "websecure", Port: 443, TLS: true}, {Name: "inside", Port: 9090}, {Name: "mixed", Port: 8443}, {Name: "traefik", Port: 8080},
}

func TestBothSidesChooseTheSameRouterByEntryPointAndTLS(t *testing.T) {
	t.Parallel()
	d := dice{rand.New(rand.NewPCG(80, 443))}
	m := newMessenger(t)
	var met int
	for range 400 {
		static := traefik.Static{EntryPoints: slices.Clone(entryPoints)}
		static.EntryPoints[d.IntN(len(entryPoints))].AsDefault = d.IntN(2) == 0
		routers := d.placed()
		table := tableOf(t, static, routers)
		for _, at := range static.EntryPoints {
			for _, tls := range []bool{false, true} {
				met += compareArrivals(t, m, static, routers, table, at, tls)
			}
		}
	}
	t.Logf("%d requests were taken", met)
	if met < 1000 {
		t.Errorf("only %d requests were taken: they say little", met)
	}
}

// compareArrivals sends requests by an entry point, and returns how many Traefik took. Of
// one that it answers 404 it does not ask.
func compareArrivals(t *testing.T, m *messenger, static traefik.Static, routers []placed, table *rule.Table[string], at traefik.EntryPoint, secure bool) (met int) {
	t.Helper()
	they := theirEntryPoint(t, static, routers, at.Name, secure)
	for _, host := range []string{"a.example", "b.example"} {
		v := visit{target: "/x", host: fmt.Sprintf("%s:%d", host, at.Port)}
		request := v.request()
		want := they.winner(request)
		if want == "" {
			continue
		}
		met++
		request.Header.Set("X-Forwarded-Port", fmt.Sprint(at.Port)) // as its entry points do
		if secure {
			request.TLS = &tls.ConnectionState{}
		}
		told, err := m.tell(request)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := table.Lookup(&told); got != want {
			t.Errorf("%s by %+v, TLS %t:\n\tTraefik takes %q\n\tPaastis takes %q\n\tof %+v", v, at, secure, want, got, routers)
		}
	}
	return met
}

// placed is a router on entry points.
type placed struct {
	router
	on  []string
	tls bool
}

func (d dice) placed() []placed {
	var all []placed
	for i := range 2 + d.IntN(4) {
		p := placed{router: router{name: fmt.Sprint("r", i), rule: d.of([]string{"Host(`a.example`)", "HostRegexp(`.+`)", "Host(`b.example`)", "PathPrefix(`/`)"})}}
		p.priority, p.tls = 1+d.IntN(1000), d.IntN(3) == 0
		for _, e := range entryPoints {
			if d.IntN(3) == 0 {
				p.on = append(p.on, e.Name)
			}
		}
		if d.IntN(8) == 0 {
			p.on = append(p.on, "none")
		}
		all = append(all, p)
	}
	return all
}

// theirEntryPoint is what Traefik routes by an entry point, with TLS or without. The
// defaults are filled in here as its getDefaultsEntrypoints and applyModel do, which are
// not exported.
func theirEntryPoint(t *testing.T, static traefik.Static, routers []placed, name string, tls bool) theirs {
	t.Helper()
	conf := dynamic.Configuration{HTTP: &dynamic.HTTPConfiguration{Routers: map[string]*dynamic.Router{}}}
	byName := map[string]placed{}
	var names []string
	for _, e := range static.EntryPoints {
		names = append(names, e.Name)
		for _, p := range routers {
			on := p.on
			if len(on) == 0 {
				on = defaultsOf(static)
			}
			if !slices.Contains(on, e.Name) {
				continue
			}
			r := &dynamic.Router{EntryPoints: []string{e.Name}}
			if p.tls || e.TLS {
				r.TLS = &dynamic.RouterTLSConfig{}
			}
			conf.HTTP.Routers[e.Name+"-"+p.name], byName[e.Name+"-"+p.name] = r, p
		}
	}
	var used []router
	for found := range runtime.NewConfig(conf).GetRoutersByEntryPoints(t.Context(), names, tls)[name] {
		used = append(used, byName[found].router)
	}
	side, refused := newTheirs(t, used...)
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	return side
}

func defaultsOf(static traefik.Static) []string {
	var chosen, all []string
	for _, e := range static.EntryPoints {
		if e.AsDefault {
			chosen = append(chosen, e.Name)
		}
		if e.Name != "traefik" {
			all = append(all, e.Name)
		}
	}
	if chosen != nil {
		return chosen
	}
	return all
}

func tableOf(t *testing.T, static traefik.Static, routers []placed) *rule.Table[string] {
	t.Helper()
	var entries []rule.Entry[string]
	for _, p := range routers {
		parsed, err := rule.Parse(p.rule, "")
		if err != nil {
			t.Fatal(err)
		}
		r := traefik.Router{Name: p.name, EntryPoints: p.on, TLS: p.tls}
		ways := static.Ways(r)
		if len(ways) == 0 {
			continue // Traefik leaves it out
		}
		entries = append(entries, rule.Entry[string]{Rule: parsed, Router: p.name, Priority: p.priority, TLS: p.tls, Ways: ways, Value: p.name})
	}
	return rule.NewTable(entries)
}
