package providers_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
)

func TestALineOfTheLogNamesItsProviderOnce(t *testing.T) {
	for name, played := range platforms {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				p := played()
				p.create("shop", true)
				made := p.provider(t, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
				if _, err := made.List(t.Context()); err != nil {
					t.Fatal(err)
				}
				for line := range strings.Lines(log.String()) {
					if strings.Count(line, "provider="+made.ID()) != 1 {
						t.Error(line)
					}
				}
				if log.Len() == 0 {
					t.Error("nothing was logged")
				}
			})
		})
	}
}
