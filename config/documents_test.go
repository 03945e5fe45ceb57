package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestThePaastisYMLOfADocumentLoads(t *testing.T) {
	documents, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, example := range strings.Split(string(text), "```yaml\n# paastis.yml\n")[1:] {
			found++
			example, _, _ = strings.Cut(example, "```")
			if _, err := Load(file(t, example), nil, nil); err != nil {
				t.Errorf("%s: %v", document, err)
			}
		}
	}
	if found < 3 {
		t.Errorf("%d documents have one", found)
	}
}
