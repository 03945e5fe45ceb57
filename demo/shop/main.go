// Command shop is the app of the demo and of the tests: a front, a back or a database,
// as its environment says.
//
//	NAME       its name in its answers
//	PORT       where it listens; default 8080
//	BOOT       how long it takes to boot before it listens; default 1s
//	NEXT       the URL of the app that it needs for each answer; empty: none
//	EAT        how much memory it takes before it listens, "64MB"; empty: none
//	EXIT       the exit code with which it ends instead of listening; empty: it runs on
//	EXIT_FILE  a file that holds that exit code; without the file it runs on
//	LOGIN      user:password that a visitor must give, as an auth service asks for them;
//	           empty: nobody has to
//
// As `shop healthcheck` it asks the one that runs beside it.
package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"
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
	return serve(ctx, ":"+port, guard(getenv("LOGIN"), newShop(getenv("NAME"), getenv("NEXT"))))
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

func serve(ctx context.Context, address string, handler http.Handler) int {
	srv := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- srv.ListenAndServe() }()
	select {
	case err := <-failed:
		fmt.Fprintln(os.Stderr, "shop:", err)
		return 1
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = srv.Shutdown(limit)
	<-failed
	return 0
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
