package command

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
)

const (
	// upstreamLimit is how long one URL of an app is looked at, and upstreamsLimit all of them.
	upstreamLimit  = 5 * time.Second
	upstreamsLimit = 30 * time.Second
	// upstreamsAtOnce is how many are looked at at the same time.
	upstreamsAtOnce = 16
)

// upstreams looks at the URLs by which platforms have apps.
type upstreams struct {
	ways  ways
	roots *x509.CertPool // that are trusted; nil: the machine's
}

// lint tells of URLs that nobody reaches, or that lead visitors elsewhere, sorted as the apps
// are. One of an app of which nothing runs is connected to, and not asked for anything: that
// would wake it, or count as use.
func (u upstreams) lint(ctx context.Context, inv *inventory.Inventory) []string {
	ctx, cancel := context.WithTimeout(ctx, upstreamsLimit)
	defer cancel()
	told := make([]string, len(inv.Definitions))
	var group errgroup.Group
	group.SetLimit(upstreamsAtOnce)
	for i, e := range inv.Definitions {
		if e.Managed && e.URL != nil {
			group.Go(func() error { told[i] = u.look(ctx, e); return nil })
		}
	}
	_ = group.Wait()
	return slices.DeleteFunc(told, func(text string) bool { return text == "" })
}

// look says what is wrong with the URL of an app. Empty: nothing is, or there was no time.
func (u upstreams) look(ctx context.Context, e *inventory.Definition) string {
	within, cancel := context.WithTimeout(ctx, upstreamLimit)
	defer cancel()
	client := u.client()
	defer client.CloseIdleConnections()
	if !running(e) {
		return u.connect(ctx, within, e)
	}
	resp, err := client.Do(u.request(within, e))
	switch {
	case ctx.Err() != nil:
		return ""
	case err != nil:
		return unreached(e, err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode < 300 || resp.StatusCode > 399 {
		return ""
	}
	return u.redirected(e, resp)
}

// running reports whether something of the app runs, and is up.
func running(e *inventory.Definition) bool {
	return slices.ContainsFunc(e.App.Instances, func(i inventory.Instance) bool {
		return i.Status == inventory.Running && i.Health != inventory.HealthStarting
	})
}

// client follows no redirect.
func (u upstreams) client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: u.roots}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// request asks for an app as Traefik does for its visitors.
func (u upstreams) request(ctx context.Context, e *inventory.Definition) *http.Request {
	asked := *e.URL
	asked.Path = "/"
	req := (&http.Request{Method: http.MethodGet, URL: &asked, Header: http.Header{"User-Agent": {"Paastis"}}}).WithContext(ctx)
	visited := e.URL.Host
	for _, r := range e.Routers {
		if hosts := r.Match.Hosts(); len(hosts) > 0 {
			visited = hosts[0]
			break
		}
	}
	req.Header.Set("X-Forwarded-Host", visited)
	req.Header.Set("X-Forwarded-Proto", "https")
	if e.PassHost {
		req.Host = visited
	}
	return req
}

// connect connects to the URL of an app, and agrees on TLS.
func (u upstreams) connect(ctx, within context.Context, e *inventory.Definition) string {
	conn, err := u.dial(within, e.URL.Scheme, net.JoinHostPort(e.URL.Hostname(), strconv.Itoa(int(e.Port()))))
	switch {
	case ctx.Err() != nil:
		return ""
	case err != nil:
		return unreached(e, err)
	}
	_ = conn.Close()
	return ""
}

func (u upstreams) dial(ctx context.Context, scheme, address string) (net.Conn, error) {
	if scheme == "https" {
		return (&tls.Dialer{Config: &tls.Config{RootCAs: u.roots}}).DialContext(ctx, "tcp", address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// unreached says why nobody reaches the URL of an app.
func unreached(e *inventory.Definition, err error) string {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	_, unknown := errors.AsType[*net.DNSError](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case unknown:
		return fmt.Sprintf("app %q: its URL %s cannot be resolved: %v; so neither Paastis nor Traefik reaches it; correct it at its provider, or use a name server that knows it (%s)", e.Name, e.URL, err, e.App.Origin)
	case untrusted:
		return fmt.Sprintf("app %q: the certificate of its URL %s is not trusted: %v; so nobody is led there; have its platform mend it, or name its authority by SSL_CERT_FILE here and by rootCAs in Traefik (%s)", e.Name, e.URL, err, e.App.Origin)
	default:
		return fmt.Sprintf("app %q: nobody is reached at its URL %s: %v; see whether a firewall is between, or correct it at its provider (%s)", e.Name, e.URL, err, e.App.Origin)
	}
}

// redirected says what is wrong with where an app leads its visitors to at once. Empty: nothing is.
func (u upstreams) redirected(e *inventory.Definition, resp *http.Response) string {
	to, err := resp.Location()
	if err != nil || strings.TrimSuffix(to.Path, "/") != "" {
		return "" // to a page of its own, or one that asks who the visitor is
	}
	to.RawQuery, to.User, to.Fragment = "", nil, ""
	says := fmt.Sprintf("app %q: its URL %s answers %d to %s", e.Name, e.URL, resp.StatusCode, to)
	permanent := resp.StatusCode == http.StatusMovedPermanently || resp.StatusCode == http.StatusPermanentRedirect
	switch own := strings.EqualFold(to.Hostname(), e.URL.Hostname()); {
	case own && e.URL.Scheme == "http" && to.Scheme == "https":
		return fmt.Sprintf("%s, so its visitors go in circles: Traefik asks it by http:// again; let the URL at its provider be https:// (%s)", says, e.App.Origin)
	case own && e.HasURL(to):
		return fmt.Sprintf("%s, which is itself, so its visitors go in circles; mend the app, which may take X-Forwarded-Proto or X-Forwarded-Host for wrong (%s)", says, e.App.Origin)
	case own:
		return ""
	case u.ways.leadTo(to) == e:
		return fmt.Sprintf("%s, which Traefik leads to that very URL, so its visitors go in circles; let that host not be the canonical one at the platform, or let the platform be asked for it by pass_host: true (%s)", says, e.App.Origin)
	case permanent && u.ways.leadTo(to) == nil:
		return fmt.Sprintf("%s, which no router has, so its visitors leave Traefik there, and Paastis sees nothing of them; let that host not be the canonical one at the platform, or lead it to Traefik and give it to the app by host (%s)", says, e.App.Origin)
	default:
		return ""
	}
}

// ways are those by which requests get to apps.
type ways struct {
	inv   *inventory.Inventory
	files []fileWay
}

// fileWay is a router of a file or the like that leads to the URL of an app.
type fileWay struct {
	takes func(*traefik.Request) bool
	to    *inventory.Definition
}

// leadTo is the app that Traefik leads a URL to. Nil: none that is known.
func (w ways) leadTo(u *url.URL) *inventory.Definition {
	req, err := traefik.FromURL(u.String())
	if err != nil {
		return nil
	}
	if e, _ := w.inv.Route(&req); e != nil {
		return e
	}
	for _, f := range w.files {
		if f.takes(&req) {
			return f.to
		}
	}
	return nil
}
