package dynamic_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/dynamic"
)

func TestNothingIsPublishedAsAnEmptyConfiguration(t *testing.T) {
	t.Parallel()
	check(t, "configuration", strings.TrimSpace(string(dynamic.Publish(nil, "http://paastis:3000", "paastis"))), "{}")
}

func TestAwakeAppIsPublishedWithItsServers(t *testing.T) {
	t.Parallel()
	checkPublished(t, publication(t, map[string]string{
		"rule":        "Host(`shop.example`) && PathPrefix(`/`)",
		"entrypoints": "web,websecure",
		"middlewares": "auth@file,paastis",
	}), `{"http": {
		"routers": {"shop": {
			"rule": "Host(`+"`shop.example`) && PathPrefix(`/`"+`)",
			"priority": 40,
			"entryPoints": ["web", "websecure"],
			"middlewares": ["auth@file"],
			"service": "shop"
		}},
		"services": {"shop": {"loadBalancer": {"servers": [{"url": "http://shop-1:80"}, {"url": "http://shop-2:80"}]}}}
	}}`)
}

func TestRequestsGoToPaastisWhileTheAppIsNotAwakeWithThePathToldApart(t *testing.T) {
	t.Parallel()
	want := `{"http": {
		"routers": {"shop": {
			"rule": "Path(` + "`/`" + `)",
			"priority": 10,
			"middlewares": ["strip", "paastis-shop"],
			"service": "shop"
		}},
		"services": {"shop": {"loadBalancer": {"servers": [{"url": "http://paastis:3000"}], "passHostHeader": true}}},
		"middlewares": {
			"strip": {"stripPrefix": {"prefixes": ["/a", "/b"]}},
			"paastis-shop": {"addPrefix": {"prefix": "/.paastis/shop"}}
		}
	}}`
	labels := map[string]string{
		"rule":        "Path(`/`)",
		"middlewares": "paastis@file,strip",
		"traefik.http.middlewares.strip.stripprefix.prefixes":       "/a, /b",
		"traefik.http.services.api.loadbalancer.healthcheck.path":   "/health",
		"traefik.http.services.api.loadbalancer.sticky.cookie.name": "id",
		"traefik.http.services.api.loadbalancer.serverstransport":   "mtls",
		"traefik.http.services.api.loadbalancer.passhostheader":     "false",
		"traefik.http.middlewares.unused.basicauth.users":           "me:hash",
		"traefik.http.middlewares.paastis.forwardauth.address":      "http://paastis:3000/auth",
		"traefik.http.services.api.loadbalancer.server.port":        "80",
		"traefik.http.services.other.loadbalancer.server.port":      "81",
		"traefik.http.routers.another.rule":                         "Host(`another.example`)",
		"traefik.http.routers.another.service":                      "other",
		"service":                                                   "api",
	}
	p := publication(t, labels)
	p.Awake = false
	checkPublished(t, p, want)
	p.Awake, p.Servers = true, nil
	checkPublished(t, p, want)
}

func TestRoutersArePublishedAsLabelsSay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		labels map[string]string
		want   string // fields of the router
	}{
		{"rule syntax", map[string]string{"rulesyntax": "v2"}, `"ruleSyntax": "v2"`},
		{"entry points", map[string]string{"entrypoints": "web"}, `"entryPoints": ["web"]`},
		{"TLS", map[string]string{"tls": "true"}, `"tls": {}`},
		{"no TLS", map[string]string{"tls": "false", "tls.certresolver": "le"}, ``},
		{"certificates", map[string]string{
			"tls.certresolver": "le", "tls.domains[0].main": "a.example", "tls.domains[0].sans": "b.example, c.example",
		}, `"tls": {"certResolver": "le", "domains": [{"main": "a.example", "sans": ["b.example", "c.example"]}]}`},
		{"TLS options of the app's provider", map[string]string{"tls.options": "strict"}, `"tls": {"options": "strict@docker"}`},
		{"TLS options of another provider", map[string]string{"tls.options": "strict@file"}, `"tls": {"options": "strict@file"}`},
		{"default TLS options", map[string]string{"tls.options": "default"}, `"tls": {"options": "default"}`},
		{"observability", map[string]string{
			"observability.accesslogs": "false", "observability.tracing": "T", "observability.traceverbosity": "detailed",
		}, `"observability": {"accessLogs": false, "tracing": true, "traceVerbosity": "detailed"}`},
		{"what Traefik does not know", map[string]string{
			"foo": "1", "observability.metrics": "perhaps", "observability.foo": "1",
			"tls": "true", "tls.foo": "1", "tls.domains[0].foo": "1",
		}, `"tls": {"domains": [{}]}`},
		{"no name twice", map[string]string{"TLS.Options": "a@file", "tls.certResolver": "le"}, `"tls": {"options": "a@file", "certResolver": "le"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := `{"rule": "Host(` + "`shop.example`" + `)", "priority": 21, "service": "shop"`
			if test.want != "" {
				want += ", " + test.want
			}
			checkPart(t, publication(t, test.labels), "routers", `{"shop": `+want+`}}`)
		})
	}
}

func TestPriorityIsJustAboveThatOfTheLabels(t *testing.T) {
	t.Parallel()
	for priority, want := range map[int]int{
		7: 8, 0: 21, -1: 1, -2: -1, math.MaxInt - 1001: math.MaxInt - 1000, math.MaxInt - 1000: math.MaxInt - 1000,
		math.MaxInt - 1: math.MaxInt - 1000, math.MaxInt: math.MaxInt - 1000,
	} {
		p := publication(t, map[string]string{"priority": fmt.Sprint(priority)})
		checkPart(t, p, "routers", fmt.Sprintf(
			`{"shop": {"rule": "Host(%s)", "priority": %d, "service": "shop"}}`, "`shop.example`", want))
	}
}

func TestRouterThatTheLabelsDoNotKnowIsPublished(t *testing.T) {
	t.Parallel()
	checkPublished(t, dynamic.Publication{
		Name:    "shop",
		Router:  traefik.Router{Name: "shop", Rule: "Host(`a`)", Service: "shop", TLS: true, Middlewares: []string{"auth@file", "b"}},
		Servers: []string{"http://shop:80"},
		Awake:   true,
	}, `{"http": {
		"routers": {"shop": {
			"rule": "Host(`+"`a`"+`)", "priority": 10, "middlewares": ["auth@file", "b"], "service": "shop", "tls": {}
		}},
		"services": {"shop": {"loadBalancer": {"servers": [{"url": "http://shop:80"}]}}}
	}}`)
}

func TestServicesArePublishedAsLabelsSay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		labels map[string]string
		want   string // of the load balancer, beside a server
		server string // of the server, beside its URL
	}{
		{"nothing but a port", map[string]string{"server.port": "80", "server.scheme": "https"}, ``, ``},
		{"what is told of its servers", map[string]string{"server.weight": "3", "server.preservepath": "true"}, ``,
			`"weight": 3, "preservePath": true`},
		{"sticky", map[string]string{"sticky": "true"}, `"sticky": {}`, ``},
		{"cookie", map[string]string{"sticky.cookie": "true"}, `"sticky": {"cookie": {}}`, ``},
		{"cookie of a name", map[string]string{"sticky.cookie.name": "id", "sticky.cookie.httponly": "true", "sticky.cookie.maxage": "42"},
			`"sticky": {"cookie": {"name": "id", "httpOnly": true, "maxAge": 42}}`, ``},
		{"health check", map[string]string{
			"healthcheck.path": "/health", "healthcheck.interval": "5s", "healthcheck.timeout": "3", "healthcheck.port": "81",
			"healthcheck.headers.X-A.b": "1", "healthcheck.headers.X-C": "",
		}, `"healthCheck": {"path": "/health", "interval": "5s", "timeout": "3", "port": 81, "headers": {"X-A.b": "1", "X-C": ""}}`, ``},
		{"transport of the app's provider", map[string]string{"serverstransport": "mtls"}, `"serversTransport": "mtls@docker"`, ``},
		{"transport of another provider", map[string]string{"serverstransport": "mtls@file"}, `"serversTransport": "mtls@file"`, ``},
		{"the rest", map[string]string{
			"passhostheader": "false", "responseforwarding.flushinterval": "10ms", "strategy": "p2c",
			"passivehealthcheck.failurewindow": "3s", "passivehealthcheck.maxfailedattempts": "2",
		}, `"passHostHeader": false, "responseForwarding": {"flushInterval": "10ms"}, "strategy": "p2c",
			"passiveHealthCheck": {"failureWindow": "3s", "maxFailedAttempts": 2}`, ``},
		{"what Traefik cannot read", map[string]string{
			"foo": "1", "passhostheader": "maybe", "healthcheck.interval": "xyz", "healthcheck.port": "", "sticky.cookie.maxage": "long",
			"server.weight": "heavy", "server.foo": "1", "responseforwarding": "1", "strategy.a": "b",
		}, `"sticky": {"cookie": {}}`, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			labels := map[string]string{"service": "api", "traefik.http.services.api.weighted.sticky": "true"}
			for label, value := range test.labels {
				labels["traefik.http.services.api.loadbalancer."+label] = value
			}
			p := publication(t, labels)
			p.Servers = []string{"http://shop:80"}
			want := `"servers": [{` + joined(`"url": "http://shop:80"`, test.server) + `}]`
			checkPart(t, p, "services", `{"shop": {"loadBalancer": {`+joined(want, test.want)+`}}}`)
		})
	}
}

func TestServersThatKnowTheirOwnHostAloneAreAskedForThatUnlessLabelsSayOtherwise(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]string{"": "false", "true": "true", "false": "false"} {
		labels := map[string]string{"service": "api", "traefik.http.services.api.loadbalancer.server.port": "80"}
		if label != "" {
			labels["traefik.http.services.api.loadbalancer.passhostheader"] = label
		}
		p := publication(t, labels)
		p.Servers, p.OwnHost = []string{"https://shop.example.com"}, true
		checkPart(t, p, "services", `{"shop": {"loadBalancer": {"servers": [{"url": "https://shop.example.com"}], "passHostHeader": `+want+`}}}`)
		p.Awake = false
		checkPart(t, p, "services", `{"shop": {"loadBalancer": {"servers": [{"url": "http://paastis:3000"}], "passHostHeader": true}}}`)
	}
}

func TestPaastisIsAskedByItsOwnHostWhereItsCertificateCounts(t *testing.T) {
	t.Parallel()
	p := publication(t, map[string]string{"traefik.http.services.api.loadbalancer.passhostheader": "true"})
	p.Awake = false
	for self, want := range map[string]string{
		"https://paastis.platform.test": `{"shop": {"loadBalancer": {"servers": [{"url": "https://paastis.platform.test"}], "passHostHeader": false}}}`,
		"http://paastis:3000":           `{"shop": {"loadBalancer": {"servers": [{"url": "http://paastis:3000"}], "passHostHeader": true}}}`,
	} {
		var got struct {
			HTTP struct{ Services json.RawMessage }
		}
		if err := json.Unmarshal(dynamic.Publish([]dynamic.Publication{p}, self, "paastis"), &got); err != nil {
			t.Fatal(err)
		}
		check(t, self, compact(t, got.HTTP.Services), compact(t, []byte(want)))
	}
}

func TestAppOfHTTP2WithoutTLSReachesPaastisSo(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]string{
		"scheme": "h2c://paastis:3000",
		"url":    "h2c://paastis:3000",
		"port":   "http://paastis:3000",
	} {
		value := map[string]string{"scheme": "h2c", "url": "h2c://shop:80", "port": "80"}[label]
		p := publication(t, map[string]string{"traefik.http.services.api.loadbalancer.server." + label: value})
		p.Awake = false
		checkPart(t, p, "services",
			`{"shop": {"loadBalancer": {"servers": [{"url": "`+want+`"}], "passHostHeader": true}}}`)
	}
}

// TestNobodyWaitsForPaastisOverHTTP2: there Traefik's retry loses the status of an answer.
func TestNobodyWaitsForPaastisOverHTTP2(t *testing.T) {
	for scheme, want := range map[string][]string{
		"h2c": {"auth@file", "paastis-shop"}, "http": {"auth@file", "paastis.patient", "paastis-shop"}, "https": {"auth@file", "paastis.patient", "paastis-shop"},
	} {
		shop := publication(t, map[string]string{"middlewares": "auth@file", "traefik.http.services.api.loadbalancer.server.url": scheme + "://shop:80"})
		shop.Awake, shop.Patient = false, true
		check(t, scheme, published(t, shop).HTTP.Routers["shop"].Middlewares, want)
	}
}

func TestRequestsMayWaitForPaastisWhileItRestarts(t *testing.T) {
	shop := publication(t, map[string]string{"middlewares": "auth@file"})
	shop.Awake, shop.Mark, shop.Patient = false, "secret.shop", true
	got := published(t, shop)
	check(t, "middlewares", got.HTTP.Routers["shop"].Middlewares, []string{"auth@file", "paastis.patient", "paastis-shop"})
	check(t, "copies", compact(t, got.HTTP.Middlewares),
		`{"paastis-shop":{"addPrefix":{"prefix":"/.paastis/secret.shop"}},"paastis.patient":{"retry":{"attempts":20,"initialInterval":"300ms"}}}`)
	shop.Awake = true
	check(t, "middlewares while awake", published(t, shop).HTTP.Routers["shop"].Middlewares, []string{"auth@file"})
}

func TestServiceOfSomebodyElseIsUsedWhileAwake(t *testing.T) {
	t.Parallel()
	p := publication(t, map[string]string{"service": "x@file"})
	p.Foreign, p.Servers = "x@file", nil
	rule := `"rule": "Host(` + "`shop.example`" + `)", "priority": 21`
	checkPublished(t, p, `{"http": {"routers": {"shop": {`+rule+`, "service": "x@file"}}}}`)
	p.Awake = false
	checkPart(t, p, "routers", `{"shop": {`+rule+`, "middlewares": ["paastis-shop"], "service": "shop"}}`)
}

func TestMiddlewaresAreCopiedFromTheLabelsOfAnyPublication(t *testing.T) {
	t.Parallel()
	shop := publication(t, map[string]string{"middlewares": "auth,paastis,limit@docker,own@file,nobodys"})
	other := publication(t, map[string]string{
		"traefik.http.middlewares.auth.basicauth.users":                        "me:a, you:b",
		"traefik.http.middlewares.limit.ratelimit.average":                     "10",
		"traefik.http.middlewares.limit.ratelimit.sourcecriterion.requesthost": "true",
		"traefik.http.middlewares.own.addprefix.prefix":                        "/x",
	})
	other.Name = "other"
	got := published(t, shop, other)
	check(t, "middlewares of shop", got.HTTP.Routers["shop"].Middlewares,
		[]string{"auth", "limit", "own@file", "nobodys@docker"})
	check(t, "copies", compact(t, got.HTTP.Middlewares), compact(t, []byte(`{
		"auth": {"basicAuth": {"users": ["me:a", "you:b"]}},
		"limit": {"rateLimit": {"average": 10, "sourceCriterion": {"requestHost": true}}}
	}`)))
}

func TestFirstOfTwoDefinitionsOfAMiddlewareWins(t *testing.T) {
	t.Parallel()
	var all []dynamic.Publication
	for _, name := range []string{"b", "c", "a"} {
		p := publication(t, map[string]string{
			"middlewares": "pre", "traefik.http.middlewares.pre.addprefix.prefix": "/" + name,
		})
		p.Name = name
		all = append(all, p)
	}
	got := published(t, all...)
	check(t, "copies", compact(t, got.HTTP.Middlewares), `{"pre":{"addPrefix":{"prefix":"/a"}}}`)
}

func TestMiddlewareOfAnotherProviderIsNotTakenForOneOfTheAppsOwn(t *testing.T) {
	t.Parallel()
	shop := publication(t, map[string]string{"middlewares": "auth,auth@swarm"})
	other := publication(t, map[string]string{"traefik.http.middlewares.auth.basicauth.users": "me:a"})
	other.Name, other.Provider = "other", "swarm"
	got := published(t, shop, other)
	check(t, "middlewares of shop", got.HTTP.Routers["shop"].Middlewares, []string{"auth@docker", "auth"})
}

func TestMiddlewareThatCannotBeCopiedInFullIsLeftToTraefik(t *testing.T) {
	t.Parallel()
	for _, labels := range []map[string]string{
		{"basicauth.users": "me:a", "basicauth.relam": "typo"},
		{"basicauth.users": "me:a", "basicauth.removeheader": "maybe"},
		{"basicauth.users": "me:a", "addprefix.prefix": "/two-kinds"},
		{"newkind.of": "middleware"},
		{"compress": "false"},
		{"headers.customrequestheaders": "x"},
		{"headers.customrequestheaders." + strings.Repeat("x", 1100): "1"},
		{"plugin.geo.list[0]": "║"},
		{"plugin.geo" + strings.Repeat(".a", 200): "1"},
		{"stripprefix.prefixes": "/a║/b"},
	} {
		all := map[string]string{"middlewares": "mine"}
		for label, value := range labels {
			all["traefik.http.middlewares.mine."+label] = value
		}
		got := published(t, publication(t, all))
		check(t, fmt.Sprint(labels), got.HTTP.Routers["shop"].Middlewares, []string{"mine@docker"})
		check(t, fmt.Sprint(labels), string(got.HTTP.Middlewares), "")
	}
}

func TestChainsAreCopiedWithoutPaastis(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		chains map[string]string
		uses   string
		want   []string
		copies string
	}{
		{"some are left", map[string]string{"all": "auth@file,paastis,pre"}, "all", []string{"all"},
			`{"all": {"chain": {"middlewares": ["auth@file", "pre"]}}, "pre": {"addPrefix": {"prefix": "/x"}}}`},
		{"none is left", map[string]string{"all": "paastis"}, "all,pre", []string{"pre"}, `{"pre": {"addPrefix": {"prefix": "/x"}}}`},
		{"there was none", map[string]string{"all": ""}, "all", nil, ``},
		{"none is left at any depth", map[string]string{"all": "some,paastis@docker", "some": "more,more", "more": "paastis"}, "all", nil, ``},
		{"chain in a chain", map[string]string{"all": "some,none", "some": "pre,paastis", "none": "paastis"}, "all", []string{"all"},
			`{"all": {"chain": {"middlewares": ["some"]}}, "some": {"chain": {"middlewares": ["pre"]}}, "pre": {"addPrefix": {"prefix": "/x"}}}`},
		{"circle", map[string]string{"all": "some,paastis", "some": "all"}, "all", []string{"all"},
			`{"all": {"chain": {"middlewares": ["some"]}}, "some": {"chain": {"middlewares": ["all"]}}}`},
		{"itself", map[string]string{"all": "all,paastis"}, "all", []string{"all"}, `{"all": {"chain": {"middlewares": ["all"]}}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			labels := map[string]string{"middlewares": test.uses, "traefik.http.middlewares.pre.addprefix.prefix": "/x"}
			for name, links := range test.chains {
				labels["traefik.http.middlewares."+name+".chain.middlewares"] = links
			}
			got := published(t, publication(t, labels))
			check(t, "middlewares", got.HTTP.Routers["shop"].Middlewares, test.want)
			check(t, "copies", compact(t, got.HTTP.Middlewares), compact(t, []byte(test.copies)))
		})
	}
}

func TestErrorPagesAreTakenFromTheServiceThatTheLabelsMean(t *testing.T) {
	t.Parallel()
	for service, want := range map[string]string{"pages": "pages@docker", "pages@file": "pages@file"} {
		got := published(t, publication(t, map[string]string{
			"middlewares": "oops",
			"traefik.http.middlewares.oops.errors.service":            service,
			"traefik.http.middlewares.oops.errors.status":             "404,500-599",
			"traefik.http.middlewares.oops.errors.statusrewrites.418": "404",
		}))
		check(t, "copies", compact(t, got.HTTP.Middlewares), compact(t, []byte(
			`{"oops": {"errors": {"service": "`+want+`", "status": ["404", "500-599"], "statusRewrites": {"418": 404}}}}`)))
	}
}

func TestErrorPagesAreTakenFromThePublishedServiceWhichStays(t *testing.T) {
	t.Parallel()
	shop := publication(t, map[string]string{
		"middlewares": "oops", "traefik.http.middlewares.oops.errors.service": "web@docker", "traefik.http.middlewares.oops.errors.status": "404",
	})
	pages := publication(t, map[string]string{"service": "web", "traefik.http.services.web.loadbalancer.server.port": "80"})
	pages.Name, pages.Awake = "pages", false
	got := published(t, shop, pages)
	check(t, "copies", compact(t, got.HTTP.Middlewares), compact(t, []byte(`{
		"oops": {"errors": {"service": "pages", "status": ["404"]}}, "paastis-pages": {"addPrefix": {"prefix": "/.paastis/pages"}}
	}`)))
	pages.Awake, pages.Foreign = true, "x@file"
	got = published(t, shop, pages)
	check(t, "copies", compact(t, got.HTTP.Middlewares), `{"oops":{"errors":{"service":"web@docker","status":["404"]}}}`)
}

func TestNothingTakesThePlaceOfWhatPaastisAnswers(t *testing.T) {
	t.Parallel()
	labels := map[string]string{
		"middlewares": "oops,all,auth,fuse,none",
		"traefik.http.middlewares.all.chain.middlewares":          "some,auth",
		"traefik.http.middlewares.some.chain.middlewares":         "oops,auth",
		"traefik.http.middlewares.none.chain.middlewares":         "oops,paastis,fuse",
		"traefik.http.middlewares.oops.errors.service":            "pages@file",
		"traefik.http.middlewares.fuse.circuitbreaker.expression": "NetworkErrorRatio() > 0.5",
		"traefik.http.middlewares.auth.basicauth.users":           "me:a",
	}
	awake, asleep := publication(t, labels), publication(t, labels)
	asleep.Name, asleep.Awake = "asleep", false
	got := published(t, awake, asleep)
	check(t, "middlewares while awake", got.HTTP.Routers["shop"].Middlewares, []string{"oops", "all", "auth", "fuse", "none"})
	check(t, "middlewares while asleep", got.HTTP.Routers["asleep"].Middlewares, []string{"paastis:all", "auth", "paastis-asleep"})
	check(t, "copies", compact(t, got.HTTP.Middlewares), compact(t, []byte(`{
		"all": {"chain": {"middlewares": ["some", "auth"]}},
		"some": {"chain": {"middlewares": ["oops", "auth"]}},
		"none": {"chain": {"middlewares": ["oops", "fuse"]}},
		"paastis:all": {"chain": {"middlewares": ["paastis:some", "auth"]}},
		"paastis:some": {"chain": {"middlewares": ["auth"]}},
		"oops": {"errors": {"service": "pages@file"}},
		"fuse": {"circuitBreaker": {"expression": "NetworkErrorRatio() > 0.5"}},
		"auth": {"basicAuth": {"users": ["me:a"]}},
		"paastis-asleep": {"addPrefix": {"prefix": "/.paastis/asleep"}}
	}`)))
}

func TestMiddlewareNamedLikeOneOfPaastisIsNotCopied(t *testing.T) {
	t.Parallel()
	p := publication(t, map[string]string{
		"middlewares": "paastis-shop", "traefik.http.middlewares.paastis-shop.addprefix.prefix": "/.paastis/admin",
	})
	p.Awake = false
	got := published(t, p)
	check(t, "middlewares", got.HTTP.Routers["shop"].Middlewares, []string{"paastis-shop@docker", "paastis-shop"})
	check(t, "copies", compact(t, got.HTTP.Middlewares), `{"paastis-shop":{"addPrefix":{"prefix":"/.paastis/shop"}}}`)
}

func TestLabelsThatTraefikCannotReadAreToldAndTheOthersPublished(t *testing.T) {
	t.Parallel()
	labels := decode(t, map[string]string{
		"traefik.http.routers.shop.rule":                        "Host(`a`)",
		"traefik.http.routers.shop.middlwares":                  "typo",
		"traefik.http.routers.shop.tls.domains[1].foo":          "1",
		"traefik.http.services.api.loadbalancer.passhostheader": "maybe",
		"traefik.http.middlewares.a.ratelimit.period":           "soon",
		"traefik.http.middlewares.a..b":                         "1",
		"traefik.http.middlewares.fine.addprefix.prefix":        "/x",
		"traefik.http.services.other.weighted.services[0].name": "a",
		"traefik.tcp.routers.a.foo":                             "not asked",
	})
	check(t, "unread", labels.InvalidLabels(), []string{
		"traefik.http.middlewares.a..b",
		"traefik.http.middlewares.a.ratelimit.period",
		"traefik.http.routers.shop.middlwares",
		"traefik.http.routers.shop.tls.domains[1].foo",
		"traefik.http.services.api.loadbalancer.passhostheader",
	})
	check(t, "unread of none", traefik.Labels{}.InvalidLabels(), []string(nil))
	check(t, "unread of good ones", decode(t, map[string]string{"traefik.http.routers.a.rule": "Path(`/`)"}).InvalidLabels(), []string(nil))
}

func TestCharactersThatYAMLDoesNotTakeAreEscaped(t *testing.T) {
	t.Parallel()
	p := publication(t, map[string]string{"rule": "Path(`/\u007f\u0085\u009f\ufeff\uffff\u2028é\U0001f600<&>`)"})
	body := string(dynamic.Publish([]dynamic.Publication{p}, "http://paastis:3000", "paastis"))
	if !strings.Contains(body, `/\u007f\u0085\u009f\ufeff\uffff\u2028é`+"\U0001f600<&>") {
		t.Error(body)
	}
	check(t, "rule", published(t, p).HTTP.Routers["shop"].Rule, p.Router.Rule)
}

func TestPublicationOfATooLongNameIsLeftOut(t *testing.T) {
	t.Parallel()
	p := publication(t, nil)
	p.Name = strings.Repeat("x", 1100)
	check(t, "routers", len(published(t, p).HTTP.Routers), 0)
}

func TestSamePublicationsInAnyOrderMakeTheSameBytes(t *testing.T) {
	t.Parallel()
	all := thousand(t)[:50]
	before := make([]dynamic.Publication, len(all))
	copy(before, all)
	want := dynamic.Publish(all, "http://paastis:3000", "paastis")
	check(t, "publications afterwards", all, before)
	d := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if got := dynamic.Publish(all, "http://paastis:3000", "paastis"); !bytes.Equal(got, want) {
			t.Fatalf("got %s\nwant %s", got, want)
		}
	}
}

func TestPublishedServiceIsNamedAsTraefikDoes(t *testing.T) {
	t.Parallel()
	check(t, "name", dynamic.ServiceName("shop"), "shop@http")
}

func BenchmarkPublishThousand(b *testing.B) {
	all := thousand(b)
	b.ReportAllocs()
	for b.Loop() {
		dynamic.Publish(all, "http://paastis:3000", "paastis")
	}
}

// thousand are publications as review apps have them, half of them awake.
func thousand(t testing.TB) []dynamic.Publication {
	all := make([]dynamic.Publication, 1000)
	for i := range all {
		name := fmt.Sprintf("shop-pr%d-front", i)
		all[i] = publication(t, map[string]string{
			"rule":             "Host(`" + name + ".example.com`) && PathPrefix(`/`)",
			"entrypoints":      "websecure",
			"tls.certresolver": "le",
			"middlewares":      "paastis,auth,strip-" + name,
			"traefik.http.middlewares.auth.basicauth.users":                      "me:$apr1$hash",
			"traefik.http.middlewares.strip-" + name + ".stripprefix.prefixes":   "/a,/b",
			"traefik.http.services." + name + ".loadbalancer.server.port":        "3000",
			"traefik.http.services." + name + ".loadbalancer.sticky.cookie.name": "id",
			"traefik.http.services." + name + ".loadbalancer.healthcheck.path":   "/health",
		})
		all[i].Name, all[i].Awake = name, i%2 == 0
	}
	return all
}

// publication is an awake one of a router "shop" with such labels, which are its own
// unless they are written out.
func publication(t testing.TB, labels map[string]string) dynamic.Publication {
	t.Helper()
	full := map[string]string{"traefik.http.routers.shop.rule": "Host(`shop.example`)"}
	for label, value := range labels {
		if !strings.HasPrefix(label, "traefik.") {
			label = "traefik.http.routers.shop." + label
		}
		full[label] = value
	}
	decoded := decode(t, full)
	completed, _ := decoded.WithDefaults("shop", "shop", nil)
	for _, router := range completed.Routers {
		if router.Name == "shop" {
			return dynamic.Publication{
				Name: "shop", Labels: completed, Router: router, Provider: "docker",
				Servers: []string{"http://shop-1:80", "http://shop-2:80"}, Awake: true,
			}
		}
	}
	t.Fatalf("no router in %v", completed.Routers)
	panic("unreachable")
}

type configuration struct {
	HTTP struct {
		Routers map[string]struct {
			Rule        string
			Middlewares []string
		}
		Middlewares json.RawMessage
	}
}

func published(t testing.TB, publications ...dynamic.Publication) configuration {
	t.Helper()
	var c configuration
	if err := json.Unmarshal(dynamic.Publish(publications, "http://paastis:3000", "paastis"), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// checkPublished compares JSON, whatever the order of its fields.
func checkPublished(t testing.TB, p dynamic.Publication, want string) {
	t.Helper()
	body := dynamic.Publish([]dynamic.Publication{p}, "http://paastis:3000", "paastis")
	check(t, "configuration", compact(t, body), compact(t, []byte(want)))
}

// checkPart compares the routers, services or middlewares.
func checkPart(t testing.TB, p dynamic.Publication, part, want string) {
	t.Helper()
	var c struct{ HTTP map[string]json.RawMessage }
	if err := json.Unmarshal(dynamic.Publish([]dynamic.Publication{p}, "http://paastis:3000", "paastis"), &c); err != nil {
		t.Fatal(err)
	}
	check(t, part, compact(t, c.HTTP[part]), compact(t, []byte(want)))
}

// compact writes JSON in one way only. Nothing stays nothing.
func compact(t testing.TB, body []byte) string {
	t.Helper()
	if len(body) == 0 {
		return ""
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	again, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(string(again))
}

func joined(a, b string) string {
	if b == "" {
		return a
	}
	return a + ", " + b
}
