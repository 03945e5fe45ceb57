package config

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/paastis/paastis/providers"
)

// secret is no word that Paastis may say.
const secret = "tk-us-S3cr3tS3cr3t"

// platforms are the types of providers that have a token.
func platforms() []string { return providers.WithKey("token") }

func TestEachTypeOfProvidersHasASectionWithKeysOfItsOwn(t *testing.T) {
	for _, kind := range providers.Types() {
		spec := providers.Spec{Type: kind}
		known := reflect.TypeOf(spec.Settings()).Elem()
		keys := new(Config).sectionKeys(kind)
		if len(keys) == 0 || kind != "docker" && len(keys) != known.NumField() {
			t.Errorf("the section of %s has the keys %q, in a list it has %d", kind, keys, known.NumField())
		}
	}
	for _, s := range Settings() {
		if s.Doc == "" {
			t.Errorf("%s is described nowhere", s.Key)
		}
	}
}

func TestThePlatformIsToldByFileVariableAndFlag(t *testing.T) {
	hidden := file(t, secret+"\n")
	inFile := func(text string) string { return file(t, text) }
	for _, kind := range platforms() {
		upper := "PAASTIS_" + strings.ToUpper(kind) + "_"
		for name, load := range map[string]func() (Loaded, error){
			"a file": func() (Loaded, error) {
				return Load(inFile("provider: "+kind+"\n"+kind+":\n  token: "+secret+"\n  api_url: https://api.test\n"), nil, nil)
			},
			"variables": func() (Loaded, error) {
				return Load(inFile(""), []string{"PAASTIS_PROVIDER=" + kind, upper + "TOKEN=" + secret, upper + "API_URL=https://api.test"}, nil)
			},
			"flags": func() (Loaded, error) {
				return Load(inFile(kind+": {token: other}"), nil, map[string]string{"--provider": kind, "--" + kind + ".token": secret, "--" + kind + ".api-url": "https://api.test"})
			},
			"a list": func() (Loaded, error) {
				return Load(inFile("providers:\n- name: "+kind+"\n  type: "+kind+"\n  token: "+secret+"\n  api_url: https://api.test\n"), nil, nil)
			},
			"the file of a secret": func() (Loaded, error) {
				return Load(inFile(""), []string{"PAASTIS_PROVIDER=" + kind, upper + "TOKEN_FILE=" + hidden, upper + "API_URL=https://api.test"}, nil)
			},
		} {
			l, err := load()
			if err != nil {
				t.Errorf("%s by %s: %v", kind, name, err)
				continue
			}
			all := l.AllProviders()
			if len(all) != 1 || all[0].Name != kind || all[0].Type != kind {
				t.Errorf("%s by %s: they are %d, the first %q", kind, name, len(all), all[0].Name)
			}
			settings := reflect.ValueOf(all[0].Settings()).Elem()
			token := settings.FieldByName("Token").String()
			if from := settings.FieldByName("TokenFile").String(); from != "" {
				token = strings.TrimSpace(string(must(os.ReadFile(from))))
			}
			if token != secret || settings.FieldByName("APIURL").String() != "https://api.test" {
				t.Errorf("%s by %s: it is not what was told", kind, name)
			}
		}
	}
}

func TestWhatHasCommasMayBeAListInTheFile(t *testing.T) {
	const regions, owners = "  regions: [osc-fr1, osc-secnum-fr1]\n", "  owners: [Shop Inc, orga_1]\n"
	for text, want := range map[string]string{
		"provider: scalingo\nscalingo:\n  token: a\n" + regions:                 "osc-fr1, osc-secnum-fr1",
		"provider: clevercloud\nclevercloud:\n  token: a\n" + owners:            "Shop Inc, orga_1",
		"providers:\n- name: a\n  type: scalingo\n  token: a\n" + regions:       "osc-fr1, osc-secnum-fr1",
		"providers:\n- name: a\n  type: scalingo\n  token: a\n  regions: []":    "",
		"providers:\n- name: a\n  type: clevercloud\n  token: a\n" + owners:     "Shop Inc, orga_1",
		"provider: scalingo\nscalingo:\n  token: a\n  regions: a, b":            "a, b",
		"provider: scalingo\nscalingo:\n  token: a\n  regions: [{a: b}]":        "paastis.yml:4: scalingo.regions: expected a text",
		"providers:\n- name: a\n  type: scalingo\n  token: a\n  regions: [[b]]": "paastis.yml:5: providers: regions: expected a text",
		"providers:\n- name: a\n  type: heroku\n  token: [a]":                   "paastis.yml:4: providers: token: expected a text",
	} {
		l, err := loadText(t, text)
		got := ""
		if err != nil {
			got = err.Error()
		} else if s := l.AllProviders()[0]; s.Type == "scalingo" {
			got = s.Scalingo.Regions
		} else {
			got = s.CleverCloud.Owners
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestWhatIsWrongWithASectionIsToldByPlace(t *testing.T) {
	const both = "token: " + secret + "\n  token_file: /run/secrets/token\n"
	for text, want := range map[string]string{
		"provider: heroku\nheroku:\n  " + both:                             "paastis.yml:4: heroku: token_file: ",
		"provider: clevercloud\nclevercloud:\n  " + both:                   "paastis.yml:4: clevercloud: token_file: ",
		"# who\nprovider: heroku\n":                                        "paastis.yml:2: heroku: token: ",
		"# who\nprovider: clevercloud\n":                                   "paastis.yml:2: clevercloud: token: ",
		"provider: heroku\nheroku:\n  eco: paastis\n":                      "paastis.yml:3: heroku: token: ",
		"heroku:\n  token: " + secret:                                      "paastis.yml:2: heroku.token: left out, for provider is docker (default); write provider: heroku",
		"provider: heroku\nheroku: {token: a}\nclevercloud:\n  token: b\n": "paastis.yml:4: clevercloud.token: left out, for provider is heroku (paastis.yml:1)",
		"provider: heroku\nheroku:\n  token: a\n  owners: me\n":            `paastis.yml:4: unknown key "heroku.owners"; it is a key of clevercloud`,
		"provider: heroku\nheroku:\n  tokn: a\n":                           `paastis.yml:3: unknown key "heroku.tokn"; did you mean "heroku.token"?`,
		"provider: heroku\nheroku:\n  token: [a]\n":                        "paastis.yml:3: heroku.token: expected a text",
		"provider: heroku\nheroku: " + secret:                              "paastis.yml:2: expected keys",
		"providers:\n- name: a\n  type: heroku\n  " + both:                 "paastis.yml:5: providers: token_file: ",
		"providers:\n- name: a\n  type: heroku\n":                          "paastis.yml:2: providers: token: ",
		"providers:\n- name: a\n  type: heroku\n  owners: x\n":             `paastis.yml:4: providers: unknown key "owners"; it is a key of clevercloud, and "a" is heroku`,
		"providers:\n- {name: a, type: docker}\nheroku:\n  token: a\n":     "paastis.yml:4: heroku.token: left out, for providers (paastis.yml:1)",
		"provider: heroku\nheroku: {token: a}\ndocker: {proc: /host}\n":    "paastis.yml:3: docker.proc: left out, for provider is heroku",
		"provider: heroku\nheroku: {token: a}\ndocker: {proc: /proc}\n":    "",
		"provider: heroku\nheroku: {token: a}\nclevercloud: {token: ''}\n": "",
	} {
		_, err := loadText(t, text)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		case err != nil && strings.Contains(err.Error(), secret):
			t.Errorf("%s: the secret is told: %v", text, err)
		}
	}
}

func TestAChangedTokenAsksForARestartAndIsNotTold(t *testing.T) {
	path := file(t, "provider: clevercloud\nclevercloud: {token: "+secret+"}\n")
	l, err := Load(path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, nil))
	for text, want := range map[string]string{
		"provider: clevercloud\nclevercloud: {token: " + secret + "2}\n":                   "changed settings that need a restart: clevercloud\"",
		"provider: heroku\nheroku: {token: " + secret + "2}\n":                             "changed settings that need a restart: provider, heroku, clevercloud\"",
		"provider: clevercloud\nclevercloud: {token: " + secret + ", token_file: /none}\n": "configuration not reloaded",
	} {
		out.Reset()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l.reload(func(Loaded) {}, log)
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), secret) {
			t.Errorf("%s:\n got %s\nwant %s", filepath.Base(path), out.String(), want)
		}
	}
}
