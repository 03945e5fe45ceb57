package server

import (
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/server/problem"
)

func TestAnAppThatItsOwnerStoppedSaysSo(t *testing.T) {
	const why = "It was stopped by hand. It stays so until somebody starts it: paastis wake shop"
	v := registry.View{Name: "shop", State: registry.Asleep, HeldDown: true, Reason: reason.Reason{Kind: reason.StaysStopped, Apps: []string{"shop"}}}
	for who, p := range map[string]problem.Document{"a program": appProblem(v), "a monitor": onlookerProblem(v)} {
		if p.Status != 503 || p.Title != "The app was stopped by hand" || p.Detail != why || p.State != "asleep" || p.Reason != reason.StaysStopped || p.Retry != asleepPause {
			t.Errorf("%s is told %+v", who, p)
		}
	}
	for name, theme := range NewThemes("", nil).built {
		for language, want := range map[string]string{"en": why, "fr": "Elle a été arrêtée à la main. Elle le reste jusqu’à ce que quelqu’un la démarre : paastis wake shop"} {
			page, err := theme.draw(shown{view: v}.data(tongueFor(language), sampleSize, time.Now()), brand{})
			body := string(page.body)
			if err != nil || !strings.Contains(body, want) || !strings.Contains(body, "⏸ shop") {
				t.Errorf("theme %s in %s: %v, %s", name, language, err, body)
			}
			if strings.Contains(body, `id="r"`) || strings.Contains(body, "<progress") {
				t.Errorf("theme %s in %s has a button to try again, or something to wait for: %s", name, language, body)
			}
		}
	}
}
