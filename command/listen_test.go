package command

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/paastis/paastis/config"
)

func TestPaastisServesHTTP2OnItsTLSAddress(t *testing.T) {
	listeners, err := listen(t.Context(), config.Config{Listen: "127.0.0.1:0", ListenTLS: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})}
	t.Cleanup(func() { srv.Close() })
	for _, ln := range listeners {
		go func() { _ = srv.Serve(ln) }()
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true,
	}}
	for url, want := range map[string]string{
		"http://" + listeners[0].Addr().String(): "HTTP/1.1", "https://" + listeners[1].Addr().String(): "HTTP/2.0",
	} {
		resp, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Proto != want {
			t.Errorf("%s speaks %s, want %s", url, resp.Proto, want)
		}
	}
}

func TestWhatKeepsPaastisFromListeningIsOneClearLine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		config config.Config
		want   string
	}{
		{config.Config{Listen: taken.Addr().String()}, "choose another address with --listen"},
		{config.Config{Listen: "127.0.0.1:0", ListenTLS: taken.Addr().String()}, "choose another address with --listen-tls"},
		{config.Config{Listen: "127.0.0.1:0", ListenTLS: "127.0.0.1:0", TLS: config.TLS{Cert: "no.pem", Key: "no.key"}}, "no such file or directory; check tls.cert and tls.key"},
	} {
		_, err := listen(context.Background(), c.config)
		if err == nil || !strings.HasSuffix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: error %v, want one that ends with %q", c.config, err, c.want)
		}
	}
}
