// Command walk shows the main job on the second demo that runs: of eighty review apps on a PaaS
// somebody opens one, and it wakes with the other half of its pull request; all others sleep on. It
// prints each step with its time, and at the end which calls the platform got for all that. It
// ends with 1 if a step does not happen.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/client"
	"github.com/paastis/paastis/demo/story"
)

// apps is how many there are: of each pull request a front and a back.
const apps = 80

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dashboard, token := "http://127.0.0.1:"+or("ADMIN_PORT", "8091"), or("ADMIN_TOKEN", "the-token-of-the-demo")
	api, err := client.New(dashboard, token)
	if err != nil {
		return err
	}
	w := walk{
		Story: story.Story{
			Context: ctx, Traefik: "127.0.0.1:" + or("DEMO_PORT", "8000"), Out: os.Stdout, Began: time.Now(),
			Logs: "docker compose -f demo/paas/docker-compose.yml logs paastis",
		},
		api: api, platform: "http://127.0.0.1:" + or("PLATFORM_PORT", "8092"),
	}
	err = w.Tell(w.seeAllAsleep, w.open("7", "front"), w.seeAwake("7"), w.open("12", "back"), w.seeAwake("12"), w.fallAsleep, w.countCalls)
	if err != nil {
		return err
	}
	w.Say("done: open http://%s:%s/ yourself, and `make demo-down` when you have seen enough", host("1", "front"), or("DEMO_PORT", "8000"))
	w.Say("the dashboard is at %s/, with the token %s", dashboard, token)
	return nil
}

// or is a variable's value, or what docker-compose.yml takes if it is not set.
func or(variable, otherwise string) string { return cmp.Or(os.Getenv(variable), otherwise) }

// name is that of a part of a pull request's app, host where it is visited.
func name(pr, part string) string { return "pix-app-review-pr" + pr + "-" + part }
func host(pr, part string) string { return name(pr, part) + ".apps.localhost" }

type walk struct {
	story.Story
	api      *client.Client
	platform string // where a person looks at the platform
}

// seeAllAsleep waits until Paastis has seen the account, and nobody is awake.
func (w *walk) seeAllAsleep() error {
	err := w.Until(time.Minute, "the apps of the account", func() (bool, error) {
		reply, err := w.api.Apps(w.Context)
		if err != nil {
			return false, nil // it begins
		}
		return len(reply.Value.Apps) == apps && len(awake(reply.Value)) == 0, nil
	})
	if err == nil {
		w.Say("forty pull requests, each a front and a back: %d apps, all asleep", apps)
	}
	return err
}

// awake are the apps that are not asleep, by name.
func awake(list client.List) []string {
	var names []string
	for _, a := range list.Apps {
		if a.State != "asleep" {
			names = append(names, string(a.Name))
		}
	}
	slices.Sort(names)
	return names
}

// open visits one of them until the app itself answers.
func (w *walk) open(pr, part string) story.Step {
	return func() error {
		began, paged := time.Now(), false
		var got story.Answer
		err := w.Until(2*time.Minute, "the app", func() (done bool, err error) {
			got, err = w.Visit(host(pr, part))
			switch {
			case err != nil:
				return false, err
			case got.Status == http.StatusOK:
				return true, nil
			case got.State == "" && got.Status != http.StatusNotFound: // that is Traefik, which has not fetched its routes yet
				return false, fmt.Errorf("neither app nor waiting page answered: %d %s", got.Status, got.Body)
			case got.State != "" && !paged:
				paged = true
				w.Say("a visitor opens http://%s/: the waiting page", host(pr, part))
			}
			return false, nil
		})
		if err == nil {
			w.Say("  after %s the app answers: %s", time.Since(began).Round(100*time.Millisecond), strings.Join(strings.Fields(got.Body), " "))
		}
		return err
	}
}

// seeAwake wants both halves of a pull request awake.
func (w *walk) seeAwake(pr string) story.Step {
	return func() error {
		reply, err := w.api.Apps(w.Context)
		if err != nil {
			return err
		}
		up := awake(reply.Value)
		for _, part := range []string{"front", "back"} {
			if !slices.Contains(up, name(pr, part)) {
				return fmt.Errorf("%s is not awake; these are: %s", name(pr, part), strings.Join(up, ", "))
			}
		}
		w.Say("  awake: %s; %d sleep on", strings.Join(up, ", "), apps-len(up))
		return nil
	}
}

// fallAsleep waits until nobody is awake any more.
func (w *walk) fallAsleep() error {
	w.Say("nobody comes; both pull requests are to fall asleep …")
	return w.Until(3*time.Minute, "the apps to fall asleep", func() (bool, error) {
		reply, err := w.api.Apps(w.Context)
		return err == nil && len(awake(reply.Value)) == 0, err
	})
}

// countCalls shows which calls the platform got.
func (w *walk) countCalls() error {
	req, err := http.NewRequestWithContext(w.Context, http.MethodGet, w.platform+"/calls", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	table, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	w.Say("all %d are asleep again. What the platform was asked for all that:", apps)
	fmt.Fprintf(w.Out, "\n%s\n", table)
	return nil
}
