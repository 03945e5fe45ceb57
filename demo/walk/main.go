// Command walk shows the main job on the demo that runs: a stack falls asleep, a visitor
// wakes it, and it falls asleep again. It prints each step with its time, and ends with
// 1 if one does not happen.
package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/demo/story"
)

// host is the app's, as docker-compose.yml says.
const host = "shop.localhost"

// stack are the containers in the order in which they stop.
var stack = []string{"shop-front-1", "shop-back-1", "shop-db-1"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	w := walk{story.Story{
		Context: ctx, Traefik: "127.0.0.1:" + or("DEMO_PORT", "8000"), Out: os.Stdout, Began: time.Now(), Logs: "docker compose logs paastis",
	}}
	if err := w.run(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// or is a variable's value, or what docker-compose.yml takes if it is not set.
func or(variable, otherwise string) string { return cmp.Or(os.Getenv(variable), otherwise) }

type walk struct{ story.Story }

func (w *walk) run() error {
	if err := w.Tell(w.fallAsleep, w.meetThePage, w.reachTheApp, w.fallAsleep); err != nil {
		return err
	}
	w.Say("done: open http://%s:%s/ yourself, and `make demo-down` when you have seen enough", host, strings.Split(w.Traefik, ":")[1])
	w.Say("the dashboard is at http://127.0.0.1:%s/, with the token %s", or("ADMIN_PORT", "8091"), or("ADMIN_TOKEN", "the-token-of-the-demo"))
	return nil
}

// fallAsleep waits until nothing of the stack runs.
func (w *walk) fallAsleep() error {
	w.Say("nobody comes; the stack is to fall asleep after 10 s …")
	asleep := map[string]bool{}
	err := w.Until(time.Minute, "the stack to fall asleep", func() (bool, error) {
		running, err := w.running()
		for _, c := range stack {
			if err == nil && !slices.Contains(running, c) && !asleep[c] {
				asleep[c] = true
				w.Say("  %s is asleep", c)
			}
		}
		return len(asleep) == len(stack), err
	})
	return err
}

// meetThePage makes the first request.
func (w *walk) meetThePage() error {
	var took time.Duration
	err := w.Until(20*time.Second, "the waiting page", func() (bool, error) {
		began := time.Now()
		got, err := w.Visit(host)
		took = time.Since(began)
		return got.Status == http.StatusServiceUnavailable && got.State != "" && strings.Contains(got.Body, "shop-front"), err
	})
	if err == nil {
		w.Say("a visitor opens http://%s/: the waiting page, after %s", host, took.Round(time.Millisecond))
	}
	return err
}

// reachTheApp visits until the app answers.
func (w *walk) reachTheApp() error {
	var answer string
	err := w.Until(time.Minute, "the app", func() (bool, error) {
		got, err := w.Visit(host)
		if err == nil && got.Status != http.StatusOK && got.State == "" {
			return false, fmt.Errorf("neither app nor waiting page answered: %d %s", got.Status, got.Body)
		}
		answer = strings.TrimSpace(got.Body)
		return got.Status == http.StatusOK, err
	})
	if err == nil {
		w.Say("front is awake, and reached back and db: %s", answer)
	}
	return err
}

// running are the stack's containers that run.
func (w *walk) running() ([]string, error) {
	out, err := exec.CommandContext(w.Context, "docker", "ps", "--filter", "label=com.docker.compose.project=shop", "--format", "{{.Names}}").Output()
	return strings.Fields(string(out)), err
}
