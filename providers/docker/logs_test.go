package docker

import (
	"errors"
	"strings"
	"testing"
)

func TestLogsAreTheLinesOfBothStreams(t *testing.T) {
	t.Parallel()
	p := newEngine(t, "shop-front-1", "tty").provider()
	for _, app := range []string{"shop-front", "tty"} {
		lines, err := p.Logs(t.Context(), app, 10)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, app, lines, []string{"hello on stdout", "hello on stderr"})
	}
}

func TestLogsOfSeveralContainersAreInTheOrderOfTime(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-front-1")
	e.add(another(t, "shop-front-2", "shop-front-1", labelled(labelNumber, "2")))
	lines, err := e.provider().Logs(t.Context(), "shop-front", 3)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "lines", lines, []string{"hello on stdout", "hello on stderr", "hello on stderr"})
}

func TestLogsOfNothing(t *testing.T) {
	t.Parallel()
	p := newEngine(t, "shop-front-1").provider()
	lines, err := p.Logs(t.Context(), "shop-front", 0)
	if len(lines) > 0 || err != nil {
		t.Errorf("got %q, %v", lines, err)
	}
	_, err = p.Logs(t.Context(), "nobody", 1)
	failed(t, err, `docker: read logs of "nobody": no such app`)
	if !errors.Is(err, ErrUnknownApp) {
		t.Errorf("%v is of the wrong kind", err)
	}
}

func TestLongLogLinesAreCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	line := shorten("x" + strings.Repeat("é", MaxLogLine))
	equal(t, "cut", line, "x"+strings.Repeat("é", (MaxLogLine-1)/2)+"…")
	equal(t, "not text", shorten("a\xffb"), "a\uFFFDb")
	equal(t, "short", shorten("hello"), "hello")
}
