package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const wantsEvents = "Accept: text/event-stream"

// told are the events of a stream, in short: "shop starting: db starting, back queued".
// Comments are left out.
func told(t *testing.T, stream string) []string {
	t.Helper()
	var told []string
	for event := range strings.SplitSeq(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		data, is := strings.CutPrefix(event, "data: ")
		if !is {
			if !strings.HasPrefix(event, ":") {
				t.Errorf("%q is no event", event)
			}
			continue
		}
		var p picture
		if err := json.Unmarshal([]byte(data), &p); err != nil {
			t.Errorf("%v in %q", err, data)
		}
		var steps []string
		for _, s := range p.Steps {
			steps = append(steps, fmt.Sprintf("%s %s", s.Name, s.Progress))
		}
		told = append(told, strings.TrimSuffix(p.State+": "+strings.Join(steps, ", "), ": "))
	}
	return told
}

func TestEventsShowEachStepAndEndAtReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, routed("shop", "back").at("shop.test"), service("back", "db"), service("db"))
		began := time.Now()
		w := s.answer(come("shop", "/", "X-Paastis-Poll: 1", wantsEvents))
		if got := gist(w) + " " + after(began); got != "200 text/event-stream starting after 30s" {
			t.Error(got)
		}
		wantOwnHeaders(t, "poll", w)
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q", got)
		}
		got := slices.Compact(told(t, w.Body.String()))
		want := []string{
			"starting: db queued, back queued",
			"starting: db starting, back queued",
			"starting: db healthy, back queued",
			"starting: db healthy, back starting",
			"starting: db healthy, back healthy",
			"ready: db healthy, back healthy",
		}
		if !isPartOf(want, got) || got[len(got)-1] != want[len(want)-1] {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// isPartOf tells that the events of the one are among those of the other, in order; but
// where two follow at the same time, only the second may have been seen.
func isPartOf(want, got []string) bool {
	seen := 0
	for _, event := range got {
		i := slices.Index(want, event)
		if i < seen {
			return false
		}
		seen = i
	}
	return len(got) >= 3
}

func TestEventsTellAChangeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, routed("shop", "db").at("shop.test"), service("db"))
		w := &clocked{began: time.Now()}
		s.ServeHTTP(w, come("shop", "/", "X-Paastis-Poll: 1", wantsEvents))
		for event, at := range map[string]time.Duration{`"progress":"healthy"`: 10 * time.Second, `"state":"ready"`: 20 * time.Second} {
			if got := w.first(event); got != at {
				t.Errorf("%s after %s, want %s", event, got, at)
			}
		}
	})
}

func TestEventsEndWhenNothingMoreComesByItself(t *testing.T) {
	for name, c := range map[string]struct{ state, want string }{
		"of an app that is ready":      {"awake", "ready after 0s"},
		"of an app that cannot start":  {"asleep", "failed after 0s"},
		"of an app that has failed":    {"failed", "failed after 0s"},
		"of an app that never answers": {"starting", "starting after 5m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop := routed("shop").at("shop.test").label("paastis.start_timeout", "1h")
				switch shop.boot = time.Hour / 2; c.state {
				case "awake":
					shop.awake()
				case "asleep", "failed":
					shop.startErr = errors.New("no")
				}
				s := inStateOf(t, shop, c.state)
				began := time.Now()
				events := told(t, s.answer(come("shop", "/", "X-Paastis-Poll: 1", wantsEvents)).Body.String())
				if got := fmt.Sprintf("%s after %s", events[len(events)-1], time.Since(began)); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			})
		})
	}
}

func TestEventsBeatWhileNothingChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop := routed("shop").at("shop.test")
		shop.boot = time.Minute + time.Second
		s := live(t, shop)
		w := s.answer(come("shop", "/", "X-Paastis-Poll: 1", wantsEvents))
		if n := strings.Count(w.Body.String(), "\n\n:"); n != 6 {
			t.Errorf("%d beats in a minute:\n%s", n, w.Body)
		}
		if n := w.Body.Len(); n > 4096 {
			t.Errorf("%d bytes", n)
		}
	})
}

func TestEventsEndWithTheVisitorAndWithTheServer(t *testing.T) {
	for name, leaves := range map[string]bool{"the visitor": true, "the server": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := live(t, routed("shop").at("shop.test"))
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				time.AfterFunc(3*time.Second, map[bool]func(){true: leave, false: s.close}[leaves])
				began := time.Now()
				s.answer(come("shop", "/", "X-Paastis-Poll: 1", wantsEvents).WithContext(ctx))
				if got := after(began); got != "after 3s" {
					t.Errorf("ended %s", got)
				}
			})
		})
	}
}

func TestForwardAuthHasNoEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, service("shop").at("shop.test"))
		if got := gist(s.answerTo("http://shop.test/", "X-Paastis-Poll: 1", wantsEvents)); got != "503 json starting" {
			t.Error(got)
		}
	})
}
