package rule

import (
	"cmp"
	"net/http"
	"strings"
	"testing"

	"github.com/paastis/paastis/traefik"
)

// behind makes a table of routers, "name | rule | middlewares", by which requests get to
// Paastis behind the middlewares that the labels define.
func behind(t *testing.T, labels map[string]string, routers ...string) *Table[string] {
	t.Helper()
	decoded, err := traefik.Decode(labels)
	if err != nil {
		t.Fatal(err)
	}
	catalog := traefik.Catalog{}
	for _, m := range decoded.Middlewares {
		catalog[m.Name+"@docker"] = m
	}
	var entries []Entry[string]
	for _, router := range routers {
		parts := strings.Split(router, " | ")
		rule, err := Parse(parts[1], "")
		if err != nil {
			t.Fatal(err)
		}
		name := "paastis"
		if strings.HasSuffix(parts[2], ",trust") {
			name = "trust"
		}
		rewrites := catalog.Before(strings.Split(parts[2], ","), "docker", name)
		entries = append(entries, Entry[string]{Rule: rule, Router: parts[0], Rewrites: rewrites, Value: parts[0]})
	}
	return NewTable(entries)
}

// asked is Traefik's question about a URL; lines are headers.
func asked(t *testing.T, rawURL string, lines ...string) traefik.Request {
	t.Helper()
	r, err := traefik.FromURL(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// pathMiddlewares are of each kind that changes a request.
var pathMiddlewares = map[string]string{
	"traefik.http.middlewares.strip.stripprefix.prefixes":                              "/shop, /store",
	"traefik.http.middlewares.inner.stripprefix.prefixes":                              "/v1",
	"traefik.http.middlewares.slash.stripprefix.prefixes":                              "/shop/",
	"traefik.http.middlewares.force.stripprefix.prefixes":                              "/shop",
	"traefik.http.middlewares.force.stripprefix.forceslash":                            "true",
	"traefik.http.middlewares.regex.stripprefixregex.regex":                            "/[a-z]+/[0-9]+",
	"traefik.http.middlewares.index.replacepath.path":                                  "/index",
	"traefik.http.middlewares.turn.replacepathregex.regex":                             "^/shop/(.*)",
	"traefik.http.middlewares.turn.replacepathregex.replacement":                       "/$1/shop",
	"traefik.http.middlewares.add.addprefix.prefix":                                    "/app",
	"traefik.http.middlewares.host.headers.customrequestheaders.Host":                  "inner.test",
	"traefik.http.middlewares.untrace.headers.customrequestheaders.X-Forwarded-Prefix": "",
	"traefik.http.middlewares.both.chain.middlewares":                                  "strip,inner",
	"traefik.http.middlewares.last.chain.middlewares":                                  "strip,paastis,add",
	"traefik.http.middlewares.trust.forwardauth.trustforwardheader":                    "true",
	"traefik.http.middlewares.few.forwardauth.address":                                 "http://paastis:3000/auth",
}

func TestARequestBehindMiddlewaresIsThatOfTheVisitor(t *testing.T) {
	const site = "site | Host(`a.test`) | paastis"
	shop := func(middlewares string) string {
		return "shop | Host(`a.test`) && PathPrefix(`/shop`) | " + middlewares
	}
	for name, tt := range map[string]struct {
		routers []string
		url     string
		headers []string
		router  string
		want    string // URL; "": as it was
	}{
		"one prefix":        {[]string{site, shop("strip,paastis")}, "http://a.test/cart?x=/y", []string{"X-Forwarded-Prefix: /shop"}, "shop", "http://a.test/shop/cart?x=/y"},
		"another prefix":    {[]string{site, "shop | Host(`a.test`) && PathPrefix(`/store`) | strip,paastis"}, "http://a.test/cart", []string{"X-Forwarded-Prefix: /store"}, "shop", "http://a.test/store/cart"},
		"nothing left":      {[]string{site, "shop | Host(`a.test`) && Path(`/shop`) | strip,paastis"}, "http://a.test/", []string{"X-Forwarded-Prefix: /shop"}, "shop", "http://a.test/shop"},
		"a slash left":      {[]string{site, "shop | Host(`a.test`) && PathPrefix(`/shop/`) | strip,paastis"}, "http://a.test/", []string{"X-Forwarded-Prefix: /shop"}, "shop", "http://a.test/shop/"},
		"slash in prefix":   {[]string{site, shop("slash,paastis")}, "http://a.test/cart", []string{"X-Forwarded-Prefix: /shop/"}, "shop", "http://a.test/shop/cart"},
		"forced slash":      {[]string{site, shop("force,paastis")}, "http://a.test/cart", []string{"X-Forwarded-Prefix: /shop"}, "shop", "http://a.test/shop/cart"},
		"within a word":     {[]string{site, shop("strip,paastis")}, "http://a.test/ping", []string{"X-Forwarded-Prefix: /shop"}, "shop", "http://a.test/shop/ping"},
		"escapes":           {[]string{site, shop("strip,paastis")}, "http://a.test/a%2Fb%20c", []string{"X-Forwarded-Prefix: /shop"}, "shop", "http://a.test/shop/a%2Fb%20c"},
		"two in a row":      {[]string{site, shop("strip,inner,paastis")}, "http://a.test/cart", []string{"X-Forwarded-Prefix: /shop", "X-Forwarded-Prefix: /v1"}, "shop", "http://a.test/shop/v1/cart"},
		"two in a chain":    {[]string{site, shop("both,paastis")}, "http://a.test/cart", []string{"X-Forwarded-Prefix: /shop", "X-Forwarded-Prefix: /v1"}, "shop", "http://a.test/shop/v1/cart"},
		"first of two":      {[]string{site, shop("both,paastis")}, "http://a.test/cart", []string{"X-Forwarded-Prefix: /shop"}, "shop", "http://a.test/shop/cart"},
		"in one chain":      {[]string{site, shop("last")}, "http://a.test/cart", []string{"X-Forwarded-Prefix: /shop"}, "shop", "http://a.test/shop/cart"},
		"outer proxy's":     {[]string{site, shop("strip,paastis")}, "http://a.test/cart", []string{"X-Forwarded-Prefix: /out", "X-Forwarded-Prefix: /shop"}, "shop", "http://a.test/shop/cart"},
		"outer proxy alone": {[]string{site, shop("strip,paastis")}, "http://a.test/cart", []string{"X-Forwarded-Prefix: /out"}, "site", ""},
		"pattern":           {[]string{site, "shop | Host(`a.test`) && PathPrefix(`/shop/4`) | regex,paastis"}, "http://a.test/cart", []string{"X-Forwarded-Prefix: /shop/42"}, "shop", "http://a.test/shop/42/cart"},
		"replaced":          {[]string{site, shop("index,paastis")}, "http://a.test/index?q", []string{"X-Replaced-Path: /shop/a%20b"}, "shop", "http://a.test/shop/a%20b?q"},
		"by pattern":        {[]string{site, shop("turn,paastis")}, "http://a.test/cart/shop", []string{"X-Replaced-Path: /shop/cart"}, "shop", "http://a.test/shop/cart"},
		"strip and replace": {[]string{site, shop("strip,index,paastis")}, "http://a.test/index", []string{"X-Forwarded-Prefix: /shop", "X-Replaced-Path: /cart"}, "shop", "http://a.test/shop/cart"},
		"added":             {[]string{site, shop("add,paastis")}, "http://a.test/app/shop/x", nil, "shop", "http://a.test/shop/x"},
		"not added":         {[]string{"shop | Host(`a.test`) | add,paastis", "site | Host(`a.test`) && PathPrefix(`/app`) | paastis"}, "http://a.test/other", nil, "shop", ""},
		"after ours":        {[]string{site, shop("paastis,strip")}, "http://a.test/cart", []string{"X-Forwarded-Prefix: /shop"}, "site", ""},
		"host":              {[]string{"site | Host(`inner.test`) | paastis", "shop | Host(`a.test`) && Path(`/x`) | host,paastis"}, "http://inner.test:8080/x", []string{"X-Forwarded-Port: 80"}, "site", ""},
		"host that is told": {[]string{"site | Host(`inner.test`) | paastis", "shop | Host(`a.test`) && PathPrefix(`/shop`) | host,strip,trust"}, "http://a.test:8080/x", []string{"X-Forwarded-Prefix: /shop"}, "shop", "http://a.test:8080/shop/x"},
		"host of another":   {[]string{"site | Host(`a.test`) | paastis", "shop | Host(`a.test`) && PathPrefix(`/x`) | host,add,paastis"}, "http://a.test/app/x", nil, "site", ""},
		"host alone":        {[]string{"shop | Host(`a.test`) | host,paastis"}, "http://inner.test/x", []string{"X-Forwarded-Port: 8000"}, "shop", "http://a.test:8000/x"},
		"one of two hosts":  {[]string{"shop | Host(`a.test`) || Host(`b.test`) | host,paastis"}, "http://inner.test/x", nil, "shop", "-"},
		"trace taken away":  {[]string{"shop | Host(`a.test`) && PathPrefix(`/store`) | strip,untrace,paastis"}, "http://a.test/cart", nil, "shop", "http://a.test/store/cart"},
		"of a file":         {[]string{site, shop("strip@file,paastis")}, "http://a.test/cart", []string{"X-Forwarded-Prefix: /shop"}, "shop", "http://a.test/shop/cart"},
		"file without":      {[]string{site, shop("login@file,paastis")}, "http://a.test/shop/cart", []string{"X-Forwarded-Prefix: /out"}, "shop", ""},
		"file, all paths":   {[]string{"site | Host(`a.test`) | login@file,paastis"}, "http://a.test/cart", []string{"X-Forwarded-Prefix: /out"}, "site", ""},
		"labels outdated":   {[]string{site, shop("strip,paastis")}, "http://a.test/shop/cart", nil, "shop", ""},
	} {
		t.Run(name, func(t *testing.T) {
			table := behind(t, pathMiddlewares, tt.routers...)
			request := asked(t, tt.url, tt.headers...)
			router, _, _ := table.Recognize(&request)
			if router != tt.router {
				t.Errorf("it is for %q; want %q", router, tt.router)
			}
			if got, want := request.URL(), strings.TrimSuffix(cmp.Or(tt.want, tt.url), "-"); got != want {
				t.Errorf("it was %q; want %q", got, want)
			}
		})
	}
}

func TestAForgedTraceLeadsToNoRouterWhoseMiddlewaresCannotHaveLeftIt(t *testing.T) {
	table := behind(t, pathMiddlewares,
		"site | Host(`a.test`) | paastis",
		"other | Host(`b.test`) | paastis",
		"shop | Host(`a.test`) && PathPrefix(`/shop`) | strip,paastis",
		"plain | Host(`a.test`) && PathPrefix(`/plain`) | paastis",
		"index | Host(`a.test`) && PathPrefix(`/secret`) | index,paastis",
		"turn | Host(`a.test`) && PathPrefix(`/shop/t`) | turn,paastis",
	)
	for name, headers := range map[string][]string{
		"another router's prefix":       {"X-Forwarded-Prefix: /plain"},
		"the rule's prefix in parts":    {"X-Forwarded-Prefix: /sh", "X-Forwarded-Prefix: op"},
		"a prefix and more":             {"X-Forwarded-Prefix: /shop/x"},
		"another host":                  {"X-Forwarded-Prefix: //b.test"},
		"replaced by another path":      {"X-Replaced-Path: /secret"},
		"replaced, no path":             {"X-Replaced-Path: /%zz"},
		"replaced by what does not fit": {"X-Replaced-Path: /shop/t"},
		"empty":                         {"X-Forwarded-Prefix: ", "X-Replaced-Path: "},
	} {
		t.Run(name, func(t *testing.T) {
			request := asked(t, "http://a.test/cart", headers...)
			router, _, _ := table.Recognize(&request)
			if router != "site" || request.URL() != "http://a.test/cart" {
				t.Errorf("it is for %q, %s; want site and what was asked", router, request.URL())
			}
		})
	}
}

func TestAVisitorCannotMakeManyReadingsOfARequest(t *testing.T) {
	headers := make([]string, 0, 2000)
	for range 1000 {
		headers = append(headers, "X-Forwarded-Prefix: /", "X-Replaced-Path: /")
	}
	table := behind(t, pathMiddlewares, "shop | Host(`a.test`) && Path(`/nowhere`) | a@file,b@file,c@file,d@file,e@file,f@file,g@file,h@file,paastis")
	request := asked(t, "http://a.test/", headers...)
	allocations := testing.AllocsPerRun(1, func() {
		r := request
		table.Recognize(&r)
	})
	if allocations > 2000 {
		t.Errorf("%.0f allocations for one request", allocations)
	}
}

func TestHostsWithoutRewritesCostNoAllocation(t *testing.T) {
	table := behind(t, pathMiddlewares, "site | Host(`a.test`) | paastis", "shop | Host(`b.test`) | strip,paastis")
	request := asked(t, "http://a.test/x", "X-Forwarded-Prefix: /shop")
	if n := testing.AllocsPerRun(100, func() { table.Recognize(&request) }); n > 0 {
		t.Errorf("%.0f allocations for each request", n)
	}
}
