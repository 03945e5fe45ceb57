package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// workflows are the files of .github/workflows.
func workflows(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../.github/workflows/*")
	if err != nil || len(files) < 2 {
		t.Fatalf("the workflows are %v: %v", files, err)
	}
	return files
}

func TestTheWorkflowsAreValid(t *testing.T) {
	var said bytes.Buffer
	linter, err := actionlint.NewLinter(&said, &actionlint.LinterOptions{LogWriter: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := linter.LintFiles(workflows(t), nil)
	if err != nil || len(wrong) > 0 {
		t.Errorf("%v\n%s", err, said.Bytes())
	}
}

// pinned is an action by the sum of its commit, with the version for the reader.
var pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)

func TestActionsArePinnedAndNoWorkflowMayWriteByDefault(t *testing.T) {
	for _, path := range workflows(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "\npermissions:\n  contents: read\n\n") {
			t.Errorf("%s: its jobs may more than read the files", path)
		}
		for line := range strings.Lines(string(text)) {
			_, action, uses := strings.Cut(strings.TrimSpace(line), "uses: ")
			if uses && !strings.HasPrefix(action, "./") && !pinned.MatchString(action) {
				t.Errorf("%s: %s is not pinned to a commit", path, action)
			}
		}
	}
}

func TestWorkflowsUseTheGoThatReleasesAreMadeWith(t *testing.T) {
	module, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^toolchain go1\.\d+\.\d+$`).Match(module) {
		t.Error("go.mod names no toolchain")
	}
	for _, path := range workflows(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "go-version:") || strings.Count(string(text), "actions/setup-go@") != strings.Count(string(text), "go-version-file: tools/release/go.mod") {
			t.Errorf("%s uses another Go", path)
		}
	}
}
