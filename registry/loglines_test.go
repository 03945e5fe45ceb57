package registry

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func TestWhatAnAppWritesIsNothingThatATerminalObeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := solo()
		a.Crash = 3
		for n := range 100 {
			a.logs = append(a.logs, fmt.Sprint("line ", n))
		}
		a.logs = append(a.logs, "\x1b[31mred\x1b[0m \x1b]0;title\x07done", "\x1b[2J\x1b[Hgone\rover\bit", "a\u009b31mb\xff", strings.Repeat("é", 1<<20))
		w := liveMetered(t, "", true, a)
		w.visit("solo-web")
		synctest.Wait()
		got := w.detail("solo-web").Failure.Logs
		if len(got) != logLines || got[0] != "line 84" {
			t.Fatalf("%d lines, the first is %q", len(got), got[0])
		}
		want := []string{"red done", "goneoverit", "a31mb\uFFFD", strings.Repeat("é", 500) + "…"}
		if got = got[len(got)-len(want):]; !slices.Equal(got, want) {
			t.Errorf("the last lines are %.200q", got)
		}
	})
}
