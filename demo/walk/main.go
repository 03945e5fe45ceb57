// Command walk shows the main job on the demo that runs: a stack falls asleep, a visitor
// wakes it, and it falls asleep again. It prints each step with its time, and ends with
// 1 if one does not happen.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// host is the app's, as docker-compose.yml says.
const host = "shop.localhost"

// stack are the containers in the order in which they stop.
var stack = []string{"shop-front-1", "shop-back-1", "shop-db-1"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	w := walk{ctx: ctx, address: "127.0.0.1:" + or("DEMO_PORT", "8000"), out: os.Stdout, began: time.Now()}
	if err := w.run(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// or is a variable's value, or what docker-compose.yml takes if it is not set.
func or(variable, otherwise string) string { return cmp.Or(os.Getenv(variable), otherwise) }

type walk struct {
	ctx     context.Context
	address string // of Traefik
	out     io.Writer
	began   time.Time
}

func (w *walk) run() error {
	steps := []func() error{w.fallAsleep, w.meetThePage, w.reachTheApp, w.fallAsleep}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	w.say("done: open http://%s:%s/ yourself, and `make demo-down` when you have seen enough", host, strings.Split(w.address, ":")[1])
	w.say("the dashboard is at http://127.0.0.1:%s/, with the token %s", or("ADMIN_PORT", "8091"), or("ADMIN_TOKEN", "the-token-of-the-demo"))
	return nil
}

// fallAsleep waits until nothing of the stack runs.
func (w *walk) fallAsleep() error {
	w.say("nobody comes; the stack is to fall asleep after 10 s …")
	asleep := map[string]bool{}
	err := w.until(time.Minute, "the stack to fall asleep", func() (bool, error) {
		running, err := w.running()
		for _, c := range stack {
			if err == nil && !slices.Contains(running, c) && !asleep[c] {
				asleep[c] = true
				w.say("  %s is asleep", c)
			}
		}
		return len(asleep) == len(stack), err
	})
	return err
}

// meetThePage makes the first request.
func (w *walk) meetThePage() error {
	var took time.Duration
	err := w.until(20*time.Second, "the waiting page", func() (bool, error) {
		began := time.Now()
		status, state, body, err := w.visit()
		took = time.Since(began)
		return status == http.StatusServiceUnavailable && state != "" && strings.Contains(body, "shop-front"), err
	})
	if err == nil {
		w.say("a visitor opens http://%s/: the waiting page, after %s", host, took.Round(time.Millisecond))
	}
	return err
}

// reachTheApp visits until the app answers.
func (w *walk) reachTheApp() error {
	var answer string
	err := w.until(time.Minute, "the app", func() (bool, error) {
		status, state, body, err := w.visit()
		if err == nil && status != http.StatusOK && state == "" {
			return false, fmt.Errorf("neither app nor waiting page answered: %d %s", status, body)
		}
		answer = strings.TrimSpace(body)
		return status == http.StatusOK, err
	})
	if err == nil {
		w.say("front is awake, and reached back and db: %s", answer)
	}
	return err
}

// visit is a person's navigation.
func (w *walk) visit() (status int, state, body string, err error) {
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, "http://"+w.address+"/", nil)
	if err != nil {
		return 0, "", "", err
	}
	req.Host = host
	req.Header.Set("Accept", "text/html")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header.Get("X-Paastis-State"), string(text), err
}

// running are the stack's containers that run.
func (w *walk) running() ([]string, error) {
	out, err := exec.CommandContext(w.ctx, "docker", "ps", "--filter", "label=com.docker.compose.project=shop", "--format", "{{.Names}}").Output()
	return strings.Fields(string(out)), err
}

// until asks again and again whether something has happened.
func (w *walk) until(limit time.Duration, what string, happened func() (bool, error)) error {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if ok, err := happened(); ok || err != nil {
			return err
		}
		select {
		case <-w.ctx.Done():
			return errors.New("interrupted")
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("waited %s for %s; `docker compose logs paastis` may say why", limit, what)
}

func (w *walk) say(format string, args ...any) {
	fmt.Fprintf(w.out, "%6.2f s  %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
}
