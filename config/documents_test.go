package config

import (
	"os"
	"strings"
	"testing"
)

func TestThePaastisYMLOfADocumentLoads(t *testing.T) {
	for _, document := range []string{"../docs/on-a-platform.md"} {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		_, example, found := strings.Cut(string(text), "```yaml\n# paastis.yml\n")
		example, _, _ = strings.Cut(example, "```")
		if !found {
			t.Errorf("%s has none", document)
		}
		if _, err := Load(file(t, example), nil, nil); err != nil {
			t.Errorf("%s: %v", document, err)
		}
	}
}
