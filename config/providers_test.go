package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/paastis/paastis/prices"
	"github.com/paastis/paastis/providers"
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

func TestPricesAreThoseOfTheProvidersThatThereAre(t *testing.T) {
	const list = "providers:\n  - {name: here, type: docker}\n  - {name: attic, type: docker}\n"
	l, err := loadText(t, list+"prices:\n  docker: 0.01 EUR\n  attic: 0.02 CHF\n")
	if err != nil {
		t.Fatal(err)
	}
	for provider, want := range map[string]string{"here": "0.01 EUR", "attic": "0.02 CHF", "gone": ""} {
		if p, _ := l.RegistrySettings().Prices.Price(provider, ""); p.String() != want {
			t.Errorf("%s costs %q, want %q", provider, p, want)
		}
	}
	if l, err = loadText(t, "prices: {docker: {S: 1 EUR}}"); err != nil || !l.Prices.Has("docker") {
		t.Errorf("without a list there is no price: %v", err)
	}
}

func TestPricesThatCannotBeAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"max_idle_time: 5m\nprices:\n  docker:\n    M: 1,2 EUR\n":    `paastis.yml:4: prices.docker.M: "1,2 EUR" is no price`,
		"prices:\n  dokcer: 1 EUR\n":                                 `paastis.yml:2: prices.dokcer: no provider is called so, nor is any of that type; did you mean "docker"?`,
		"price:\n  docker: 1 EUR\n":                                  `unknown key "price"; did you mean "prices"?`,
		"provider: doker\nprices:\n  docker: {M: 1 EUR, m: 2 EUR}\n": "prices.docker.m stands there twice",
	} {
		if _, err := loadText(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestTheReferenceHasPricesThatCanBeReadOnceTheyAreNoComments(t *testing.T) {
	data, err := os.ReadFile("../paastis.yml")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "\n# prices:\n")
	text := "prices:\n"
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "#   ") {
			break
		}
		text += strings.TrimPrefix(line, "# ")
	}
	var document struct {
		Prices yaml.Node `yaml:"prices"`
	}
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	w, err := prices.Parse("paastis.yml", &document.Prices)
	if err != nil {
		t.Fatal(err)
	}
	table, err := w.Table(map[string]string{"docker": "docker", "scalingo": "scalingo", "heroku": "heroku", "clevercloud": "clevercloud"}, providers.IsKnown)
	for id, size := range map[string]string{"docker": "", "scalingo": "3XL", "heroku": "Performance-2XL", "clevercloud": "pico"} {
		if _, known := table.Price(id, size); !known {
			t.Errorf("%s %s has no price: %v", id, size, err)
		}
	}
}
