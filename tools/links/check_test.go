package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// lint checks a repository with these files.
func lint(t *testing.T, files map[string]string) (code int, told string) {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("git", "-C", root, "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("git init: %v: %s", err, out)
	}
	var stdout, stderr bytes.Buffer
	code = run([]string{root}, &stdout, &stderr)
	return code, stdout.String() + stderr.String()
}

func TestALinkThatLeadsNowhereIsToldByFileAndLine(t *testing.T) {
	for link, want := range map[string]string{
		"[a](docs/gone.md)":                     "README.md:3: docs/gone.md: no such file",
		"![a](gone.png)":                        "README.md:3: gone.png: no such file",
		"<img src=\"gone.png\">":                "README.md:3: gone.png: no such file",
		"a <source srcset=\"gone.png 2x\">":     "README.md:3: gone.png: no such file",
		"[a](#gone)":                            "README.md:3: #gone: README.md has no such heading",
		"[a](docs/a.md#gone)":                   "README.md:3: docs/a.md#gone: docs/a.md has no such heading",
		"[a][b]\n\n[b]: gone.md":                "README.md:3: gone.md: no such file",
		"| a |\n|---|\n| [a](gone.md) |":        "gone.md: no such file",
		"- a\n- [a](gone.md)":                   "README.md:4: gone.md: no such file",
		"[a](/docs/a.md)":                       "leads out of the repository",
		"[a](../a.md)":                          "leads out of the repository",
		"[the `gone` one](docs/a.md#what-gone)": "docs/a.md has no such heading",
	} {
		code, told := lint(t, map[string]string{"README.md": "# Top\n\n" + link + "\n", "docs/a.md": "# A\n"})
		if code != 1 || !strings.Contains(told, want) {
			t.Errorf("%s: exit %d: %s; want %s", link, code, told, want)
		}
	}
}

func TestALinkThatLeadsSomewhereIsLeftAlone(t *testing.T) {
	code, told := lint(t, map[string]string{
		"README.md": "# The top\n[a](docs/a.md), [b](docs), [c](docs/a.md#the-auth-way-of-use), [d](docs/a.md#again-1), [e](#the-top),\n" +
			"[f](https://example.com/gone), [g](mailto:a@example.com), [h](docs/a.md#old), `[i](gone.md)`\n\n```\n[j](gone.md)\n```\n",
		"docs/a.md": "# The `/auth` *way*, of use!\n## Again\n## Again\n<a id=\"old\"></a>\n[up](../README.md)\n",
	})
	if code != 0 || !strings.Contains(told, "7 links") {
		t.Errorf("exit %d: %s", code, told)
	}
}

func TestTheDocumentsOfPaastisLeadSomewhere(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run([]string{"../.."}, &stdout, &stderr); code != 0 {
		t.Errorf("exit %d: %s", code, &stderr)
	}
}

func TestNoFolderIsWrongUse(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(nil, &stdout, &stderr); code != 2 {
		t.Errorf("exit %d", code)
	}
}
