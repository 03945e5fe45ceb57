package rules_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/paastis/paastis/rules"
)

// logo is a data: URL of an image of so many bytes.
func logo(kind string, bytes int) string {
	return "data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", bytes)))
}

func TestColoursAreReadInAnyUsualForm(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"'#1d63d8'": "#1d63d8", "'#1D6'": "#11dd66", "navy": "#000080", "Orange": "#ffa500", "''": "",
	} {
		equal(t, value, properties(t, load(t, one("brand_color", value)), "a").Brand.Color, want)
		equal(t, value, properties(t, load(t, one("brand_accent", value)), "a").Brand.Accent, want)
	}
}

func TestLogosAreImagesThatThePageCanCarry(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"png", "svg+xml", "webp", "gif", "jpeg"} {
		equal(t, kind, properties(t, load(t, one("brand_logo", logo(kind, 200))), "a").Brand.Logo, logo(kind, 200))
	}
	equal(t, "none", properties(t, load(t, one("brand_logo", "''")), "a").Brand.Logo, "")
}

func TestABrandThatCannotBeDrawnIsRefused(t *testing.T) {
	t.Parallel()
	const noImage = " is no image that the page can carry; write data:image/svg+xml;base64,… (or png, webp, gif, jpeg)"
	const noColour = " is no colour; write #rgb, #rrggbb or one of aqua, black, blue, fuchsia, gray, green, lime, maroon, navy, olive, orange, purple, red, silver, teal, white, yellow"
	for _, c := range []struct{ key, value, want string }{
		{"theme", "../etc", `"../etc" is no name of a theme; write plain, terminal, branded or the name of a folder in theme_dir, of small letters, digits, - and _`},
		{"theme", "''", `"" is no name of a theme; write plain, terminal, branded or the name of a folder in theme_dir, of small letters, digits, - and _`},
		{"brand_color", "bleu", `"bleu"` + noColour},
		{"brand_color", "'#12345'", `"#12345"` + noColour},
		{"brand_accent", "'red;}body{display:none'", `"red;}body{display:none"` + noColour},
		{"brand_logo", "/logo.svg", `"/logo.svg"` + noImage},
		{"brand_logo", "https://cdn.example.com/a/rather/long/path/of/a/logo.svg", `"https://cdn.example.com/a/rather/long/p…"` + noImage},
		{"brand_logo", "data:text/html;base64,PGI+", `"data:text/html;base64,PGI+"` + noImage},
		{"brand_logo", "data:image/png;base64,%%%", "what follows base64, is no Base64; `base64 -w0 FILE` writes it"},
		{"brand_logo", logo("png", 300), "an image of 422 letters is too long: 360 at most, for the whole page has 4,096 bytes; a small SVG fits"},
	} {
		equal(t, c.key+" "+c.value, faults(one(c.key, c.value)), "paastis.yml:3: "+c.key+": "+c.want)
	}
}

func TestThemeAndBrandAreReadFromLabelsAndForAllApps(t *testing.T) {
	t.Parallel()
	base := rules.Defaults()
	equal(t, "the default", base.Theme, "plain")
	for key, value := range map[string]string{"theme": "acme", "brand_color": "teal", "brand_accent": "", "brand_logo": ""} {
		if err := base.SetGlobal(key, value, "paastis.yml:1"); err != nil {
			t.Error(err)
		}
	}
	labels := map[string]string{"paastis.theme": "branded", "paastis.brand_accent": "#F80", "paastis.brand_logo": logo("png", 30)}
	r, warnings := load(t, "rules: []\n").Resolve("a", base, labels, "container a")
	equal(t, "warnings", warnings, nil)
	equal(t, "theme", r.Theme, "branded")
	equal(t, "brand", r.Brand, rules.Brand{Color: "#008080", Accent: "#ff8800", Logo: logo("png", 30)})
	for key, want := range map[string]string{"theme": "branded", "brand_color": "#008080", "brand_accent": "#ff8800", "brand_logo": "image/png, 62 letters"} {
		equal(t, key, keyText(t, key, r.Properties), want)
	}
}
