package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// record keeps series for good if RECORD=1: the samples in bench/handover.json, and a
// table of them in bench/README.md. What is recorded already under other names stays.
func record(t *testing.T, what string, all []series) {
	t.Helper()
	if os.Getenv("RECORD") != "1" {
		return
	}
	const file = "../bench/handover.json"
	recorded := map[string][]series{}
	if raw, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(raw, &recorded); err != nil {
			t.Fatal(err)
		}
	}
	recorded[what] = all
	raw, err := json.MarshalIndent(recorded, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, string(raw)+"\n")
	var b strings.Builder
	b.WriteString("| from \"healthy\" to the app's first answer | n | median | 95 % | min | max |\n|---|---|---|---|---|---|\n")
	for _, name := range []string{"handover", "first requests"} {
		for _, s := range recorded[name] {
			fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s |\n", s.Name, len(s.Samples),
				ms(s.Median()), ms(s.part(0.95)), ms(s.part(0)), ms(s.part(1)))
		}
	}
	section(t, "../bench/README.md", "handover", b.String())
}

// section replaces a part of a document, or adds it. Comments in the document say where
// it begins and ends.
func section(t *testing.T, file, name, text string) {
	t.Helper()
	begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->\n"
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(old), begin)
	_, after, _ := strings.Cut(rest, end)
	if !found && before != "" {
		before += "\n"
	}
	write(t, file, before+begin+text+end+after)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll("../bench", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
