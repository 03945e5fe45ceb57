package agreement

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/paastis/paastis/traefik"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/config/label"
	"github.com/traefik/traefik/v3/pkg/provider"
)

const containerName = "/shop_web.1"

var labelSets = []map[string]string{
	{},
	{"traefik.enable": "true"},
	{"traefik.enable": "yes"},
	{"traefik.enable": ""},
	{"Traefik.enable": "true"},
	{"TRAEFIK.HTTP.ROUTERS.A.RULE": "Host(`a`)"},
	{"traefik.HTTP.Routers.Web.Rule": "Host(`a`)"},
	{"traefik.http.routers.web.rule": "Host(`a`)", "traefik.http.routers.WEB.priority": "7"},
	{"traefik.http.routers.web.rule": "Host(`a`)", "traefik.http.routers.web.Rule": "Host(`b`)"},
	{"traefik.http.routers.web.rule": ""},
	{"traefik.http.routers.web": "x"},
	{"traefik.http.routers": "x"},
	{"traefik.http": "x"},
	{"traefik": "x"},
	{"traefik.http.routers.web.priority": "high"},
	{"traefik.http.routers.web.priority": "-3"},
	{"traefik.http.routers.web.priority": ""},
	{"traefik.http.routers.web.priority": "99999999999999999999"},
	{"traefik.http.routers.web.priority": "1.5"},
	{"traefik.http.routers.web.entrypoints": " web , websecure,, "},
	{"traefik.http.routers.web.entrypoints": ""},
	{"traefik.http.routers.web.middlewares": "a,b@file"},
	{"traefik.http.routers.web.middlewares[0]": "a", "traefik.http.routers.web.middlewares[1]": "b"},
	{"traefik.http.routers.web.tls": "true"},
	{"traefik.http.routers.web.tls": "false"},
	{"traefik.http.routers.web.tls": ""},
	{"traefik.http.routers.web.tls": "TRUE"},
	{"traefik.http.routers.web.tls": "maybe"},
	{"traefik.http.routers.web.tls.certresolver": "le"},
	{"traefik.http.routers.web.tls": "false", "traefik.http.routers.web.tls.certresolver": "le"},
	{"traefik.http.routers.web.tls.domains[0].main": "a.example", "traefik.http.routers.web.tls.domains[0].sans": "b.example,c.example"},
	{"traefik.http.routers.web.tls.domains.main": "a.example"},
	{"traefik.http.routers.web.tls.options.x": "a"},
	{"traefik.http.routers.web.rule.x": "a"},
	{"traefik.http.routers.web.rulesyntax": "v2"},
	{"traefik.http.routers.web.observability.accesslogs": "false"},
	{"traefik.http.routers.a].rule": "Host(`a`)"},
	{"traefik.http.routers.a[0].rule": "Host(`a`)"},
	{"traefik.http.routers.[0].rule": "Host(`a`)"},
	{"traefik.http.routers..rule": "Host(`a`)"},
	{"traefik..routers.a.rule": "Host(`a`)"},
	{"traefik.http.routers.a.rule.": "Host(`a`)"},
	{"traefik.http.routers.a.b.rule": "Host(`a`)"},
	{"traefik.http.routers.web.service": "api", "traefik.http.services.api.loadbalancer.server.port": "80"},
	{"traefik.http.routers.web.rule": "Host(`a`)", "traefik.http.services.api.loadbalancer.server.port": "80"},
	{"traefik.http.routers.web.rule": "Host(`a`)", "traefik.http.services.api.loadbalancer.server.port": "80", "traefik.http.services.b.loadbalancer.server.port": "81"},
	{"traefik.http.services.api.loadbalancer.server.port": "80", "traefik.http.services.b.loadbalancer.server.port": "81"},
	{"traefik.http.services.api.loadbalancer.server.port": "http"},
	{"traefik.http.services.api.loadbalancer.server.url": "http://web:80"},
	{"traefik.http.services.api.loadbalancer.server": "x"},
	{"traefik.http.services.api.loadbalancer": "x"},
	{"traefik.http.services.api": "x"},
	{"traefik.http.services.api.loadbalancer.healthcheck.path": "/health"},
	{"traefik.http.services.api.loadbalancer.sticky": "true"},
	{"traefik.http.services.api.weighted.services[0].name": "a", "traefik.http.services.api.weighted.services[0].weight": "3"},
	{"traefik.http.services.api.mirroring.service": "a"},
	{"traefik.http.middlewares.paastis.forwardauth.address": "http://paastis:3000/auth"},
	{"traefik.http.middlewares.paastis.forwardauth.trustforwardheader": "true"},
	{"traefik.http.middlewares.all.chain.middlewares": "paastis,auth@file"},
	{"traefik.http.middlewares.auth.basicauth.users": "a:b"},
	{"traefik.http.middlewares.plug.plugin.x.y": "z"},
	{"traefik.tcp.routers.db.rule": "HostSNI(`*`)"},
	{"traefik.tcp.routers.db.rule": "HostSNI(`*`)", "traefik.http.routers.web.rule": "Host(`a`)"},
	{"traefik.udp.services.dns.loadbalancer.server.port": "53"},
	{"traefik.tcp.middlewares.x.inflightconn.amount": "3"},
	{"com.docker.compose.project": "shop", "com.docker.compose.service": "web"},
	{"com.docker.compose.project": "shop", "com.docker.compose.service": ""},
	{"com.docker.compose.project": "shop", "com.docker.compose.service": "web", "traefik.http.routers.x.priority": "3"},
	{"unrelated": "x", "traefikfoo.bar": "x"},
}

func TestBothSidesReadTheSameRoutersFromLabels(t *testing.T) {
	t.Parallel()
	for _, labels := range labelSets {
		compareLabels(t, labels)
	}
}

func TestBothSidesReadTheSameRoutersFromRandomLabels(t *testing.T) {
	t.Parallel()
	d := dice{rand.New(rand.NewPCG(20, 26))}
	var all []string
	values := make(map[string][]string)
	for _, set := range labelSets {
		for name, value := range set {
			all, values[name] = append(all, name), append(values[name], value)
		}
	}
	slices.Sort(all)
	for range 20_000 {
		labels := make(map[string]string)
		for range 1 + d.IntN(5) {
			name := d.of(all)
			labels[name] = d.of(values[name])
		}
		compareLabels(t, labels)
	}
}

// compareLabels lets Paastis read labels that Traefik refuses, if they are none that
// it needs, but not the other way round.
func compareLabels(t *testing.T, labels map[string]string) {
	t.Helper()
	they, theyRefuse := theirRouters(labels)
	we, weRefuse := ourRouters(labels)
	if theyRefuse == nil && weRefuse != nil {
		t.Errorf("labels %q: only Paastis refuses: %v", labels, weRefuse)
	}
	if theyRefuse == nil && !reflect.DeepEqual(they, we) {
		t.Errorf("labels %q:\n\tTraefik reads %+v\n\tPaastis reads %+v", labels, they, we)
	}
}

// theirRouters is what Traefik's Docker provider does, whose own steps are not exported.
func theirRouters(labels map[string]string) (routers map[string]traefik.Router, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%v", cause)
		}
	}()
	var enable struct{ Enable bool }
	if err := label.Decode(labels, &enable, "traefik.enable"); err != nil {
		return nil, err
	}
	conf, err := label.DecodeConfiguration(labels)
	if err != nil {
		return nil, err
	}
	http := conf.HTTP
	for _, service := range http.Services {
		if err := addServer(service.LoadBalancer); err != nil {
			return nil, err
		}
	}
	other := len(conf.TCP.Routers) + len(conf.TCP.Services) + len(conf.UDP.Routers) + len(conf.UDP.Services)
	if other == 0 || len(http.Routers)+len(http.Services)+len(http.Middlewares) > 0 {
		complete(http, labels)
	}
	routers = make(map[string]traefik.Router)
	for name, r := range http.Routers {
		routers[name] = traefik.Router{
			Name: name, Rule: r.Rule, RuleSyntax: r.RuleSyntax, Priority: r.Priority,
			EntryPoints: r.EntryPoints, Middlewares: r.Middlewares, Service: r.Service, TLS: r.TLS != nil,
		}
	}
	return routers, nil
}

func addServer(balancer *dynamic.ServersLoadBalancer) error {
	if balancer == nil || len(balancer.Servers) == 0 {
		return nil
	}
	if server := balancer.Servers[0]; server.URL != "" && (server.Scheme != "" || server.Port != "") {
		return errors.New("defining scheme or port is not allowed when URL is defined")
	}
	return nil
}

func complete(http *dynamic.HTTPConfiguration, labels map[string]string) {
	name := containerName
	if service, project := labels["com.docker.compose.service"], labels["com.docker.compose.project"]; service != "" && project != "" {
		name = service + "_" + project
	}
	name = provider.Normalize(name)
	if len(http.Services) == 0 {
		http.Services = map[string]*dynamic.Service{name: {}}
	}
	rule, err := provider.MakeDefaultRuleTemplate(traefik.DefaultRule, nil)
	if err != nil {
		panic(err)
	}
	provider.BuildRouterConfiguration(context.Background(), http, name, rule, struct{ Name string }{name})
}

func ourRouters(labels map[string]string) (map[string]traefik.Router, error) {
	decoded, err := traefik.Decode(maps.Clone(labels))
	if err != nil {
		return nil, err
	}
	decoded, _ = decoded.WithDefaults(containerName, containerName, nil) // its error is about routers left out
	routers := make(map[string]traefik.Router)
	for _, r := range decoded.Routers {
		routers[r.Name] = traefik.Router{
			Name: r.Name, Rule: r.Rule, RuleSyntax: r.RuleSyntax, Priority: r.Priority,
			EntryPoints: r.EntryPoints, Middlewares: r.Middlewares, Service: r.Service, TLS: r.TLS,
		}
	}
	return routers, nil
}
