package scalingo_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/scalingo"
	"github.com/paastis/paastis/providers/scalingo/scalingotest"
)

func TestLastLinesOfAnAppAreThereAndItsLogsTokenIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scalingotest.New(scalingotest.Config{})
		p.Create("osc-fr1", "shop")
		made := connect(t, p)
		if lines, err := made.Logs(t.Context(), "shop", 10); err != nil || lines != nil {
			t.Errorf("of a log that is empty: %q, %v", lines, err)
		}
		for _, line := range []string{"one", "two", "three"} {
			p.Log("shop", line)
		}
		if lines, err := made.Logs(t.Context(), "shop", 2); err != nil || !slices.Equal(lines, []string{"two", "three"}) {
			t.Errorf("the last two lines are %q, %v", lines, err)
		}
		p.Hold("GET /apps/{app}/logs", time.Hour, 0)
		if _, err := made.Logs(t.Context(), "shop", 2); err == nil || strings.Contains(err.Error(), "lg-") {
			t.Errorf("of a log that is not there: %v", err)
		}
	})
}

func TestAnotherPlatformThatBehavesAsScalingoIsCalledAtItsOwnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scalingotest.New(scalingotest.Config{Regions: []string{"here"}})
		p.Create("here", "shop")
		made, err := scalingo.New(scalingo.Config{
			Token: p.Token(), Transport: p.Transport(), Regions: "here",
			AuthURL: "https://paas.example.com/", APIURL: "https://paas.example.com",
		})
		if err != nil {
			t.Fatal(err)
		}
		report, err := made.List(t.Context())
		if err != nil || len(report.Apps) != 1 || report.Apps[0].Origin != "Scalingo app shop in here" {
			t.Fatalf("%+v, %v", report, err)
		}
		if _, err := made.Start(t.Context(), "shop"); err != nil {
			t.Error(err)
		}
		if n := p.Calls.Of("GET /v1/regions"); n != 0 {
			t.Error("its regions were asked for")
		}
	})
}

func TestRegionThatTheAccountDoesNotHaveIsToldWithThoseThatItHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scalingotest.New(scalingotest.Config{})
		made, err := scalingo.New(scalingo.Config{Token: p.Token(), Transport: p.Transport(), Regions: "osc-fr1, mars-1"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = made.List(t.Context()); err == nil || !strings.Contains(err.Error(), `region "mars-1" is none of the account's; it has osc-fr1, osc-secnum-fr1`) {
			t.Errorf("the error is %v", err)
		}
	})
}
