package page

import (
	"testing"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server/problem"
)

func TestRetryAfterSaysWhenTheAppMayBeThere(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, c := range map[string]struct {
		view registry.View
		want string
	}{
		"a wake that has just begun":     {registry.View{State: registry.Starting, Began: now, Usual: 42 * time.Second}, "42"},
		"one that is half done":          {registry.View{State: registry.Starting, Began: ago(30 * time.Second), Usual: 42 * time.Second}, "12"},
		"one that is nearly done":        {registry.View{State: registry.Starting, Began: ago(41900 * time.Millisecond), Usual: 42 * time.Second}, "1"},
		"one that takes longer":          {registry.View{State: registry.Starting, Began: ago(60 * time.Second), Usual: 42 * time.Second}, "15"},
		"one that takes for ever":        {registry.View{State: registry.Starting, Began: ago(time.Hour), Usual: 42 * time.Second}, "60"},
		"the first one":                  {registry.View{State: registry.Starting, Began: now}, "5"},
		"the first one, after a while":   {registry.View{State: registry.Starting, Began: ago(40 * time.Second)}, "10"},
		"one that is about to be opened": {registry.View{State: registry.Starting, Usual: time.Minute}, "1"},
		"an app that still stops":        {registry.View{State: registry.Stopping, Usual: 8 * time.Second}, "8"},
		"an app that has failed":         {registry.View{State: registry.Failed, RetryAt: now.Add(33 * time.Second), Usual: time.Second}, "33"},
		"one that may be tried":          {registry.View{State: registry.Failed, RetryAt: ago(time.Second)}, "1"},
		"an app that is up":              {registry.View{State: registry.Ready, Usual: time.Minute}, "1"},
	} {
		if got := problem.Seconds(RetryIn(c.view, now)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
