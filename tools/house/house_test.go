package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// module writes a checkout of a module in which one struct is written from everywhere.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for path, text := range map[string]string{
		"go.mod":    "module example.com/m\n\ngo 1.26\n",
		"README.md": "# M\n",
		"room/door.go": `// Package room has a door.
package room

import "sync/atomic"

// Door is a door.
type Door struct {
	open, made bool
	seen       atomic.Int64
	keys       map[string]int
	Asked      int
	Lock       struct{ turns int }
}

// New makes one.
func New() *Door { return &Door{made: true} }

func (d *Door) Open() { d.open = true; d.seen.Store(1); d.keys["a"] = 1; _ = d.Asked }
`,
		"room/hand.go": `package room

func (d *Door) close() { d.open = false; d.seen.Add(1); delete(d.keys, "a"); d.Asked++; _ = d.seen.Load() }

func turn(d *Door) { d.Lock.turns++ }
`,
		"room/door_test.go": "package room\n\nfunc knock(d *Door) { d.Asked = 2 }\n",
		"main.go":           "package main\n\nimport \"example.com/m/room\"\n\nfunc main() { room.New().Asked = 1 }\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("git", "-C", dir, "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("git init: %v: %s", err, out)
	}
	return dir
}

func TestAFieldIsWrittenWhereItsValueChanges(t *testing.T) {
	h, err := measure(module(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(h.structs) != 2 || h.structs[0].name != "room.Door" || h.structs[1].name != "room.Door.Lock" {
		t.Fatalf("structs: %+v", h.structs)
	}
	var shared, outside []string
	for _, f := range h.structs[0].shared() {
		shared = append(shared, f.name)
	}
	for _, f := range h.structs[0].outside() {
		outside = append(outside, f.name)
	}
	if got := strings.Join(shared, " "); got != "open seen keys Asked" {
		t.Errorf("written from two files: %q", got)
	}
	if got := strings.Join(outside, " "); got != "open seen keys Asked" {
		t.Errorf("written from another file: %q", got)
	}
}

func TestTheTableNamesWhatIsLargest(t *testing.T) {
	dir := module(t)
	var stdout, stderr bytes.Buffer
	if code := run([]string{"-base", dir, dir}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	table := regexp.MustCompile(` +`).ReplaceAllString(stdout.String(), " ")
	for _, want := range []string{
		"before now\n",
		"methods of the largest type room.Door 2 in 2 files room.Door 2 in 2 files\n",
		"documented exports 2 of 3 2 of 3\n",
		"EXPORTED WITHOUT A COMMENT\nroom.Door.Open\n",
		"rooms, imports between them 2, 1 2, 1\n",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
}

func TestAFolderWithoutAModuleIsRefused(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run([]string{t.TempDir()}, &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), "measure ") {
		t.Errorf("exit %d: %s", code, &stderr)
	}
	if code := run(nil, &stdout, &stderr); code != 2 {
		t.Errorf("no folder: exit %d", code)
	}
}
