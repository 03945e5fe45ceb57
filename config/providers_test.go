package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func loadText(t *testing.T, text string) (Loaded, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "paastis.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(file, nil, nil)
}

func TestWithoutAListThereIsTheOneProvider(t *testing.T) {
	l, err := loadText(t, "docker: {proc: /host/proc}")
	if err != nil {
		t.Fatal(err)
	}
	if all := l.AllProviders(); len(all) != 1 || all[0].Name != "docker" || all[0].Docker.Proc != "/host/proc" {
		t.Errorf("they are %+v", all)
	}
}

func TestListOfProvidersStandsInPlaceOfTheOne(t *testing.T) {
	const list = "providers:\n  - {name: here, type: docker}\n  - {name: attic, type: docker, host: 'tcp://attic:2375'}\n"
	l, err := loadText(t, list)
	if err != nil {
		t.Fatal(err)
	}
	if all := l.AllProviders(); len(all) != 2 || all[1].Name != "attic" || all[1].Docker.Host != "tcp://attic:2375" {
		t.Errorf("they are %+v", all)
	}
	for text, want := range map[string]string{
		list + "provider: docker":                                    "paastis.yml:4: provider: left out, for providers (paastis.yml:1)",
		"providers:\n  - name: here\n    type: docker\n    prok: /p": `paastis.yml:4: providers: unknown key "prok"; did you mean "proc"?`,
	} {
		if _, err := loadText(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
