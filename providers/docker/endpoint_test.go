package docker

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/jarcoal/httpmock"
)

func TestHostIsUnderstoodAsTheDockerCLIDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host   string
		secure bool
		want   endpoint
	}{
		{"", false, endpoint{scheme: "unix", address: "/var/run/docker.sock"}},
		{"", true, endpoint{scheme: "tcp", address: "localhost:2376", secure: true}},
		{"unix://", false, endpoint{scheme: "unix", address: "/var/run/docker.sock"}},
		{"unix:///run/podman/podman.sock", true, endpoint{scheme: "unix", address: "/run/podman/podman.sock"}},
		{"tcp://proxy:2375", false, endpoint{scheme: "tcp", address: "proxy:2375"}},
		{"tcp://proxy", false, endpoint{scheme: "tcp", address: "proxy:2375"}},
		{"proxy:2375", false, endpoint{scheme: "tcp", address: "proxy:2375"}},
		{"tcp://[fd00::2]:2376", true, endpoint{scheme: "tcp", address: "[fd00::2]:2376", secure: true}},
		{"tcp://u:secret@proxy:2375/docker/", false, endpoint{scheme: "tcp", address: "proxy:2375", path: "/docker"}},
		{"http://proxy/docker", true, endpoint{scheme: "http", address: "proxy:80", path: "/docker"}},
		{"https://engine.example.com", false, endpoint{scheme: "https", address: "engine.example.com:443", secure: true}},
	} {
		got, err := parseEndpoint(c.host, c.secure)
		if err != nil {
			t.Errorf("%s: %v", c.host, err)
		}
		equal(t, c.host, got, c.want)
	}
}

func TestHostThatIsNotUnderstoodIsAnError(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"ssh://ops@box": "docker: DOCKER_HOST over ssh:// is not supported: forward the socket " +
			"(ssh -nNT -L /run/engine.sock:/var/run/docker.sock HOST) and use " +
			"unix:///run/engine.sock, or use tcp:// with TLS",
		"npipe:////./pipe/docker": `docker: host "npipe:////./pipe/docker": only unix://, tcp://, http:// and https:// are supported`,
		"tcp://proxy:port":        `docker: host "tcp://proxy:port": invalid port ":port" after host`,
	} {
		_, err := NewConfig(Config{Host: host})
		failed(t, err, want)
	}
	_, err := NewConfig(Config{APIVersion: "latest"})
	if err == nil {
		t.Error("no error for an API version that is none")
	}
}

func TestCallsGoToTheHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"tcp://proxy:2375":          "http://proxy:2375/v1.41/containers/json?all=1",
		"http://proxy/docker":       "http://proxy:80/docker/v1.41/containers/json?all=1",
		"https://engine.test":       "https://engine.test:443/v1.41/containers/json?all=1",
		"unix:///var/run/dock.sock": "http:///v1.41/containers/json?all=1",
	} {
		var got *url.URL
		p, err := NewConfig(Config{Host: host, APIVersion: "1.41", Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			got = r.URL
			return httpmock.NewStringResponse(200, "[]"), nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		listOf(t, p)
		if host[:4] == "unix" {
			got.Host = ""
		}
		equal(t, host, got.String(), want)
	}
}

func TestListGoesOverASocket(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "engine.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler(newEngine(t, "tty"))}}
	server.Start()
	defer server.Close()
	p, err := NewConfig(Config{Host: "unix://" + socket})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "apps", appNames(listOf(t, p)), []string{"tty"})
}

func TestListGoesOverTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(handler(newEngine(t, "tty")))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	trusted := server.Client().Transport.(*http.Transport).TLSClientConfig
	for _, scheme := range []string{"tcp://", "https://"} {
		p, err := NewConfig(Config{Host: scheme + server.Listener.Addr().String(), TLS: trusted})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "apps", appNames(listOf(t, p)), []string{"tty"})
	}
	p, err := NewConfig(Config{Host: "tcp://" + server.Listener.Addr().String(), TLS: &tls.Config{}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.List(t.Context())
	failed(t, err, "docker: cannot reach the engine at tcp://"+server.Listener.Addr().String()+
		": tls: failed to verify certificate: x509: certificate signed by unknown authority; is it running?")
}

func TestEngineThatCannotBeReachedIsOneLineThatSaysWhy(t *testing.T) {
	t.Parallel()
	dialing := func(no syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", no)}
	}
	const unix = "docker: cannot reach the engine at unix:///var/run/docker.sock: "
	const socket = "; is it running, and may Paastis read the socket?"
	for _, c := range []struct {
		host string
		err  error
		want string
	}{
		{"", dialing(syscall.ENOENT), unix + "no such file or directory" + socket},
		{"", dialing(syscall.EACCES), unix + "permission denied" + socket},
		{"", dialing(syscall.ECONNREFUSED), unix + "connection refused" + socket},
		{"tcp://proxy:2375", &net.DNSError{Err: "no such host", Name: "proxy"},
			"docker: cannot reach the engine at tcp://proxy:2375: lookup proxy: no such host; is it running?"},
		{"tcp://proxy:2376", errors.New("tls: unknown\ncertificate authority"),
			"docker: cannot reach the engine at tcp://proxy:2376: tls: unknown certificate authority; is it running?"},
	} {
		p, err := NewConfig(Config{Host: c.host, Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, c.err
		})})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.List(t.Context())
		failed(t, err, c.want)
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("%v is not ErrUnreachable", err)
		}
		equal(t, "visible", visible(err), "its provider cannot be reached")
		failed(t, p.Watch(t.Context(), nil), c.want)
	}
}

func TestEngineThatGoesAwayBetweenListAndLookIsUnreachable(t *testing.T) {
	t.Parallel()
	e := newEngine(t, recordings...)
	p, err := NewConfig(Config{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodHead || path.Dir(r.URL.Path) == "/v1.41/containers" {
			return e.transport.RoundTrip(r)
		}
		return nil, &net.OpError{Op: "dial", Net: "unix", Err: syscall.ECONNREFUSED}
	})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = p.List(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

func TestMissingSocketIsToldByItsPath(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "none.sock")
	p, err := NewConfig(Config{Host: "unix://" + socket})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.List(t.Context())
	failed(t, err, "docker: cannot reach the engine at unix://"+socket+
		": no such file or directory; is it running, and may Paastis read the socket?")
}

func TestEngineThatDoesNotAnswerIsUnreachable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, err := NewConfig(Config{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		})})
		if err != nil {
			t.Fatal(err)
		}
		const want = "docker: cannot reach the engine at unix:///var/run/docker.sock: " +
			"no answer in time; is it running, and may Paastis read the socket?"
		_, err = p.List(t.Context())
		failed(t, err, want)
		failed(t, p.Watch(t.Context(), nil), want)
	})
}

func TestMachineThatIsCutOffIsUnreachable(t *testing.T) {
	t.Parallel()
	for want, trouble := range map[string]error{
		"dial tcp: no route to host":         &net.OpError{Op: "dial", Net: "tcp", Err: syscall.EHOSTUNREACH},
		"dial tcp: network is unreachable":   &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ENETUNREACH},
		"read tcp: connection reset by peer": &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET},
		// One that times out: the client takes it for the end of the caller's time.
		"dial tcp: context deadline exceeded": &net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded},
		"EOF":                                 io.EOF,
	} {
		p, err := NewConfig(Config{Host: "tcp://attic:2376", APIVersion: "1.41", Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, trouble })})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.List(t.Context())
		failed(t, err, "docker: cannot reach the engine at tcp://attic:2376: "+want+"; is it running?")
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("%v is of the wrong kind", err)
		}
	}
}

func TestCallerThatLeavesIsNotTheEnginesFault(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := NewConfig(Config{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		cancel()
		return nil, r.Context().Err()
	})})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.List(ctx)
	failed(t, err, "docker: list containers: context canceled")
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnreachable) {
		t.Errorf("%v is of the wrong kind", err)
	}
}

func TestTLSIsSetUpAsTheDockerCLIDoes(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	authority, err := os.ReadFile("testdata/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "ca.pem"), authority, 0o600); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := os.CopyFS(filepath.Join(home, ".docker"), os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name               string
		env                map[string]string
		tls, verify, trust bool
	}{
		{"nothing", nil, false, false, false},
		{"certificates alone", map[string]string{EnvCertPath: folder}, false, false, false},
		{"verify", map[string]string{EnvTLSVerify: "1", EnvCertPath: folder}, true, true, true},
		{"verify, the CLI's folder", map[string]string{EnvTLSVerify: "1", EnvConfig: folder}, true, true, true},
		{"verify, the default folder", map[string]string{EnvTLSVerify: "1", "HOME": home}, true, true, true},
		{"unchecked", map[string]string{EnvTLS: "1", EnvCertPath: folder}, true, false, false},
	} {
		cfg, err := configFromEnv(func(name string) string { return c.env[name] })
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		equal(t, c.name+": TLS", cfg.TLS != nil, c.tls)
		if cfg.TLS != nil {
			equal(t, c.name+": verified", !cfg.TLS.InsecureSkipVerify, c.verify)
			equal(t, c.name+": own authority", cfg.TLS.RootCAs != nil, c.trust)
		}
	}
}

func TestTLSWithoutItsFilesIsAnError(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	env := map[string]string{EnvTLSVerify: "1", EnvCertPath: folder}
	_, err := configFromEnv(func(name string) string { return env[name] })
	failed(t, err, "DOCKER_TLS_VERIFY: open "+folder+"/ca.pem: no such file or directory")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is of the wrong kind", err)
	}
	if err := os.WriteFile(folder+"/ca.pem", []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = configFromEnv(func(name string) string { return env[name] })
	failed(t, err, "DOCKER_TLS_VERIFY: "+folder+"/ca.pem holds no certificate")
}

func TestHostAndVersionComeFromTheEnvironment(t *testing.T) {
	t.Parallel()
	env := map[string]string{EnvHost: "tcp://proxy:2375", EnvAPIVersion: "1.41"}
	cfg, err := configFromEnv(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "config", cfg, Config{Host: "tcp://proxy:2375", APIVersion: "1.41"})
}

// handler serves what the engine answers on a real connection.
func handler(e *engine) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Host = r.Host
		answer, err := e.transport.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		io.Copy(w, answer.Body)
	})
}

// roundTripper is a transport made of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
