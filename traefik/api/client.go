// Package api asks a running Traefik what it made of its configuration.
//
//	GET /api/http/routers      ──► Routers
//	GET /api/http/services/x@y ──► Servers
//	GET /api/http/middlewares  ──► traefik.Catalog
//	GET /api/entrypoints       ──► names and timeouts
package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/traefik/paerser/types"

	"github.com/paastis/paastis/traefik"
)

// ErrNoService means that Traefik has no such service for now: it does not know the
// name, or has disabled the service for a reason that the error tells, such as another
// one that it consists of and that is not there. Its next configuration may have it.
var ErrNoService = errors.New("no such service in Traefik")

var (
	errURL = errors.New("want http://HOST:PORT or https://…; before the host may stand USER:PASSWORD@ " +
		"(with %2F for /, %40 for @, %3F for ?, %23 for #), after it the path that comes before /api")
	errNoProvider  = errors.New("want the name of a service with @ and its provider")
	errNoAPI       = errors.New("404 Not Found: no API of Traefik's is there: is it enabled, and is this its path?")
	errWantsUser   = errors.New("the API wants credentials: give USER:PASSWORD@ before the host in its URL")
	errRefusesUser = errors.New("the API refuses the credentials in its URL")
	errLongAnswer  = errors.New("answer of more than 8 MiB")
	errNoVersion   = errors.New("no version in the answer: is it a Traefik?")
)

const (
	limit       = 2 * time.Second // for one answer
	maxAnswer   = 8 << 20         // bytes
	maxMessage  = 200             // bytes of what Traefik says of an error
	maxServices = 64              // that one service consists of
	perPage     = 1000            // routers, about 0.5 MB; Traefik takes any number
	maxPages    = 100
)

// Client asks a Traefik what it does; New makes it. Several goroutines may use it at
// the same time. Its methods block until Traefik has answered or ctx has ended. It
// follows no redirect. Neither errors nor String tell the credentials.
//
// What it expects of the answers is what Traefik 3.6.12 gives (its pkg/api).
type Client struct {
	// Transport carries the questions and should keep connections alive. Nil is
	// http.DefaultTransport. Set it before the first question.
	Transport http.RoundTripper

	base *url.URL // of what stands before /api; without credentials
	user *url.Userinfo
}

// Server is a server that Traefik sends requests to.
type Server struct {
	// URL of the server. Empty: that of a stopped container, which Traefik's Docker
	// provider keeps with traefik.docker.allownonrunning. For as long as Traefik has not
	// seen an app's restart, it is the URL from before.
	URL string
	// Status is "UP", or "DOWN" if a health check of Traefik's own says so. Without such
	// a check it is "UP" from the beginning. Empty: no router uses the service.
	Status string
}

// Router is a router as Traefik uses it.
type Router struct {
	// Router has names with "@" and the provider for itself, its service and its
	// middlewares. Those that its entry points add are among the middlewares. Traefik
	// puts the entry point and a dash before the name of a router that listens on
	// several, if one of them adds something.
	traefik.Router
	// Provider is where Traefik has the router from, such as "docker" or "file";
	// "internal" for its own.
	Provider string
	// Status is "enabled", "warning", or "disabled" if Traefik does not use it.
	Status string
}

// New makes the client for an http or https URL, to which it adds /api and more. The
// path is that of api.basePath in Traefik's configuration, or of a router in front.
// USER:PASSWORD@ before the host are sent as basic authentication. It asks nothing yet.
func New(rawURL string) (*Client, error) {
	base, err := url.Parse(rawURL)
	if err != nil || !isBase(base) {
		return nil, errURL // not err, nor the URL: a part may be that of a password
	}
	user := base.User
	base.User = nil
	return &Client{base: base, user: user}, nil
}

// Usable reports whether Traefik can send it a request, as far as it knows.
func (s Server) Usable() bool {
	return s.URL != "" && s.Status != "DOWN"
}

// Servers returns the servers of a service, sorted by URL and none twice; the name must
// have "@" and its provider. Those of a service that consists of others are theirs: all
// that are weighed above zero, what is mirrored but not the mirrors, what fails over but
// not the fallback; beyond the 64th they are left out. None is no error.
//
// It returns within 2 s, with an error that wraps ErrNoService if Traefik has no such
// service. With any other error it is not known what Traefik has.
func (c *Client) Servers(ctx context.Context, service string) ([]Server, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var servers []Server
	seen := make(map[string]bool)
	for queue := []string{service}; len(queue) > 0 && len(seen) < maxServices; queue = queue[1:] {
		if name := queue[0]; !seen[name] {
			seen[name] = true
			answer, err := c.service(ctx, name)
			if err != nil {
				return nil, err
			}
			servers = append(servers, answer.servers()...)
			queue = append(queue, answer.parts(name)...)
		}
	}
	return distinct(servers), nil
}

// Routers returns the first 100,000 routers, sorted by name, with those that Traefik has
// disabled and its own. Each thousand of them takes a question and 2 s at most. If
// Traefik changes its configuration between two questions, routers may be missing or
// there twice, or the answer an error, until the next call.
func (c *Client) Routers(ctx context.Context) ([]Router, error) {
	var routers []Router
	err := c.pages(ctx, "api/http/routers", func(at *url.URL) (http.Header, error) {
		var answer []routerAnswer
		header, err := c.get(ctx, at, &answer)
		for _, router := range answer {
			routers = append(routers, router.router())
		}
		return header, err
	})
	if err != nil {
		return nil, err
	}
	return routers, nil
}

// Middlewares returns the first 100,000 middlewares, as Routers does, but for those of its
// HTTP provider, which may be Paastis's own.
func (c *Client) Middlewares(ctx context.Context) (traefik.Catalog, error) {
	catalog := traefik.Catalog{}
	err := c.pages(ctx, "api/http/middlewares", func(at *url.URL) (http.Header, error) {
		var answer []middlewareAnswer
		header, err := c.get(ctx, at, &answer)
		for _, m := range answer {
			if m.Provider != "http" {
				m.MiddlewareConfig.Plugin = m.Plugin != nil
				catalog[m.Name] = m.Middleware(m.Name)
			}
		}
		return header, err
	})
	if err != nil {
		return nil, err
	}
	return catalog, nil
}

// EntryPoints returns what Traefik's API tells of its entry points: names and timeouts.
func (c *Client) EntryPoints(ctx context.Context) ([]traefik.EntryPoint, error) {
	var all []traefik.EntryPoint
	err := c.pages(ctx, "api/entrypoints", func(at *url.URL) (http.Header, error) {
		var answer []entryPointAnswer
		header, err := c.get(ctx, at, &answer)
		for _, e := range answer {
			all = append(all, e.entryPoint())
		}
		return header, err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// pages asks for all pages of a list.
func (c *Client) pages(ctx context.Context, path string, ask func(*url.URL) (http.Header, error)) error {
	for page := 1; page <= maxPages; {
		at := c.base.JoinPath(path)
		at.RawQuery = fmt.Sprintf("page=%d&per_page=%d", page, perPage)
		header, err := ask(at)
		if err != nil {
			return err
		}
		next, _ := strconv.Atoi(header.Get("X-Next-Page")) // 1 on the last page
		if next <= page {
			break
		}
		page = next
	}
	return nil
}

// Version returns Traefik's version, such as "3.6.12"; one built without a version says
// "dev". It returns within 2 s.
func (c *Client) Version(ctx context.Context) (string, error) {
	at := c.base.JoinPath("api/version")
	var answer struct{ Version string }
	if _, err := c.get(ctx, at, &answer); err != nil {
		return "", err
	}
	if answer.Version == "" {
		return "", fmt.Errorf("ask %s: %w", at, errNoVersion)
	}
	return answer.Version, nil
}

// String is the URL without credentials.
func (c *Client) String() string { return c.base.String() }

// service asks for one service.
func (c *Client) service(ctx context.Context, name string) (serviceAnswer, error) {
	var answer serviceAnswer
	if !strings.Contains(name, "@") {
		return answer, fmt.Errorf("ask %s for service %q: %w", c, name, errNoProvider)
	}
	at := c.base.JoinPath("api/http/services", url.PathEscape(name))
	if _, err := c.get(ctx, at, &answer); err != nil {
		return answer, err
	}
	if answer.Status == "disabled" {
		reason := shortened(strings.Join(answer.Error, ", "))
		return answer, fmt.Errorf("ask %s: %w: %q is disabled: %s", at, ErrNoService, name, reason)
	}
	return answer, nil
}

// get reads the JSON at a URL into answer, and returns the header that came with it.
func (c *Client) get(ctx context.Context, at *url.URL, answer any) (http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	header, body, err := c.fetch(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", at, err)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", at, err)
	}
	return header, nil
}

// fetch returns what came with status 200. It reads the body of every answer, so that
// the connection can be used again.
func (c *Client) fetch(ctx context.Context, at *url.URL) (http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	if c.user != nil {
		password, _ := c.user.Password()
		req.SetBasicAuth(c.user.Username(), password)
	}
	client := http.Client{Transport: c.Transport, CheckRedirect: stay}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, withoutURL(err)
	}
	defer resp.Body.Close()
	body, err := readAnswer(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = c.refusal(resp, body)
	}
	return resp.Header, body, err
}

// refusal is the error of an answer with another status than 200.
func (c *Client) refusal(resp *http.Response, body []byte) error {
	status := fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	said := message(body)
	switch code := resp.StatusCode; {
	case code == http.StatusNotFound && strings.HasPrefix(said, "service not found"):
		return ErrNoService
	case code == http.StatusNotFound:
		return errNoAPI
	case code != http.StatusUnauthorized && code != http.StatusForbidden:
		return errors.New(strings.Join(nonEmpty(status, target(resp), said), ": "))
	case c.user == nil:
		return fmt.Errorf("%s: %w", status, errWantsUser)
	default:
		return fmt.Errorf("%s: %w", status, errRefusesUser)
	}
}

// What Traefik answers

// serviceAnswer has, of the kinds of services, the one that it is of. It has none for
// services of Traefik's own.
type serviceAnswer struct {
	LoadBalancer        *struct{ Servers []struct{ URL string } }
	Weighted            *struct{ Services []weighedService }
	HighestRandomWeight *struct{ Services []weighedService }
	Mirroring           *struct{ Service string }
	Failover            *struct{ Service string }

	Status       string
	ServerStatus map[string]string // :: URL → status
	Error        []string
}

type weighedService struct {
	Name   string
	Weight *int // nil is 1
}

type routerAnswer struct {
	Name        string
	Provider    string
	Rule        string
	RuleSyntax  string
	Priority    int64
	EntryPoints []string
	Middlewares []string
	Service     string
	TLS         *struct{}
	Status      string
}

type middlewareAnswer struct {
	traefik.MiddlewareConfig
	Name, Provider string
	Plugin         json.RawMessage // of any form
}

// entryPointAnswer leaves out what is zero.
type entryPointAnswer struct {
	Name      string
	Transport struct {
		RespondingTimeouts struct{ ReadTimeout, WriteTimeout types.Duration }
	}
}

func (a entryPointAnswer) entryPoint() traefik.EntryPoint {
	set := a.Transport.RespondingTimeouts
	return traefik.EntryPoint{Name: a.Name, Timeouts: traefik.Timeouts{Read: traefik.TimeoutOf(set.ReadTimeout), Write: traefik.TimeoutOf(set.WriteTimeout)}}
}

func (s *serviceAnswer) servers() []Server {
	if s.LoadBalancer == nil {
		return nil
	}
	var servers []Server
	for _, server := range s.LoadBalancer.Servers {
		servers = append(servers, Server{URL: server.URL, Status: s.status(server.URL)})
	}
	return servers
}

// status of a server. Traefik lists it by the URL as net/url writes it, which need not
// be how it was given.
func (s *serviceAnswer) status(serverURL string) string {
	if parsed, err := url.Parse(serverURL); err == nil {
		serverURL = parsed.String()
	}
	return s.ServerStatus[serverURL]
}

// parts are the services that a service of that name sends its requests to.
func (s *serviceAnswer) parts(name string) []string {
	var parts []string
	switch {
	case s.Weighted != nil:
		parts = weighed(s.Weighted.Services)
	case s.HighestRandomWeight != nil:
		parts = weighed(s.HighestRandomWeight.Services)
	case s.Mirroring != nil:
		parts = []string{s.Mirroring.Service}
	case s.Failover != nil:
		parts = []string{s.Failover.Service}
	}
	_, provider, _ := strings.Cut(name, "@")
	return traefik.Qualified(parts, provider)
}

func (r *routerAnswer) router() Router {
	router := traefik.Router{
		Name:        r.Name,
		Rule:        r.Rule,
		RuleSyntax:  r.RuleSyntax,
		Priority:    int(min(r.Priority, math.MaxInt)), // Traefik's own have the highest of 64 bits
		EntryPoints: r.EntryPoints,
		Middlewares: traefik.Qualified(r.Middlewares, r.Provider),
		TLS:         r.TLS != nil,
	}
	if r.Service != "" {
		router.Service = traefik.Qualified([]string{r.Service}, r.Provider)[0]
	}
	return Router{Router: router, Provider: r.Provider, Status: r.Status}
}

// Helpers

// isBase reports whether more can be added to the URL. No "@" in the path, for such a URL
// has a password with a slash in it.
func isBase(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" &&
		u.RawQuery == "" && !u.ForceQuery && u.Fragment == "" && !strings.Contains(u.Path, "@")
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// withoutURL leaves out what http.Client says before the cause.
func withoutURL(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}

func readAnswer(body io.Reader) ([]byte, error) {
	answer, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err == nil && len(answer) > maxAnswer {
		err = errLongAnswer
	}
	return answer, err
}

// message is what Traefik says of an error. Empty: nothing.
func message(body []byte) string {
	var said struct{ Message string }
	if json.Unmarshal(body, &said) != nil {
		return ""
	}
	return shortened(said.Message)
}

func shortened(text string) string {
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "…"
	}
	return text
}

// target is where a redirect leads to. Empty: it is none.
func target(resp *http.Response) string {
	location, err := resp.Location()
	if err != nil {
		return ""
	}
	return "leads to " + location.Scheme + "://" + location.Host
}

func nonEmpty(texts ...string) []string {
	return slices.DeleteFunc(texts, func(text string) bool { return text == "" })
}

func weighed(services []weighedService) []string {
	var names []string
	for _, service := range services {
		if service.Weight == nil || *service.Weight > 0 {
			names = append(names, service.Name)
		}
	}
	return names
}

func distinct(servers []Server) []Server {
	slices.SortFunc(servers, func(a, b Server) int {
		return cmp.Or(strings.Compare(a.URL, b.URL), strings.Compare(a.Status, b.Status))
	})
	return slices.Compact(servers)
}
