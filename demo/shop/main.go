// Command shop is the app of the demo and of the tests: a front, a back or a database,
// as its environment says.
//
//	NAME       its name in its answers
//	PORT       where it listens; default 8080; none: nowhere, as a worker
//	ALSO       more ports where it listens, "3012 2222"; empty: none
//	BOOT       how long it takes to boot before it listens; default 1s
//	NEXT       the URL of the app that it needs for each answer; empty: none
//	EVERY      how often it asks the one at NEXT by itself, on a connection that it keeps, as
//	           a worker asks its queue; empty: never
//	EAT        how much memory it takes before it listens, "64MB"; empty: none
//	EXIT       the exit code with which it ends instead of listening; empty: it runs on
//	EXIT_FILE  a file that holds that exit code; without the file it runs on
//	LOGIN      user:password that a visitor must give, as an auth service asks for them;
//	           empty: nobody has to
//
// It speaks HTTP/1 and HTTP/2, both without TLS (h2c).
//
// As `shop healthcheck` it asks the one that runs beside it.
package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/paastis/paastis/demo/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv)
	stop()
	os.Exit(code)
}

// run boots and serves until ctx ends, and returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string) int {
	port := cmp.Or(getenv("PORT"), "8080")
	if len(args) > 0 && args[0] == "healthcheck" {
		return healthcheck(ctx, port)
	}
	boot, err := time.ParseDuration(cmp.Or(getenv("BOOT"), "1s"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "shop: BOOT:", err)
		return 2
	}
	select {
	case <-ctx.Done():
		return 0
	case <-time.After(boot):
	}
	if err := eat(getenv("EAT")); err != nil {
		fmt.Fprintln(os.Stderr, "shop: EAT:", err)
		return 2
	}
	if code, ends := exitCode(getenv); ends {
		fmt.Fprintln(os.Stderr, "shop: ends with", code, "as it was told")
		return code
	}
	stop, err := work(ctx, getenv("NEXT"), getenv("EVERY"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "shop: EVERY:", err)
		return 2
	}
	defer stop()
	if port == "none" {
		<-ctx.Done()
		return 0
	}
	return serve(ctx, append([]string{port}, strings.Fields(getenv("ALSO"))...), guard(getenv("LOGIN"), app.New(getenv("NAME"), getenv("NEXT"), nil)))
}

// exitCode is the one that EXIT or EXIT_FILE tells, if one does.
func exitCode(getenv func(string) string) (int, bool) {
	told := getenv("EXIT")
	if text, err := os.ReadFile(getenv("EXIT_FILE")); err == nil {
		told = strings.TrimSpace(string(text))
	}
	code, err := strconv.Atoi(told)
	return code, err == nil
}

// eaten keeps what eat has taken.
var eaten []byte

// eat takes memory and touches each page of it: untouched, it would cost nothing.
func eat(much string) error {
	if much == "" {
		return nil
	}
	n, err := humanize.ParseBytes(much)
	if err != nil {
		return err
	}
	eaten = make([]byte, n)
	for i := 0; i < len(eaten); i += os.Getpagesize() {
		eaten[i] = 1
	}
	return nil
}

// serve answers at all ports until ctx ends, and returns the exit code.
func serve(ctx context.Context, ports []string, handler http.Handler) int {
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, Protocols: new(http.Protocols)}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	failed := make(chan error, len(ports))
	for _, port := range ports {
		ln, err := new(net.ListenConfig).Listen(ctx, "tcp", ":"+port)
		if err != nil {
			fmt.Fprintln(os.Stderr, "shop:", err)
			_ = srv.Close()
			return 1
		}
		go func() { failed <- srv.Serve(ln) }()
	}
	select {
	case err := <-failed:
		fmt.Fprintln(os.Stderr, "shop:", err)
		_ = srv.Close()
		return 1
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = srv.Shutdown(limit)
	for range ports {
		<-failed
	}
	return 0
}

// work asks the app at next that often, in the background, until stop is called or ctx ends.
func work(ctx context.Context, next, every string) (stop func(), err error) {
	if every == "" {
		return func() {}, nil
	}
	interval, err := time.ParseDuration(every)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		client := &http.Client{Timeout: 5 * time.Second}
		for ctx.Err() == nil {
			if _, err := app.Ask(ctx, client, next); err != nil {
				fmt.Fprintln(os.Stderr, "shop:", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(interval):
			}
		}
	}()
	return func() { cancel(); <-done }, nil
}

func healthcheck(ctx context.Context, port string) int {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port+"/healthz", nil)
	if err != nil {
		return 1
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 1
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 1
	}
	return 0
}

// guard lets only those in who give user:password, and health checks; empty: everybody.
func guard(login string, inside http.Handler) http.Handler {
	if login == "" {
		return inside
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if r.URL.Path != "/healthz" && user+":"+password != login {
			w.Header().Set("WWW-Authenticate", `Basic realm="shop"`)
			http.Error(w, "log in first", http.StatusUnauthorized)
			return
		}
		inside.ServeHTTP(w, r)
	})
}
