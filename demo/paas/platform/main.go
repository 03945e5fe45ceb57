// Command platform plays a Scalingo with one account and the review apps of many pull requests. It
// has the names of the real one on port 443, by certificates of an authority of its own, which it
// writes to where the others of the demo read it:
//
//	auth.scalingo.com, api.osc-fr1.scalingo.com   the API
//	NAME.osc-fr1.scalingo.io                      what a visitor of an app gets
//
// On port 8080 a person does what one does by the dashboard, and reads which calls came in.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/paastis/paastis/demo/app"
	"github.com/paastis/paastis/providers/scalingo/scalingotest"
)

// region is the only one of the account.
const region = "osc-fr1"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "healthcheck" {
		if !isHealthy() {
			os.Exit(1)
		}
		return
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "platform:", err)
		os.Exit(1)
	}
}

// run plays the platform until it is told to end.
func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := readSettings(os.Getenv)
	if err != nil {
		return err
	}
	certificate, err := issue(s.authority, "auth.scalingo.com", "api."+region+".scalingo.com", "*."+region+".scalingo.io")
	if err != nil {
		return err
	}
	p := newPlatform(s)
	p.RenewToken(s.token)
	for pr := 1; pr <= s.pullRequests; pr++ {
		for _, part := range []string{"front", "back"} {
			p.Create(region, fmt.Sprintf("%s%d-%s", s.prefix, pr, part), scalingotest.Type{Name: "web", Size: "M"})
		}
	}
	return serve(ctx, p, certificate)
}

// newPlatform is the platform of the settings. Of each pull request the front needs its back for
// each answer, as it has it at the platform.
func newPlatform(s settings) *scalingotest.Platform {
	var p *scalingotest.Platform
	p = scalingotest.New(scalingotest.Config{
		Regions: []string{region}, Boot: s.boot, Down: s.down, PerMinute: s.perMinute, InFlight: s.inFlight,
		Answers: func(name string) http.Handler {
			next := ""
			if of, is := strings.CutSuffix(name, "-front"); is {
				next = "https://" + of + "-back." + region + ".scalingo.io/"
			}
			return app.New(name, next, p.Transport())
		},
	})
	return p
}

// settings are what the environment says.
type settings struct {
	authority    string // the file that the authority's certificate goes to
	token        string // of the account
	prefix       string // of the names of the apps
	pullRequests int    // each with a front and a back
	boot, down   time.Duration
	perMinute    int // calls; 0: as many as the real one
	inFlight     int // scales; 0: as many as the real one
}

func readSettings(env func(string) string) (settings, error) {
	s := settings{
		authority: cmp.Or(env("AUTHORITY"), "/authority/ca.pem"), token: cmp.Or(env("TOKEN"), "tk-us-of-the-demo"),
		prefix: cmp.Or(env("PREFIX"), "pix-app-review-pr"),
	}
	var faults []error
	number := func(key, otherwise string) int {
		n, err := strconv.Atoi(cmp.Or(env(key), otherwise))
		if err != nil || n < 0 {
			faults = append(faults, fmt.Errorf("%s: %q is no number", key, env(key)))
		}
		return n
	}
	duration := func(key, otherwise string) time.Duration {
		d, err := time.ParseDuration(cmp.Or(env(key), otherwise))
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %q is no duration, such as 8s", key, env(key)))
		}
		return d
	}
	s.pullRequests, s.perMinute, s.inFlight = number("PULL_REQUESTS", "40"), number("PER_MINUTE", "0"), number("IN_FLIGHT", "0")
	s.boot, s.down = duration("BOOT", "8s"), duration("DOWN", "3s")
	return s, errors.Join(faults...)
}

// isApp reports whether a host is one of an app.
func isApp(host string) bool { return strings.HasSuffix(host, "."+region+".scalingo.io") }

// isHealthy reports whether the platform answers.
func isHealthy() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:8080/", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}
