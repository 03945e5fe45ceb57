package docker

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

// DefaultHost is where the engine listens unless something else is said.
const DefaultHost = "unix://" + defaultSocket

const (
	defaultSocket = "/var/run/docker.sock"
	idleTimeout   = 30 * time.Second
)

var errSSH = errors.New("DOCKER_HOST over ssh:// is not supported: forward the socket " +
	"(ssh -nNT -L /run/engine.sock:/var/run/docker.sock HOST) and use " +
	"unix:///run/engine.sock, or use tcp:// with TLS")

// endpoint is where the engine listens.
type endpoint struct {
	scheme  string // unix, tcp, http or https
	address string // the socket's path, or host:port
	path    string // before every call's path; empty for most
	secure  bool
}

// parseEndpoint understands what the Docker CLI does, and http(s)://. A host without
// a scheme is a TCP one. secure reports whether TLS is set up.
func parseEndpoint(host string, secure bool) (endpoint, error) {
	if host == "" {
		host = DefaultHost
		if secure {
			host = "tcp://localhost:2376"
		}
	}
	scheme, rest, found := strings.Cut(host, "://")
	if !found {
		scheme, rest = "tcp", host
	}
	switch scheme {
	case "unix":
		return endpoint{scheme: scheme, address: cmp.Or(rest, defaultSocket)}, nil
	case "tcp":
		return parseTCP(scheme, rest, "2375", secure)
	case "http":
		return parseTCP(scheme, rest, "80", false)
	case "https":
		return parseTCP(scheme, rest, "443", true)
	case "ssh":
		return endpoint{}, errSSH
	default:
		return endpoint{}, fmt.Errorf("host %q: only unix://, tcp://, http:// and https:// are supported", host)
	}
}

func parseTCP(scheme, rest, port string, secure bool) (endpoint, error) {
	u, err := url.Parse("tcp://" + rest)
	if err != nil {
		return endpoint{}, fmt.Errorf("host %q: %w", scheme+"://"+rest, errors.Unwrap(err))
	}
	return endpoint{
		scheme:  scheme,
		address: net.JoinHostPort(cmp.Or(u.Hostname(), "localhost"), cmp.Or(u.Port(), port)),
		path:    strings.TrimSuffix(u.Path, "/"),
		secure:  secure,
	}, nil
}

// String is the endpoint as it is set in DOCKER_HOST, without a password.
func (e endpoint) String() string { return e.scheme + "://" + e.address + e.path }

// local reports whether the engine runs on the machine that Paastis, or its container,
// runs on.
func (e endpoint) local() bool { return e.scheme == "unix" }

// name is the host that the engine is reached by. Empty for a socket.
func (e endpoint) name() string {
	if e.local() {
		return ""
	}
	host, _, _ := net.SplitHostPort(e.address)
	return host
}

// newClient makes the client of the endpoint. It negotiates the API's version with
// the first call, unless cfg fixes it.
func newClient(e endpoint, cfg Config) (*client.Client, error) {
	options := e.options(cfg)
	options = append(options, client.WithAPIVersion(cfg.APIVersion), client.WithUserAgent("paastis"))
	return client.New(append(options, client.WithHTTPResponseHook(decodeList))...)
}

// options are in an order that matters: the client sets its transport up for the host
// that it knows of, and it cannot do that to one of ours.
func (e endpoint) options(cfg Config) []client.Opt {
	scheme := "http"
	if e.secure {
		scheme = "https"
	}
	host := client.WithHost(e.dialed())
	if cfg.Transport != nil {
		own := &http.Client{Transport: cfg.Transport, CheckRedirect: client.CheckRedirect}
		return []client.Opt{host, client.WithHTTPClient(own), client.WithScheme(scheme)}
	}
	own := &http.Client{Transport: e.transport(cfg.TLS), CheckRedirect: client.CheckRedirect}
	return []client.Opt{client.WithHTTPClient(own), host, client.WithScheme(scheme)}
}

// dialed is the endpoint in the terms of the client, which has TLS apart.
func (e endpoint) dialed() string {
	if e.local() {
		return e.String()
	}
	return "tcp://" + e.address + e.path
}

// transport keeps as many idle connections as looks are taken at once.
func (e endpoint) transport(config *tls.Config) *http.Transport {
	t := &http.Transport{
		MaxIdleConns:        parallelLooks,
		MaxIdleConnsPerHost: parallelLooks,
		IdleConnTimeout:     idleTimeout,
		TLSHandshakeTimeout: idleTimeout,
	}
	if e.secure {
		// The client knows by it that a connection of its own, for a command, is secure.
		t.TLSClientConfig = cmp.Or(config, &tls.Config{MinVersion: tls.VersionTLS12})
	}
	return t
}
