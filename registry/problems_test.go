package registry

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/provider"
)

// logOf runs a registry over a provider until do has returned, and is its log.
func logOf(t *testing.T, p provider.Provider, do func(*Registry)) string {
	t.Helper()
	var log bytes.Buffer
	runs(t, p, Options{Settings: settingsFor(t, ""), Log: slog.New(slog.NewTextHandler(&log, nil))}, do)
	return log.String()
}

func TestAProblemIsToldOnceAndOnlyIfItLasts(t *testing.T) {
	for name, c := range map[string]struct {
		before, after time.Duration // from the app to the one that it needs, and then
		found         bool          // when Paastis starts
		want          int
	}{
		"compose makes one after the other": {time.Second, time.Hour, false, 0},
		"it is missing for a while":         {9 * time.Second, time.Hour, false, 0},
		"it is missing for longer":          {11 * time.Second, time.Hour, false, 1},
		"it is missing":                     {time.Hour, 0, false, 1},
		"it was missing before":             {time.Second, time.Hour, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(service("wiki", "web"))
				front := service("shop", "front", "db").routed("shop.test")
				if c.found {
					f = newFake(front)
				}
				log := logOf(t, f, func(*Registry) {
					if !c.found {
						f.add(front)
					}
					time.Sleep(c.before)
					f.add(service("shop", "db"))
					time.Sleep(c.after)
				})
				if got := strings.Count(log, `which does not exist`); got != c.want {
					t.Errorf("told %d times, want %d:\n%s", got, c.want, log)
				}
			})
		})
	}
}
