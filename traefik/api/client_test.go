package api_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/paastis/paastis/traefik"
	"github.com/paastis/paastis/traefik/api"
	"github.com/paastis/paastis/traefik/rule"
)

const (
	apiURL     = "http://traefik:8080"
	apiUserURL = "http://ops:s3cret@traefik:8080"
)

// What Traefik 3.6.12 answered, for a container that runs and for one that does not.
const (
	runningService = `{"loadBalancer":{"servers":[{"url":"http://172.18.0.4:8080"}],"strategy":"wrr","passHostHeader":true,` +
		`"responseForwarding":{"flushInterval":"100ms"}},"status":"enabled","usedBy":["shop@docker"],"name":"shop@docker",` +
		`"provider":"docker","type":"loadbalancer","serverStatus":{"http://172.18.0.4:8080":"UP"}}`
	stoppedService = `{"loadBalancer":{"servers":[{}],"strategy":"wrr","passHostHeader":true,` +
		`"responseForwarding":{"flushInterval":"100ms"}},"status":"enabled","usedBy":["shop@docker"],"name":"shop@docker",` +
		`"provider":"docker","type":"loadbalancer","serverStatus":{"":"UP"}}`
)

func TestServersAreThoseThatTraefikLists(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		want   []api.Server
		usable bool
	}{
		"running":      {runningService, []api.Server{{URL: "http://172.18.0.4:8080", Status: "UP"}}, true},
		"stopped":      {stoppedService, []api.Server{{Status: "UP"}}, false},
		"no server":    {`{"loadBalancer":{"passHostHeader":true},"status":"enabled"}`, nil, false},
		"Traefik's":    {`{"status":"enabled","name":"api@internal","provider":"internal"}`, nil, false},
		"in no router": {`{"loadBalancer":{"servers":[{"url":"http://a"}]},"status":"enabled"}`, []api.Server{{URL: "http://a"}}, true},
		"down": {
			`{"loadBalancer":{"servers":[{"url":"http://a"}]},"serverStatus":{"http://a":"DOWN"}}`,
			[]api.Server{{URL: "http://a", Status: "DOWN"}}, false,
		},
		"written otherwise": {
			`{"loadBalancer":{"servers":[{"url":"HTTP://a/b c"}]},"serverStatus":{"http://a/b%20c":"DOWN"}}`,
			[]api.Server{{URL: "HTTP://a/b c", Status: "DOWN"}}, false,
		},
		"several": {
			`{"loadBalancer":{"servers":[{"url":"http://b"},{"url":"http://a"},{"url":"http://b"}]},"serverStatus":{"http://a":"DOWN","http://b":"UP"}}`,
			[]api.Server{{URL: "http://a", Status: "DOWN"}, {URL: "http://b", Status: "UP"}}, true,
		},
	} {
		got, err := serving(t, apiURL, map[string]string{"shop@docker": c.answer}).Servers(t.Context(), "shop@docker")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: servers %v, want %v", name, got, c.want)
		}
		if usable := slices.ContainsFunc(got, api.Server.Usable); usable != c.usable {
			t.Errorf("%s: usable %t", name, usable)
		}
	}
}

func TestServersOfAServiceThatConsistsOfOthersAreTheirs(t *testing.T) {
	t.Parallel()
	client := serving(t, apiURL, map[string]string{
		"a@file":        `{"loadBalancer":{"servers":[{"url":"http://a"}]}}`,
		"b@file":        `{"loadBalancer":{"servers":[{"url":"http://b"}]}}`,
		"b@docker":      `{"loadBalancer":{"servers":[{"url":"http://docker"}]}}`,
		"weighted@file": `{"weighted":{"services":[{"name":"a","weight":1},{"name":"b@docker"}]},"type":"weighted"}`,
		"green@file":    `{"weighted":{"services":[{"name":"a","weight":0},{"name":"b","weight":9}]}}`,
		"random@file":   `{"highestRandomWeight":{"services":[{"name":"a","weight":1},{"name":"b","weight":0}]}}`,
		"mirrored@file": `{"mirroring":{"service":"a","mirrors":[{"name":"b","percent":10}]},"type":"mirroring"}`,
		"failover@file": `{"failover":{"service":"b","fallback":"a"},"type":"failover"}`,
		"deep@file":     `{"mirroring":{"service":"weighted"}}`,
		"circle@file":   `{"weighted":{"services":[{"name":"round"},{"name":"a"}]}}`,
		"round@file":    `{"weighted":{"services":[{"name":"circle"},{"name":"round"},{"name":"a"}]}}`,
	})
	for service, want := range map[string]string{
		"weighted@file": "http://a http://docker",
		"green@file":    "http://b",
		"random@file":   "http://a",
		"mirrored@file": "http://a",
		"failover@file": "http://b",
		"deep@file":     "http://a http://docker",
		"circle@file":   "http://a",
	} {
		if got := urls(t, client, service); got != want {
			t.Errorf("%s: servers %q, want %q", service, got, want)
		}
	}
}

func TestAServiceIsFollowedNoFurtherThanItsFirst64Parts(t *testing.T) {
	t.Parallel()
	answers := make(map[string]string)
	for i := range 100 {
		answers[fmt.Sprintf("%d@file", i)] = fmt.Sprintf(`{"mirroring":{"service":"%d"}}`, i+1)
	}
	client := serving(t, apiURL, answers)
	urls(t, client, "0@file")
	if got := client.Transport.(*httpmock.MockTransport).GetTotalCallCount(); got != 64 {
		t.Errorf("%d questions", got)
	}
}

func TestAServiceThatTraefikCannotUseIsNone(t *testing.T) {
	t.Parallel()
	client := serving(t, apiURL, map[string]string{
		"lost@file": `{"failover":{"service":"gone@docker"},"error":["the service \"gone@docker\" does not exist"],"status":"disabled"}`,
		"part@file": `{"mirroring":{"service":"gone"},"status":"enabled"}`,
	})
	for service, want := range map[string]string{
		"shop@docker": "ask http://traefik:8080/api/http/services/shop@docker: no such service in Traefik",
		"part@file":   "ask http://traefik:8080/api/http/services/gone@file: no such service in Traefik",
		"lost@file": "ask http://traefik:8080/api/http/services/lost@file: no such service in Traefik: " +
			`"lost@file" is disabled: the service "gone@docker" does not exist`,
	} {
		_, err := client.Servers(t.Context(), service)
		if !errors.Is(err, api.ErrNoService) || err.Error() != want {
			t.Errorf("%s: error %v, want %s", service, err, want)
		}
	}
}

func TestAServiceHasAProvider(t *testing.T) {
	t.Parallel()
	_, err := serving(t, apiURL, nil).Servers(t.Context(), "shop")
	want := `ask http://traefik:8080 for service "shop": want the name of a service with @ and its provider`
	if err == nil || err.Error() != want || errors.Is(err, api.ErrNoService) {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestWhatIsNoAnswerIsToldWithoutTheCredentials(t *testing.T) {
	t.Parallel()
	const at = "ask http://traefik:8080/api/http/services/shop@docker: "
	for want, responder := range map[string]httpmock.Responder{
		at + "404 Not Found: no API of Traefik's is there: is it enabled, and is this its path?": httpmock.NewStringResponder(404, "404 page not found\n"),
		at + "401 Unauthorized: the API refuses the credentials in its URL":                      httpmock.NewStringResponder(401, "401 Unauthorized\n"),
		at + "403 Forbidden: the API refuses the credentials in its URL":                         httpmock.NewStringResponder(403, ""),
		at + "502 Bad Gateway":                           httpmock.NewStringResponder(502, "<html>"),
		at + "400 Bad Request: invalid request: page: 9": httpmock.NewStringResponder(400, `{"message":"invalid request: page: 9"}`),
		at + "500 Internal Server Error: " + strings.Repeat("é", 100) + "…": httpmock.NewStringResponder(500,
			`{"message":"`+strings.Repeat("é", 5000)+`"}`),
		at + "302 Found: leads to https://login.example": redirect("https://u:p@login.example/?state=s3cret"),
		at + "304 Not Modified":                          httpmock.NewStringResponder(304, ""),
		at + "connection refused":                        httpmock.NewErrorResponder(errors.New("connection refused")),
		at + "answer of more than 8 MiB":                 httpmock.NewStringResponder(200, strings.Repeat(" ", 8<<20)+"{}"),
		"read answer of http://traefik:8080/api/http/services/shop@docker: invalid character '<' looking for beginning of value": httpmock.NewStringResponder(200, "<html>"),
	} {
		_, err := answering(t, apiUserURL, responder).Servers(t.Context(), "shop@docker")
		if err == nil || err.Error() != want || errors.Is(err, api.ErrNoService) {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}

func TestAnAPIWithoutCredentialsIsToldToHaveThem(t *testing.T) {
	t.Parallel()
	_, err := answering(t, apiURL, httpmock.NewStringResponder(401, "")).Version(t.Context())
	want := "ask http://traefik:8080/api/version: 401 Unauthorized: " +
		"the API wants credentials: give USER:PASSWORD@ before the host in its URL"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestAnAnswerOf8MiBIsRead(t *testing.T) {
	t.Parallel()
	answer := strings.Repeat(" ", 8<<20-len(runningService)) + runningService
	if got := urls(t, serving(t, apiURL, map[string]string{"shop@docker": answer}), "shop@docker"); got != "http://172.18.0.4:8080" {
		t.Errorf("servers %q", got)
	}
}

func TestURLThatIsNoneIsAnErrorWithoutThePassword(t *testing.T) {
	t.Parallel()
	for _, rawURL := range []string{
		"", "traefik", "traefik:8080", "127.0.0.1:8080", "//traefik:8080", "tcp://traefik:8080", "unix:///traefik.sock",
		"http://", "http://:8080", "http://traefik:port", "http://traefik:8080?x=1", "http://traefik:8080?", "http://traefik:8080#x",
		"http://ops:s3cret/x@traefik:8080", "http://ops:8/s3cret@traefik:8080", "http://ops:8?s3cret@traefik",
		"http://ops:8#s3cret@traefik", "http://ops:%s3cret@traefik", "s3cret://ops:s3cret@traefik", "ops:s3cret@traefik:8080",
	} {
		client, err := api.New(rawURL)
		if err == nil {
			t.Errorf("%s: taken as %s", rawURL, client)
		} else if strings.Contains(err.Error(), "s3cret") || !strings.HasPrefix(err.Error(), "want http://") {
			t.Errorf("%s: error %v", rawURL, err)
		}
	}
}

func TestQuestionsGoBelowTheURL(t *testing.T) {
	t.Parallel()
	for rawURL, want := range map[string]string{
		"http://traefik:8080":           "http://traefik:8080/api/http/services/a%2Fb%20c%25d@file",
		"HTTPS://traefik/":              "https://traefik/api/http/services/a%2Fb%20c%25d@file",
		"http://traefik:8080/traefik":   "http://traefik:8080/traefik/api/http/services/a%2Fb%20c%25d@file",
		"http://traefik:8080/~x/k8s:1/": "http://traefik:8080/~x/k8s:1/api/http/services/a%2Fb%20c%25d@file",
		"http://[fd00::2]:8080":         "http://[fd00::2]:8080/api/http/services/a%2Fb%20c%25d@file",
	} {
		var got string
		client := answering(t, rawURL, func(r *http.Request) (*http.Response, error) {
			got = r.URL.String()
			return httpmock.NewStringResponse(200, runningService), nil
		})
		urls(t, client, "a/b c%d@file")
		if got != want {
			t.Errorf("%s: asked %s, want %s", rawURL, got, want)
		}
	}
}

func TestCredentialsAreSentAndNotTold(t *testing.T) {
	t.Parallel()
	for rawURL, want := range map[string][2]string{
		apiURL:                          {},
		apiUserURL:                      {"ops", "s3cret"},
		"http://ops@traefik:8080":       {"ops", ""},
		"http://ops:a%2Fb@traefik:8080": {"ops", "a/b"},
	} {
		var user, password string
		client := answering(t, rawURL, func(r *http.Request) (*http.Response, error) {
			user, password, _ = r.BasicAuth()
			return httpmock.NewStringResponse(200, `{"Version":"3.6.12"}`), nil
		})
		if version, err := client.Version(t.Context()); version != "3.6.12" || err != nil {
			t.Errorf("%s: version %q, error %v", rawURL, version, err)
		}
		if got := [2]string{user, password}; got != want {
			t.Errorf("%s: credentials %q, want %q", rawURL, got, want)
		}
		if told := fmt.Sprintf("%s %v %+v", client, client, client); strings.Contains(told, "ops") || !strings.Contains(told, apiURL) {
			t.Errorf("told %s", told)
		}
	}
}

func TestAnswerWithoutVersionIsNone(t *testing.T) {
	t.Parallel()
	_, err := answering(t, apiURL, httpmock.NewStringResponder(200, "{}")).Version(t.Context())
	if want := "ask http://traefik:8080/api/version: no version in the answer: is it a Traefik?"; err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
}

func TestTraefikIsNotWaitedForLongerThanTwoSeconds(t *testing.T) {
	t.Parallel()
	ask := map[string]func(context.Context, *api.Client) error{
		"servers": func(ctx context.Context, a *api.Client) error { _, err := a.Servers(ctx, "0@file"); return err },
		"routers": func(ctx context.Context, a *api.Client) error { _, err := a.Routers(ctx); return err },
		"version": func(ctx context.Context, a *api.Client) error { _, err := a.Version(ctx); return err },
	}
	for name, ask := range ask {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				started := time.Now()
				err := ask(t.Context(), answering(t, apiURL, silent))
				if took := time.Since(started); !errors.Is(err, context.DeadlineExceeded) || took != 2*time.Second {
					t.Errorf("error %v after %s", err, took)
				}
			})
		})
	}
}

func TestAllPartsOfAServiceTakeTwoSecondsTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		var asked atomic.Int32 // the last question is still under way in the end
		_, err := answering(t, apiURL, func(r *http.Request) (*http.Response, error) {
			answer := httpmock.NewStringResponder(200, fmt.Sprintf(`{"mirroring":{"service":"%d"}}`, asked.Add(1)))
			return answer.Delay(time.Second - time.Millisecond)(r)
		}).Servers(t.Context(), "0@file")
		if took := time.Since(started); !errors.Is(err, context.DeadlineExceeded) || took != 2*time.Second || asked.Load() != 3 {
			t.Errorf("error %v after %s and %d questions", err, took, asked.Load())
		}
	})
}

func TestAQuestionEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := answering(t, apiURL, func(r *http.Request) (*http.Response, error) {
		cancel()
		return silent(r)
	}).Servers(ctx, "shop@docker")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestRoutersAreThoseThatTraefikUses has answers of Traefik 3.6.12.
func TestRoutersAreThoseThatTraefikUses(t *testing.T) {
	t.Parallel()
	got, err := answering(t, apiURL, page(1, `[
{"entryPoints":["web"],"service":"lost","rule":"Host(`+"`l`"+`)","priority":9,"observability":{"accessLogs":true},"error":["the service \"gone@docker\" does not exist"],"status":"disabled","using":["web"],"name":"l@file","provider":"file","priorityStr":"9"},
{"entryPoints":["web"],"middlewares":["paastis@docker","gzip"],"service":"shop@docker","rule":"HostRegexp(`+"`{x:.+}`"+`)","ruleSyntax":"v2","priority":7,"tls":{"options":"default"},"status":"enabled","name":"old@file","provider":"file","priorityStr":"7"},
{"entryPoints":["traefik"],"service":"ping@internal","rule":"PathPrefix(`+"`/ping`"+`)","ruleSyntax":"default","priority":9223372036854775807,"status":"enabled","name":"ping@internal","provider":"internal","priorityStr":"9223372036854775807"},
{"rule":"Host(`+"`s`"+`)","name":"root@file","provider":"file"}]`)).Routers(t.Context())
	want := []api.Router{
		{Router: traefik.Router{Name: "l@file", Rule: "Host(`l`)", Priority: 9, EntryPoints: []string{"web"}, Service: "lost@file"}, Provider: "file", Status: "disabled"},
		{Router: traefik.Router{
			Name: "old@file", Rule: "HostRegexp(`{x:.+}`)", RuleSyntax: "v2", Priority: 7, EntryPoints: []string{"web"},
			Middlewares: []string{"paastis@docker", "gzip@file"}, Service: "shop@docker", TLS: true,
		}, Provider: "file", Status: "enabled"},
		{Router: traefik.Router{
			Name: "ping@internal", Rule: "PathPrefix(`/ping`)", RuleSyntax: "default", Priority: math.MaxInt,
			EntryPoints: []string{"traefik"}, Service: "ping@internal",
		}, Provider: "internal", Status: "enabled"},
		{Router: traefik.Router{Name: "root@file", Rule: "Host(`s`)"}, Provider: "file"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("routers %+v, error %v\nwant %+v", got, err, want)
	}
	if !got[1].Uses("paastis") || got[0].Uses("paastis") {
		t.Error("the middleware is not found where it is used")
	}
}

// TestMiddlewaresAreThoseThatTraefikHas has answers of Traefik 3.6.12.
func TestMiddlewaresAreThoseThatTraefikHas(t *testing.T) {
	t.Parallel()
	catalog, err := answering(t, apiURL, page(1, `[
{"chain":{"middlewares":["cut","paastis@docker"]},"status":"enabled","usedBy":["web@docker"],"name":"secured@file","provider":"file","type":"chain"},
{"stripPrefix":{"prefixes":["/shop"]},"status":"enabled","name":"cut@file","provider":"file","type":"stripprefix"},
{"forwardAuth":{"address":"http://paastis:3000/auth","maxResponseBodySize":4096},"status":"enabled","name":"paastis@docker","provider":"docker","type":"forwardauth"},
{"plugin":{"geo":{"lists":["a",1]}},"status":"enabled","name":"geo@file","provider":"file","type":"geo"},
{"addPrefix":{"prefix":"/.paastis/shop"},"status":"enabled","name":"paastis-shop@http","provider":"http","type":"addprefix"}]`)).Middlewares(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(catalog) != 4 || catalog.Has("paastis-shop@http") {
		t.Errorf("there are %v", catalog)
	}
	if !catalog.Uses([]string{"secured"}, "file", "paastis") || catalog.Uses([]string{"secured"}, "docker", "paastis") {
		t.Error("the chain is not followed in its own provider")
	}
	rewrites := catalog.Before([]string{"geo@file", "secured@file"}, "docker", "paastis")
	request, _ := traefik.FromURL("http://a.test/cart")
	request.Header = http.Header{"X-Forwarded-Prefix": {"/shop"}}
	rule, err := rule.Parse("PathPrefix(`/shop`)", "")
	if err != nil {
		t.Fatal(err)
	}
	if !rule.Restore(&request, rewrites) || request.Path != "/shop/cart" || rewrites.IsKnown() {
		t.Errorf("it was %q; all is known: %t", request.Path, rewrites.IsKnown())
	}
}

// What Traefik 3.6.12 answered, without what is not read. It leaves out a timeout of none.
const someEntryPoints = `[{"address":":80","transport":{"respondingTimeouts":{"readTimeout":"1m0s","idleTimeout":"3m0s"}},"name":"usual"},` +
	`{"address":":81","transport":{"respondingTimeouts":{"idleTimeout":"3m0s"}},"name":"patient"},` +
	`{"address":":82","transport":{"respondingTimeouts":{"readTimeout":"10s","writeTimeout":"1m30s"}},"name":"hasty"}]`

func TestEntryPointsHaveTheTimeoutsThatTraefikTells(t *testing.T) {
	t.Parallel()
	got, err := answering(t, apiURL, page(1, someEntryPoints)).EntryPoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]traefik.Timeouts{"usual": {Read: time.Minute}, "patient": {}, "hasty": {Read: 10 * time.Second, Write: 90 * time.Second}}
	for _, e := range got {
		if limits, there := want[e.Name]; !there || e.Limits() != limits {
			t.Errorf("%s: %+v, want %+v", e.Name, e.Limits(), limits)
		}
		delete(want, e.Name)
	}
	if len(want) > 0 {
		t.Errorf("untold: %v", want)
	}
}

func TestRoutersComeInPages(t *testing.T) {
	t.Parallel()
	client := serving(t, apiURL, nil)
	transport := client.Transport.(*httpmock.MockTransport)
	for number, c := range map[int]struct {
		next   int
		answer string
	}{1: {2, `[{"name":"a@file"}]`}, 2: {3, `[{"name":"b@file"}]`}, 3: {1, `[{"name":"c@file"}]`}} {
		query := fmt.Sprintf("/api/http/routers?page=%d&per_page=1000", number)
		transport.RegisterResponder(http.MethodGet, apiURL+query, page(c.next, c.answer))
	}
	if got := routers(t, client); got != "a@file b@file c@file" {
		t.Errorf("routers %q", got)
	}
}

func TestPagesEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		responder httpmock.Responder
		want      int
	}{
		"no header":   {httpmock.NewStringResponder(200, `[{"name":"a@file"}]`), 1},
		"first again": {page(1, `[{"name":"a@file"}]`), 1},
		"always one more": {func(r *http.Request) (*http.Response, error) {
			var number int
			_, err := fmt.Sscan(r.URL.Query().Get("page"), &number)
			if err != nil {
				return nil, err
			}
			return page(number+1, `[{"name":"a@file"}]`)(r)
		}, 100},
	} {
		if got := strings.Fields(routers(t, answering(t, apiURL, c.responder))); len(got) != c.want {
			t.Errorf("%s: %d routers", name, len(got))
		}
	}
}

func TestALaterPageThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	client := serving(t, apiURL, nil)
	client.Transport.(*httpmock.MockTransport).RegisterResponder(http.MethodGet,
		apiURL+"/api/http/routers?page=1&per_page=1000", page(2, `[{"name":"a@file"}]`))
	if got, err := client.Routers(t.Context()); got != nil || err == nil {
		t.Errorf("routers %v, error %v", got, err)
	}
}

func TestQuestionsShareAConnectionAndFollowNoRedirect(t *testing.T) {
	t.Parallel()
	var connections, elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("/api/http/services/shop@docker", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, runningService) })
	mux.HandleFunc("/api/http/services/gone@docker", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"message":"service not found: gone@docker"}`, http.StatusNotFound)
	})
	mux.Handle("/api/version", http.RedirectHandler(other.URL, http.StatusFound))
	server := httptest.NewUnstartedServer(mux)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client := newClient(t, server.URL, server.Client().Transport)
	for range 3 {
		urls(t, client, "shop@docker")
		if _, err := client.Servers(t.Context(), "gone@docker"); !errors.Is(err, api.ErrNoService) {
			t.Errorf("error %v", err)
		}
		if _, err := client.Version(t.Context()); err == nil || !strings.HasSuffix(err.Error(), "302 Found: leads to "+other.URL) {
			t.Errorf("error %v", err)
		}
	}
	if connections.Load() != 1 || elsewhere.Load() != 0 {
		t.Errorf("%d connections, %d questions elsewhere", connections.Load(), elsewhere.Load())
	}
}

// Helpers

func newClient(t *testing.T, rawURL string, transport http.RoundTripper) *api.Client {
	t.Helper()
	client, err := api.New(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	client.Transport = transport
	return client
}

// serving has the given services, and answers as Traefik does for others.
func serving(t *testing.T, rawURL string, services map[string]string) *api.Client {
	t.Helper()
	client := answering(t, rawURL, func(r *http.Request) (*http.Response, error) {
		name := strings.TrimPrefix(r.URL.Path, "/api/http/services/")
		return httpmock.NewStringResponse(404, fmt.Sprintf(`{"message":"service not found: %s"}`+"\n", name)), nil
	})
	for name, answer := range services {
		client.Transport.(*httpmock.MockTransport).RegisterResponder(http.MethodGet,
			rawURL+"/api/http/services/"+name, httpmock.NewStringResponder(200, answer))
	}
	return client
}

// answering answers everything in the same way.
func answering(t *testing.T, rawURL string, responder httpmock.Responder) *api.Client {
	t.Helper()
	transport := httpmock.NewMockTransport()
	transport.RegisterNoResponder(responder)
	return newClient(t, rawURL, transport)
}

func page(next int, answer string) httpmock.Responder {
	return httpmock.NewStringResponder(200, answer).HeaderSet(http.Header{"X-Next-Page": {fmt.Sprint(next)}})
}

func redirect(location string) httpmock.Responder {
	return httpmock.NewStringResponder(302, "").HeaderSet(http.Header{"Location": {location}})
}

func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func urls(t *testing.T, client *api.Client, service string) string {
	t.Helper()
	servers, err := client.Servers(t.Context(), service)
	if err != nil {
		t.Errorf("%s: %v", service, err)
	}
	var all []string
	for _, server := range servers {
		all = append(all, server.URL)
	}
	return strings.Join(all, " ")
}

func routers(t *testing.T, client *api.Client) string {
	t.Helper()
	routers, err := client.Routers(t.Context())
	if err != nil {
		t.Error(err)
	}
	var names []string
	for _, router := range routers {
		names = append(names, router.Name)
	}
	return strings.Join(names, " ")
}
