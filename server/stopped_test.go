package server

import (
	"testing"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/server/page"
	"github.com/paastis/paastis/server/problem"
)

func TestAnAppThatItsOwnerStoppedSaysSo(t *testing.T) {
	const why = "It was stopped by hand. It stays so until somebody starts it: paastis wake shop"
	v := registry.View{Name: "shop", State: registry.Asleep, HeldDown: true, Reason: reason.Reason{Kind: reason.StaysStopped, Apps: []string{"shop"}}}
	for who, p := range map[string]problem.Document{"a program": appProblem(v), "a monitor": passiveProblem(v)} {
		if p.Status != 503 || p.Title != "The app was stopped by hand" || p.Detail != why || p.State != "asleep" || p.Reason != reason.StaysStopped || p.Retry != page.AsleepPause {
			t.Errorf("%s is told %+v", who, p)
		}
	}
}

func TestAProgramHearsThatNothingIsKnownOfAnAppWhoseProviderDoesNotAnswer(t *testing.T) {
	const why = "How it fares is not known: its provider cannot be reached."
	for _, state := range []registry.State{registry.Starting, registry.Stopping} {
		v := registry.View{Name: "shop", State: state, Reason: reason.Reason{Kind: reason.ProviderUnreachable, Pending: true}}
		if p := appProblem(v); p.Status != 503 || p.Detail != why || p.State != state.String() || p.Reason != reason.ProviderUnreachable {
			t.Errorf("while it is %s: %+v", state, p)
		}
	}
}
