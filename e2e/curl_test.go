package e2e

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// curl does what a command line of curl's does, as far as the examples use it. A machine
// that runs the tests need not have it, and hosts below .localhost lead to the example.
func (e *example) curl(command string) answer {
	e.t.Helper()
	c := curl{method: "GET", header: http.Header{"Accept": {"*/*"}, "User-Agent": {"curl/8.14.1"}}}
	words := shellWords(strings.TrimPrefix(command, "curl "))
	for len(words) > 0 {
		words = c.take(e, words)
	}
	client := &http.Client{
		Timeout: 60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			if c.follow {
				return nil
			}
			return http.ErrUseLastResponse
		},
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: c.insecure},
			DialContext:       e.dial,
		},
	}
	for {
		got := c.send(e, client)
		if c.retries == 0 || got.status != http.StatusServiceUnavailable && got.status != http.StatusBadGateway {
			return got
		}
		c.retries--
		pause, _ := strconv.Atoi(got.header.Get("Retry-After"))
		time.Sleep(time.Duration(max(pause, 1)) * time.Second)
	}
}

// curl is a command line of curl's.
type curl struct {
	method, url, body string
	header            http.Header
	follow, insecure  bool
	retries           int
}

// take reads a flag with its value, or the URL, and returns the words after it.
func (c *curl) take(e *example, words []string) []string {
	e.t.Helper()
	switch words[0] {
	case "-i", "-v", "-N":
		return words[1:]
	case "-k":
		c.insecure = true
		return words[1:]
	case "-L":
		c.follow = true
		return words[1:]
	}
	if !strings.HasPrefix(words[0], "-") {
		c.url = words[0]
		return words[1:]
	}
	value := words[1]
	switch words[0] {
	case "-A":
		c.header.Set("User-Agent", value)
	case "-H":
		key, value, _ := strings.Cut(value, ": ")
		c.header.Set(key, value)
	case "-d":
		c.method, c.body = "POST", value
		c.header.Set("Content-Type", "application/x-www-form-urlencoded")
	case "-u":
		user, password, _ := strings.Cut(value, ":")
		r := http.Request{Header: c.header}
		r.SetBasicAuth(user, password)
	case "--retry":
		c.retries, _ = strconv.Atoi(value)
	default:
		e.t.Fatalf("curl: no test knows %s", words[0])
	}
	return words[2:]
}

// send sends the request once. A connection that was switched to a WebSocket stays open
// until the test ends.
func (c *curl) send(e *example, client *http.Client) answer {
	e.t.Helper()
	req, err := http.NewRequest(c.method, c.url, strings.NewReader(c.body))
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header = c.header
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, took: time.Since(began)}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		e.open = resp.Body
		e.t.Cleanup(func() { _ = resp.Body.Close() })
		return a
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	a.body = string(body)
	return a
}

// dial leads every host to this machine, and the usual ports to the example's.
func (e *example) dial(ctx context.Context, network, address string) (net.Conn, error) {
	_, port, _ := net.SplitHostPort(address)
	to := "127.0.0.1:" + port
	switch port {
	case "80":
		to = e.traefik
	case "443":
		to = "127.0.0.1:" + e.https
	}
	return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, to)
}

// shellWords are the words of a command line, those in single quotes whole.
func shellWords(line string) []string {
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		end := " "
		if line[0] == '\'' {
			line, end = line[1:], "'"
		}
		word, rest, _ := strings.Cut(line, end)
		words, line = append(words, word), rest
	}
	return words
}
