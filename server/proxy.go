package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server/problem"
)

const (
	// dialLimit is how long an app may take to accept a connection. It is on a network
	// that Paastis is in, so that more than a moment means a lost packet.
	dialLimit = time.Second
	// urlDialLimit is how long it may take at the URL of an app, which DNS has to find first.
	urlDialLimit = 5 * time.Second
	// urlDialPause is between two attempts there, at somebody else's platform.
	urlDialPause = 500 * time.Millisecond
	// dialPause is between two attempts.
	dialPause = 25 * time.Millisecond
	// handshakeLimit is how long it may take to agree on TLS then.
	handshakeLimit = 5 * time.Second
	// personPatience is how long a person waits for an app that should answer and does not
	// accept connections.
	personPatience = 10 * time.Second
	// continueLimit is how long a body waits for the app to ask for it, if the visitor's
	// did so.
	continueLimit = time.Second
	// farewellLimit is how long an app may take to notice that the visitor has left a
	// WebSocket.
	farewellLimit = 5 * time.Second
)

var (
	// errClosed reports that the app was closed for requests before it got this one.
	errClosed = errors.New("the app is closed")
	// errElsewhere reports that the app is awake where Paastis does not reach it.
	errElsewhere = errors.New("no network in common with the app")
)

// proxy carries requests to apps, to addresses in networks of its own or to their URLs. Each has a
// connection of its own, but for those to URLs that may be sent again. One that is kept for
// later would be broken when the app has been restarted, which a POST cannot be sent
// again for, and would look like use of the app. The app is not told to close it: many
// would do so at once, with an upload under way that they have answered already.
type proxy struct {
	http, h2c, https, https1 *http.Transport
	url, url1, kept          *http.Transport

	registry *registry.Registry
	refusals *refusals
	log      *slog.Logger
	apart    sync.Map        // :: name of an app that shares no network with Paastis → it was told
	cutting  context.Context // ends when requests on their way to an app have to be cut
	farewell time.Duration   // see farewellLimit
}

func newProxy(cutting context.Context, reg *registry.Registry, refusals *refusals, log *slog.Logger) *proxy {
	var one, both, two http.Protocols
	one.SetHTTP1(true)
	both.SetHTTP1(true)
	both.SetHTTP2(true) // which gRPC over TLS needs
	two.SetUnencryptedHTTP2(true)
	return &proxy{
		http: newTransport(one), h2c: newTransport(two), https: newTransport(both), https1: newTransport(one),
		url: newURLTransport(both), url1: newURLTransport(one), kept: newKeptTransport(),
		registry: reg, refusals: refusals, log: log, cutting: cutting, farewell: farewellLimit,
	}
}

func newTransport(protocols http.Protocols) *http.Transport {
	return &http.Transport{
		Protocols:   &protocols,
		DialContext: (&net.Dialer{Timeout: dialLimit}).DialContext,
		// A container on a network of one's own has a certificate that nobody else has
		// signed, and no name that one could check. Traefik is told to skip that as well.
		TLSClientConfig:       &tls.Config{InsecureSkipVerify: true},
		TLSHandshakeTimeout:   handshakeLimit,
		ExpectContinueTimeout: continueLimit,
		DisableCompression:    true, // the visitor's own wish goes through as it is
	}
}

// newURLTransport is for URLs of apps, which have a name that one can check.
func newURLTransport(protocols http.Protocols) *http.Transport {
	t := newTransport(protocols)
	t.DialContext, t.TLSClientConfig = (&net.Dialer{Timeout: urlDialLimit}).DialContext, nil
	return t
}

// carry takes a request to the app and its answer back, and tells whether the visitor has
// got an answer; if not, the app is closed, and nothing of the request was sent. It goes
// on trying to reach the app until ctx ends. Only what counts is activity.
func (p *proxy) carry(ctx context.Context, a *routedRequest, counts bool) bool {
	k := a.keeper
	if !k.Enter(time.Now(), counts) {
		return false
	}
	defer func() { k.Leave(time.Now(), counts) }()
	target, conn, err := p.reach(ctx, a)
	switch {
	case errors.Is(err, errClosed):
		return false
	case errors.Is(err, errElsewhere):
		p.sendElsewhere(ctx, a)
	case err != nil:
		p.silent(a, err)
	default:
		defer conn.Close()
		ctx, cancel := context.WithCancel(a.r.Context())
		defer context.AfterFunc(p.cutting, cancel)()
		defer cancel()
		a.attend(p.farewell, cancel)
		err := p.pass(ctx, a, target, conn)
		if err != nil && err != errClosed {
			p.silent(a, err)
		}
		return err != errClosed
	}
	return true
}

// carrier is a connection to an app, or what gets one.
type carrier interface {
	http.RoundTripper
	Close() error
}

// attend ends a WebSocket a farewell after its visitor has left, even if the app does not notice:
// one that only waits for something to tell would be in use for ever.
func (a *routedRequest) attend(farewell time.Duration, end func()) {
	if strings.EqualFold(a.r.Header.Get("Upgrade"), "websocket") {
		a.w.left = func() { time.AfterFunc(farewell, end) }
	}
}

// reach connects to the app. An app that has just become ready may refuse for a moment
// more, and nothing has been sent yet: so it tries again, at least once, until ctx ends
// or the app is closed.
func (p *proxy) reach(ctx context.Context, a *routedRequest) (*registry.Upstream, carrier, error) {
	for {
		pause := dialPause
		target := p.registry.Publisher().Target(a.route)
		if target == nil && a.keeper.Open() {
			return nil, nil, errElsewhere
		}
		if target == nil {
			return nil, nil, errClosed
		}
		if target.IsOwn && isRepeatable(a.r) {
			return target, &kept{p.kept, a.keeper, ctx}, nil
		}
		conn, err := p.connect(a.r, target)
		switch {
		case err == nil:
			return target, conn, nil
		case !a.keeper.Open():
			return nil, nil, errClosed
		case a.keeper.Definition().Apart:
			return nil, nil, errElsewhere // there may be a firewall before the machine
		case isUntrusted(err):
			return nil, nil, err
		case target.IsOwn:
			pause = urlDialPause
		}
		select {
		case <-ctx.Done():
			return nil, nil, err
		case <-time.After(pause):
		}
	}
}

// connect opens a connection for a request. Only HTTP/1.1 can be upgraded to something
// else.
func (p *proxy) connect(r *http.Request, target *registry.Upstream) (*http.ClientConn, error) {
	scheme, transport := "http", p.http
	upgrade := r.Header["Upgrade"] != nil
	switch {
	case target.IsOwn && upgrade:
		scheme, transport = target.Scheme, p.url1
	case target.IsOwn:
		scheme, transport = target.Scheme, p.url
	case target.Scheme == "https" && upgrade:
		scheme, transport = "https", p.https1
	case target.Scheme == "https":
		scheme, transport = "https", p.https
	case target.Scheme == "h2c" && !upgrade:
		transport = p.h2c
	}
	return transport.NewClientConn(r.Context(), scheme, target.Address())
}

// pass sends a request on a connection, and what comes back to the visitor. It returns why nothing
// of it was sent; nil: it was, and the visitor has got an answer.
func (p *proxy) pass(ctx context.Context, a *routedRequest, target *registry.Upstream, conn http.RoundTripper) (unsent error) {
	// Else the server would take what it needs of a body to itself as soon as the answer
	// begins, while it is still being sent to the app.
	_ = http.NewResponseController(a.w).EnableFullDuplex()
	body := &upload{ReadCloser: a.r.Body}
	in := a.r.WithContext(ctx)
	if in.ContentLength != 0 {
		in.Body = body
	}
	back := func(http.Header) {}
	if target.KnowsHost {
		back = newRelocation(target.URL, &a.request).apply
	}
	(&httputil.ReverseProxy{
		Transport:      conn,
		FlushInterval:  -1,
		Rewrite:        func(pr *httputil.ProxyRequest) { rewrite(pr, target) },
		ModifyResponse: func(resp *http.Response) error { back(resp.Header); adapt(resp, in, a.w.Header()); return nil },
		ErrorHandler: func(_ http.ResponseWriter, r *http.Request, err error) {
			if why, is := isUnsent(err); is {
				unsent = why
				return
			}
			p.broken(a, r, err)
		},
		ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}).ServeHTTP(a.w, in)
	return unsent
}

// rewrite leads a request to the app, and leaves all else as Traefik has sent it. At its own URL
// the app is asked for by the host of that.
func rewrite(pr *httputil.ProxyRequest, target *registry.Upstream) {
	pr.Out.URL.Scheme, pr.Out.URL.Host = target.Scheme, target.Host
	if target.Scheme == "h2c" {
		pr.Out.URL.Scheme = "http"
	}
	pr.Out.URL.RawQuery = pr.In.URL.RawQuery
	pr.Out.Host = pr.In.Host
	if target.KnowsHost {
		pr.Out.Host = target.Host
		pr.Out.Header.Set("X-Forwarded-Host", pr.In.Host) // unless there is one, as Traefik has it
		pr.Out.Header.Set("X-Forwarded-Proto", schemeOf(pr.In))
	}
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, there := pr.In.Header[header]; there {
			pr.Out.Header[header] = values
		}
	}
	pr.Out.Trailer = pr.In.Trailer // its values come with the end of the body
}

// schemeOf is that by which a request came here.
func schemeOf(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// adapt makes the app's answer one that the server sends as it is, whose headers are h.
func adapt(resp *http.Response, in *http.Request, h http.Header) {
	h["Date"], h["Content-Type"] = nil, nil // the app's or none
	if in.ProtoMajor > 1 || resp.StatusCode == http.StatusSwitchingProtocols {
		return
	}
	if body, sent := in.Body.(*upload); sent && !body.ended.Load() {
		h.Set("Connection", "close") // what is left of the body is in the way of another request
	}
	if len(resp.Trailer) > 0 {
		resp.Header.Del("Content-Length") // HTTP/1.1 has either
	}
}

// upload is a body that knows whether it was read to its end.
type upload struct {
	io.ReadCloser
	ended atomic.Bool
}

func (u *upload) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err != nil {
		u.ended.Store(err == io.EOF)
	}
	return n, err
}

// broken answers where the app, or the way to it, failed after the request was sent.
func (p *proxy) broken(a *routedRequest, r *http.Request, err error) {
	if r.Context().Err() != nil || a.w.begun {
		panic(http.ErrAbortHandler) // the visitor has left, or cannot be told any more
	}
	p.log.Warn("app broke off", "app", a.keeper.Name(), "error", err)
	_ = tell(a.w, a.r, problem.Document{
		Status: http.StatusBadGateway,
		Title:  "The app broke off",
		Detail: "It has got the request, and gave no answer that one could understand.",
		App:    a.keeper.Name(),
		State:  registry.Ready.String(),
	})
}

// silent answers where an app is ready and accepts no connection.
func (p *proxy) silent(a *routedRequest, err error) {
	if a.r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the visitor has left
	}
	p.log.Warn("app does not accept connections", "app", a.keeper.Name(), "error", err)
	detail := "It runs, but does not accept connections."
	if isUntrusted(err) {
		detail = "It runs, but its certificate is not trusted."
	}
	p.refusals.send(a.w, a.r, problem.Document{
		Status: http.StatusBadGateway,
		Title:  "The app does not answer",
		Detail: detail,
		App:    a.keeper.Name(),
		State:  registry.Ready.String(),
	})
}

// isUntrusted reports whether who was reached has a certificate that is not trusted, or not one
// of the name that was asked for.
func isUntrusted(err error) bool {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	return untrusted
}

// sendElsewhere sends the visitor to where the request came from as soon as Traefik leads it
// to the app, which only Traefik reaches. Before that it would come here again.
func (p *proxy) sendElsewhere(ctx context.Context, a *routedRequest) {
	if _, told := p.apart.LoadOrStore(a.keeper.Name(), true); !told {
		p.log.Warn("app is on no network of Paastis's: requests that find it asleep are sent twice; put Paastis on one of its networks", "app", a.keeper.Name())
	}
	if p.registry.Publisher().AwaitTurn(ctx, a.route) && sendAgain(a.w, &a.request, registry.Ready) {
		return
	}
	p.refusals.sendBack(a.w, a.r, problem.Document{
		Title: "Paastis does not reach the app", Detail: "Traefik will lead to it in a moment. Send the request again.",
		App: a.keeper.Name(), State: registry.Ready.String(),
	})
}
