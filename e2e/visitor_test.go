package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// answer is what a visitor got.
type answer struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

func (a answer) String() string {
	return fmt.Sprintf("%d %s %q after %s", a.status, a.header.Get("X-Paastis-State"), a.body, a.took.Round(time.Millisecond))
}

// client comes to this site's Traefik whatever host it asks for.
func (s *testServer) client() *http.Client {
	return &http.Client{
		Timeout: 60 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, s.traefik)
			},
		},
	}
}

// send makes a request to a host through Traefik. header are "Key: value".
func (s *testServer) send(method, host, path string, body io.Reader, header ...string) (answer, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, "http://"+host+path, body)
	if err != nil {
		return answer{}, err
	}
	for _, h := range header {
		key, value, _ := strings.Cut(h, ": ")
		req.Header.Set(key, value)
	}
	began := time.Now()
	resp, err := s.client().Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(got), time.Since(began)}, err
}

// browse is a person's navigation.
func (s *testServer) browse(host string) answer {
	s.t.Helper()
	a, err := s.send("GET", host, "/", nil, "Accept: text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode: navigate")
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// browseUntilAwake navigates until the app itself answers. Any answer that is neither
// the app's nor the waiting page fails the test.
func (s *testServer) browseUntilAwake(host string, limit time.Duration) answer {
	s.t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		switch a := s.browse(host); {
		case a.status == http.StatusOK:
			return a
		case a.status != http.StatusServiceUnavailable || a.header.Get("X-Paastis-State") == "":
			s.t.Fatalf("neither the app nor the waiting page answered: %s", a)
		}
	}
	s.t.Fatalf("%s was not awake within %s", host, limit)
	return answer{}
}
