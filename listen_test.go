package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestPaastisServesHTTP2OnItsTLSAddress(t *testing.T) {
	listeners, err := Config{Listen: "127.0.0.1:0", ListenTLS: "127.0.0.1:0"}.listen(t.Context())
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
		config Config
		want   string
	}{
		{Config{Listen: taken.Addr().String()}, "choose another address with --listen"},
		{Config{Listen: "127.0.0.1:0", ListenTLS: taken.Addr().String()}, "choose another address with --listen-tls"},
		{Config{Listen: "127.0.0.1:0", ListenTLS: "127.0.0.1:0", TLS: TLSConfig{Cert: "no.pem", Key: "no.key"}}, "no such file or directory; check tls.cert and tls.key"},
	} {
		_, err := c.config.listen(context.Background())
		if err == nil || !strings.HasSuffix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: error %v, want one that ends with %q", c.config, err, c.want)
		}
	}
}

func TestACertificateWithoutItsKeyIsRefused(t *testing.T) {
	_, err := loadConfig("", []string{"PAASTIS_TLS_CERT=/a.pem", "PAASTIS_LISTEN_TLS=3443"}, nil)
	for _, want := range []string{"tls.cert and tls.key belong together", `"3443" is no address`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
