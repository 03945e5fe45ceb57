package page

import (
	"fmt"
	"sync"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

// sample is a page for whoever makes a theme: of an app that is not there.
type sample struct {
	key   string // in URLs
	about string // for people
	state State
	brand brand
	lang  string        // Accept-Language; empty: English
	ago   time.Duration // how long it is on its way up
}

// sampleSize is how much of a sample is drawn.
var sampleSize = sizes[0]

// at is what a sample shows now.
func (s sample) at(now time.Time) State {
	if s.state.View.State == registry.Starting {
		s.state.View.Began = now.Add(-s.ago)
	}
	s.state.View.Brand = rules.Brand(s.brand)
	return s.state
}

// data is what a theme gets to draw of a sample.
func (s sample) data() Data {
	now := time.Now()
	return s.at(now).data(localeFor(s.lang), sampleSize, now)
}

// sampleNamed finds a sample by its key.
func sampleNamed(key string) (sample, bool) {
	for _, s := range samples() {
		if s.key == key {
			return s, true
		}
	}
	return sample{}, false
}

// samples are one of each state that a page can be in. No theme fails at one of them.
var samples = sync.OnceValue(func() []sample {
	const name = "shop-review-pr42-front"
	steps := []registry.Step{
		{Name: "shop-review-pr42-db", Progress: registry.Up}, {Name: "shop-review-pr42-cache", Progress: registry.Up},
		{Name: "shop-review-pr42-search", Progress: registry.Up}, {Name: "shop-review-pr42-mail", Progress: registry.Waking},
		{Name: "shop-review-pr42-worker", Progress: registry.Waking}, {Name: "shop-review-pr42-back", Progress: registry.Queued},
		{Name: "shop-review-pr42-admin", Progress: registry.Queued},
		{Name: "shop-review-pr42-wiki", Progress: registry.Skipped, Reason: reason.Reason{Kind: reason.Missing}},
	}
	exited := reason.Reason{Kind: reason.Exited, Code: 3}
	failed := []registry.Step{
		steps[0], {Name: "shop-review-pr42-back", Progress: registry.Broken, Reason: exited}, steps[6],
	}
	logs := []string{"listening on :8080", "connecting to shop-review-pr42-db:5432", `fatal: password authentication failed for user "shop"`}
	waking := func(v registry.View) registry.View { v.Name, v.State = name, registry.Starting; return v }
	broken := func(v registry.View) registry.View { v.Name, v.State = name, registry.Failed; return v }
	needed := reason.Reason{Kind: reason.NeedFailed, Apps: []string{"shop-review-pr42-back"}, Because: &exited}
	memory := reason.Reason{Kind: reason.OutOfMemory}
	queued := reason.Reason{Kind: reason.Queued, Count: 3, Place: 2}
	stopped := reason.Reason{Kind: reason.StaysStopped, Apps: []string{name}}
	all := []sample{
		{key: "first", about: "The first wake: nobody knows how long it takes", state: State{View: waking(registry.View{})}},
		{key: "usual", about: "On its way up", ago: 5 * time.Second, state: State{View: waking(registry.View{Usual: 12 * time.Second})}},
		{key: "linked", about: "With 8 linked apps", ago: 9 * time.Second, state: State{View: waking(registry.View{Usual: 30 * time.Second, Steps: steps})}},
		{key: "many", about: "With 20 linked apps", ago: 9 * time.Second, state: State{View: waking(registry.View{Usual: 30 * time.Second, Steps: many(20)})}},
		{key: "late", about: "Over its usual time", ago: time.Minute, state: State{View: waking(registry.View{Usual: 12 * time.Second, Steps: steps[2:6]})}},
		{key: "turn", about: "Waiting for its turn", state: State{View: waking(registry.View{Reason: queued, Usual: 12 * time.Second})}},
		{key: "refused", about: "Refused: too many wakes", state: State{Refused: true, View: registry.View{Name: name, State: registry.Asleep, Steps: steps[5:6]}}},
		{key: "ready", about: "Ready", state: State{View: registry.View{Name: name, State: registry.Ready, Usual: 12 * time.Second, Steps: steps[:3]}}},
		{key: "stopped", about: "Stopped by hand", state: State{View: registry.View{Name: name, State: registry.Asleep, HeldDown: true, Reason: stopped}}},
		{key: "failed", about: "Failed", state: State{View: broken(registry.View{Reason: memory})}},
		{key: "needs", about: "An app that it needs failed", state: State{View: broken(registry.View{Reason: needed, Steps: failed})}},
		{key: "logs", about: "Failed, with its last lines", state: State{View: broken(registry.View{Reason: reason.Reason{Kind: reason.Exited, Code: 1}, Logs: logs})}},
		{key: "form", about: "After a form", ago: 5 * time.Second, state: State{Form: true, View: waking(registry.View{Usual: 12 * time.Second})}},
		{key: "form-ready", about: "After a form, ready", state: State{Form: true, View: registry.View{Name: name, State: registry.Ready, Usual: 12 * time.Second}}},
		{key: "form-failed", about: "After a form, failed", state: State{Form: true, View: broken(registry.View{Reason: memory})}},
	}
	for i := range all {
		all[i].brand = brand{Color: "#0b3954", Accent: "#ff7f11", Logo: sampleLogo}
	}
	return all
})

// sampleLogo is a bird's nest, more or less.
const sampleLogo = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAzMiAzMiI+PHBhdGggZmlsbD0iI2ZmN2YxMSIgZD0iTTIgMTRoMjhhMTQgMTQgMCAwIDEtMjggMHoiLz48Y2lyY2xlIGN4PSIxNiIgY3k9IjkiIHI9IjYiIGZpbGw9IiNmZmYiLz48L3N2Zz4="

// many are so many apps on their way up.
func many(n int) []registry.Step {
	var steps []registry.Step
	for i := range n {
		steps = append(steps, registry.Step{Name: fmt.Sprintf("shop-review-pr42-worker-%d", i+1), Progress: registry.Waking})
	}
	return steps
}

// longest is how many bytes the longest page of a theme has of an app with 8 linked apps.
func (t *theme) longest() int {
	longest := 0
	languages, _ := locales()
	for _, s := range samples() {
		if s.key == "many" {
			continue
		}
		for _, in := range languages {
			s.lang = in.code
			if page, err := t.draw(s.data(), s.brand); err == nil {
				longest = max(longest, len(page.body))
			}
		}
	}
	return longest
}
