package server

import (
	"cmp"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tries is how many random texts are tried: a thousand for each of LIVES.
func tries(t *testing.T) int {
	t.Helper()
	lives, err := strconv.Atoi(cmp.Or(os.Getenv("LIVES"), "15"))
	if err != nil {
		t.Fatal(err)
	}
	return lives * 1000
}

func TestPartsOfAgentsAreFoundAsByTryingEach(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const alphabet = "abAB@`[{ſsSkKéÉ \x00\xff1/"
	text := func(most int) string {
		var b strings.Builder
		for range random.IntN(most + 1) {
			b.WriteByte(alphabet[random.IntN(len(alphabet))])
		}
		return b.String()
	}
	found := 0
	most := tries(t)
	for range most {
		parts := []string{text(4), text(9), text(12)}
		agent := text(20)
		if random.IntN(2) == 0 {
			agent = text(6) + strings.ToUpper(parts[1+random.IntN(2)]) + text(6)
		}
		want := slices.ContainsFunc(parts, func(part string) bool {
			part = strings.ToLower(strings.TrimSpace(part))
			return part != "" && containsFold(agent, part)
		})
		if got := newAgents(parts).in(agent); got != want {
			t.Fatalf("%q in %q: %t, want %t", parts, agent, got, want)
		}
		if want {
			found++
		}
	}
	if found < most/10 || found > most/10*9 {
		t.Errorf("%d of %d found: the test tries too little", found, most)
	}
}

func TestEveryMonitorIsFoundWhereverItStands(t *testing.T) {
	monitors := DefaultNeverWake().UserAgents
	a := newAgents(monitors)
	for _, part := range monitors {
		for _, agent := range []string{part, "x" + part, strings.ToUpper(part) + "/1.0", "Mozilla/5.0 (compatible; " + strings.ToLower(part) + "/2.1)"} {
			if !a.in(agent) {
				t.Errorf("%q is not found in %q", part, agent)
			}
		}
		for _, agent := range []string{part[1:], part[:len(part)-1]} {
			want := slices.ContainsFunc(monitors, func(p string) bool { return containsFold(agent, strings.ToLower(p)) })
			if got := a.in(agent); got != want {
				t.Errorf("%q: %t", agent, got)
			}
		}
	}
}

// Trying each of the parts takes a hundred times as long; a fifth is asked for, for the
// race detector and a busy machine.
func TestLookingForMonitorsCostsLittle(t *testing.T) {
	const agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
	parts := DefaultNeverWake().UserAgents
	a := newAgents(parts)
	for i, part := range parts {
		parts[i] = strings.ToLower(part)
	}
	set := best(func() bool { return a.in(agent) })
	each := best(func() bool {
		return slices.ContainsFunc(parts, func(part string) bool { return containsFold(agent, part) })
	})
	if t.Logf("%v, by trying each %v", set, each); set > each/5 {
		t.Error("that is not little")
	}
}

// best is what the fastest of a few calls takes.
func best(call func() bool) time.Duration {
	fastest := time.Hour
	for range 20 {
		started := time.Now()
		for range 10 {
			call()
		}
		fastest = min(fastest, time.Since(started)/10)
	}
	return fastest
}
