package traefik

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

// PublishedPrefix is what a published router puts before the path of requests that go
// to Paastis, followed by the publication's name.
const PublishedPrefix = "/.paastis/"

// Publication is a router that Paastis publishes.
type Publication struct {
	Name     string
	Labels   Labels
	Router   Router
	Provider string
	Servers  []string
	Foreign  string
	Awake    bool
	Turn     uint64
}

// PublishedService is the name of a publication's service in Traefik's API.
func PublishedService(name string) string { return name + "@http" }

// IsTurn tells that a server's URL is that of Paastis, as published in a turn.
func IsTurn(serverURL string, turn uint64) bool {
	u, err := url.Parse(serverURL)
	return err == nil && u.Path == "/"+strconv.FormatUint(turn, 10)
}

// Publish makes the configuration as JSON.
func Publish(publications []Publication, self, middleware string) []byte {
	type m = map[string]any
	routers, services, middlewares := m{}, m{}, m{}
	for _, p := range publications {
		priority := p.Router.Priority
		if priority == 0 {
			priority = len(p.Router.Rule)
		}
		router := m{"rule": p.Router.Rule, "priority": priority + 1, "service": p.Name}
		if p.Router.EntryPoints != nil {
			router["entryPoints"] = p.Router.EntryPoints
		}
		servers := []m{}
		for _, s := range p.Servers {
			servers = append(servers, m{"url": s})
		}
		if !p.Awake {
			servers = []m{{"url": fmt.Sprintf("%s/%d", self, p.Turn)}}
			mark := fmt.Sprintf("paastis-%s", p.Name)
			router["middlewares"] = []string{mark}
			middlewares[mark] = m{"addPrefix": m{"prefix": PublishedPrefix + p.Name}}
		}
		routers[p.Name] = router
		services[p.Name] = m{"loadBalancer": m{"servers": servers}}
	}
	http := m{}
	for k, v := range map[string]m{"routers": routers, "services": services, "middlewares": middlewares} {
		if len(v) > 0 {
			http[k] = v
		}
	}
	body, _ := json.Marshal(m{"http": http})
	return body
}
