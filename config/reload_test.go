package config

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// reloads plays how a file is written while Paastis looks at it, one text at each look, and
// returns what was logged.
func reloads(t *testing.T, first string, texts ...string) string {
	t.Helper()
	var out strings.Builder
	synctest.Test(t, func(t *testing.T) {
		path := file(t, first)
		l, err := Load(path, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.NewTextHandler(&out, nil))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); l.lookAgain(ctx, nil, func(Loaded) {}, log) }()
		synctest.Wait()
		for _, text := range texts {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			time.Sleep(reloadInterval)
			synctest.Wait()
		}
		cancel()
		<-done
	})
	return out.String()
}

func TestAFileIsTakenOnceTwoLooksAgree(t *testing.T) {
	const before, half, after = "max_idle_time: 30m\n", "max_idle_time: 4", "max_idle_time: 45m\n"
	for name, c := range map[string]struct {
		texts []string
		want  int
	}{
		"it is empty for a moment":       {[]string{"", before, before}, 0},
		"it is written in steps":         {[]string{"", half, after, after, after}, 1},
		"it is only half there":          {[]string{half}, 0},
		"it is new":                      {[]string{after, after}, 1},
		"it is new for less than a look": {[]string{after, before, before}, 0},
		"it is emptied for good":         {[]string{"", ""}, 1},
		"it is new twice":                {[]string{after, after, before, before}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			log := reloads(t, before, c.texts...)
			if got := strings.Count(log, "configuration reloaded"); got != c.want || strings.Contains(log, "not reloaded") {
				t.Errorf("taken %d times:\n%s", got, log)
			}
		})
	}
}

func TestASecondDocumentIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"max_idle_time: 5m\n---\nmode: direct\n": "paastis.yml:3: a second YAML document begins here, which would be left out; put its keys into the first, and remove the line ---",
		"max_idle_time: 5m\n---\n# nothing\n":    "",
		"---\nmax_idle_time: 5m\n...\n":          "",
		"---\n---\nmax_idle_time: 5m\n":          "paastis.yml:3: a second YAML document begins here",
		"max_idle_time: 5m\n---\n- {\n":          "paastis.yml:",
		"# nothing\n":                            "",
		"---\n":                                  "",
		"~\n":                                    "",
		"admin:\n":                               "",
		"admin:\ntls:\ndocker:\ntraefik:\nnever_wake:\n": "",
		"log:\nrules:\nignore:\n":                        "",
		"admin: []\n":                                    "paastis.yml:1: expected keys",
		"traefik:\n  endpoints:\nmax_idle_time: 5m\n":    "",
	} {
		_, err := Load(file(t, text), nil, nil)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
