package page

import (
	"fmt"
	"html"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
)

// logged keeps what is logged.
type logged struct{ text strings.Builder }

func (l *logged) Write(line []byte) (int, error) { return l.text.Write(line) }

// count is how many times a text was logged so far.
func (l *logged) count(text string) int { return strings.Count(l.text.String(), text) }

// ownThemes are themes in a folder, and what is logged of them.
type ownThemes struct {
	*Themes
	t   *testing.T
	log *logged
}

// themesIn makes themes of a folder with such files: "theme/file" → content.
func themesIn(t *testing.T, files map[string]string) *ownThemes {
	t.Helper()
	o := &ownThemes{t: t, log: &logged{}}
	dir := t.TempDir()
	o.Themes = &Themes{dir: dir}
	for name, content := range files {
		o.write(name, content)
	}
	o.Themes = NewThemes(dir, slog.New(slog.NewTextHandler(o.log, nil)))
	return o
}

func (o *ownThemes) write(name, content string) {
	o.t.Helper()
	path := filepath.Join(o.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		o.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		o.t.Fatal(err)
	}
}

// page is that of an app with a theme.
func (o *ownThemes) page(theme string) rendering {
	v := registry.View{Name: "shop", State: registry.Starting, Theme: theme}
	return o.render(State{View: v}, localeFor(""))
}

// wantPage checks what is in a page of a theme.
func (o *ownThemes) wantPage(theme, want string) {
	o.t.Helper()
	if got := string(o.page(theme).body); !strings.Contains(got, want) {
		o.t.Errorf("%q is not in\n%s", want, got)
	}
}

// mini is a theme's page with a word of its own.
func mini(word string) string {
	return `<title>{{.Title}}</title><style>{{.Style}}</style><main data-poll="{{.Poll}}" data-state="{{.State}}">` + word + ` {{.Name}}</main><script>{{.Script}}</script>`
}

func TestAThemeIsReadAnewWhenItChangesAndTheLastGoodOneStays(t *testing.T) {
	o := themesIn(t, map[string]string{"acme/page.html": mini("first")})
	o.wantPage("acme", "first shop")
	o.write("acme/page.html", mini("second"))
	o.Look()
	o.wantPage("acme", "second shop")
	o.write("acme/page.html", mini("third")+"\n\n{{nonsense}}")
	o.Look()
	o.Look()
	o.wantPage("acme", "second shop")
	if want := filepath.Join(o.dir, "acme") + "/page.html:3: function"; o.log.count(want) != 1 {
		t.Errorf("%q is logged %d times", want, o.log.count(want))
	}
	o.write("acme/page.html", mini("fourth"))
	o.Look()
	o.wantPage("acme", "fourth shop")
	if err := os.RemoveAll(filepath.Join(o.dir, "acme")); err != nil {
		t.Fatal(err)
	}
	o.Look()
	o.wantPage("acme", "<h1>shop</h1>") // plain
}

func TestChangesOfThemesAreSeenWithinSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := themesIn(t, map[string]string{"acme/page.html": mini("first")})
		done := make(chan error)
		go func() { done <- o.Watch(t.Context()) }()
		t.Cleanup(func() { <-done })
		o.write("acme/page.html", mini("second"))
		time.Sleep(themeInterval + time.Millisecond)
		o.wantPage("acme", "second shop")
	})
}

func TestAFaultyThemeIsToldWithFileAndLine(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"acme: a theme needs a page.html":                  {"acme/style.css": "p{}"},
		"acme/page.html:2:":                                {"acme/page.html": "\n{{.Title"},
		"acme/page.html:1:2: executing":                    {"acme/page.html": "{{.Titel}}"},
		"acme/page.html:1: it has no <main data-poll=":     {"acme/page.html": "{{.Title}}"},
		"acme/steps.html:2: unexpected":                    {"acme/page.html": mini("x") + `{{template "steps.html" .}}`, "acme/steps.html": "\n{{end}}"},
		"acme/style.css:3: </style> must not stand there":  {"acme/page.html": mini("x"), "acme/style.css": "\n\n</style>"},
		"acme/script.js:1: </script> must not stand there": {"acme/page.html": mini("x"), "acme/script.js": "</script>"},
		"acme: page.html has 262145 bytes":                 {"acme/page.html": strings.Repeat("x", 262145)},
		"it draws more than 262144 bytes":                  {"acme/page.html": mini("x") + `{{define "a"}}{{range .}}{{printf "%0999999d" 1}}{{end}}{{end}}{{range 9}}{{printf "%0999999d" 1}}{{end}}`},
		`branches end in different contexts`:               {"acme/page.html": mini("x") + "\n{{if .Failed}}<p title=\"{{end}}"},
	} {
		o := themesIn(t, files)
		if o.log.count(want) != 1 || o.log.count("level=ERROR") != 1 {
			t.Errorf("%q is not what is logged:\n%s", want, o.log.text.String())
		}
		o.wantPage("acme", "<h1>shop</h1>")
	}
}

func TestAThemeWhosePageCouldNeverBecomeTheAppIsRefused(t *testing.T) {
	for page, want := range map[string]string{
		strings.Replace(mini("x"), `="{{.Poll}}"`, "", 1):                       "it has no <main data-poll=",
		strings.Replace(mini("x"), `{{.Poll}}`, "always the same", 1):           "it has no <main data-poll=",
		strings.Replace(mini("x"), ` data-state="{{.State}}"`, "", 1):           "it has no <main data-poll=",
		strings.Replace(mini("x"), `{{.Script}}`, "\n{{.Script}}\n", 1):         "in <script> there must be {{.Style}} or {{.Script}} and nothing else",
		strings.Replace(mini("x"), `{{.Style}}`, "body{margin:0}{{.Style}}", 1): "in <style> there must be",
		mini("x") + "<script>alert(1)</script>":                                 "in <script> there must be",
		strings.Replace(mini("x"), `<main data-poll="{{.Poll}}" data-state="{{.State}}"`, `<main class=a data-state={{.State}} data-poll='{{.Poll}}'`, 1): "",
	} {
		o := themesIn(t, map[string]string{"acme/page.html": page, "acme/style.css": "p{margin:0}"})
		if want == "" && o.log.count("level=ERROR") > 0 || want != "" && o.log.count("acme/page.html:1: "+want) != 1 {
			t.Errorf("%s\n%q is not what is logged:\n%s", page, want, o.log.text.String())
		}
	}
}

func TestAThemeWrittenOnWindowsIsAllowedToRun(t *testing.T) {
	const script, style = "document.title=1\r\n// done\r", "p{margin:0}\r\nh1{margin:0}\r\n"
	o := themesIn(t, map[string]string{"acme/page.html": strings.ReplaceAll(mini("x"), "><", ">\r\n<"), "acme/style.css": style, "acme/script.js": script})
	p := o.page("acme")
	if o.log.count("level=ERROR") > 0 {
		t.Fatal(o.log.text.String())
	}
	// As browsers read it.
	read := strings.ReplaceAll(strings.ReplaceAll(string(p.body), "\r\n", "\n"), "\r", "\n")
	for _, element := range inlines.FindAllStringSubmatch(read, -1) {
		if hash := SourceOf(element[2]); !strings.Contains(p.policy, hash) {
			t.Errorf("%s %s is not allowed by %s", hash, element[0], p.policy)
		}
	}
}

func TestAThemeThatFailsForOneAppIsReplacedByPlainAndToldOnce(t *testing.T) {
	o := themesIn(t, map[string]string{"acme/page.html": mini("x") + `{{if eq .Name "shop"}}{{index .Steps 7}}{{end}}`})
	for range 3 {
		o.wantPage("acme", "<h1>shop</h1>")
	}
	if o.log.count("theme failed, plain is drawn") != 1 {
		t.Errorf("logged:\n%s", o.log.text.String())
	}
}

func TestOnesOwnThemeWinsOverABuiltInOne(t *testing.T) {
	o := themesIn(t, map[string]string{"plain/page.html": mini("mine")})
	o.wantPage("plain", "mine shop")
	o.wantPage("nowhere", "mine shop")
	if o.log.count("there is no such theme") != 1 {
		t.Errorf("logged:\n%s", o.log.text.String())
	}
}

func TestALongThemeIsAllowedAndWarnedOf(t *testing.T) {
	o := themesIn(t, map[string]string{"acme/page.html": mini(strings.Repeat("long ", 2000))})
	o.wantPage("acme", "long  shop")
	if o.log.count("maxResponseBodySize must not be under that") != 1 {
		t.Errorf("logged:\n%s", o.log.text.String())
	}
}

func TestTheExampleOfTheDocumentationWorks(t *testing.T) {
	text, err := os.ReadFile("../../docs/themes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "```html\n")
	example, _, _ := strings.Cut(after, "```")
	o := themesIn(t, map[string]string{"acme/page.html": example})
	o.wantPage("acme", "shop")
	if o.log.count("level=ERROR")+o.log.count("level=WARN") != 0 {
		t.Errorf("logged:\n%s", o.log.text.String())
	}
	for _, field := range []string{"Lang", "State", "Failed", "Ready", "Name", "Title", "Sentence", "SentenceLang", "Steps", "Progress", "Label", "Reason", "ReasonLang", "More", "Logs", "Usual", "Known", "Percent", "UsualSeconds", "Remaining", "Form", "Refresh", "Poll", "Brand.Logo", "Style", "Script", "T.Retry", "T.Back"} {
		if !strings.Contains(string(text), "`."+field+"`") {
			t.Errorf("docs/themes.md does not have `.%s`", field)
		}
	}
}

func TestTheLogoIsAllPicturesThatAPageMayShow(t *testing.T) {
	o := themesIn(t, map[string]string{"acme/page.html": mini(`{{with .Brand}}{{with .Logo}}<img src="{{.}}" alt="">{{end}}{{end}}`)})
	for theme, want := range map[string]bool{"plain": false, "terminal": false, "branded": true, "acme": true} {
		if got := strings.Contains(o.page(theme).policy, "; img-src data:"); got != want {
			t.Errorf("%s: %s", theme, o.page(theme).policy)
		}
	}
	s, _ := sampleNamed("usual")
	drawn, err := o.named("branded").draw(s.data(), s.brand)
	if err != nil || !strings.Contains(html.UnescapeString(string(drawn.body)), `src="`+sampleLogo+`"`) {
		t.Errorf("%v\n%s", err, drawn.body)
	}
}

func TestEveryBrandCanBeRead(t *testing.T) {
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				c := parseRGB(fmt.Sprintf("#%02x%02x%02x", r, g, b))
				for what, contrast := range map[string]float64{
					"on it": c.contrast(c.on()), "in light": c.readableOn(white).contrast(white), "in dark": c.readableOn(parseRGB(darkGround)).contrast(parseRGB(darkGround)),
				} {
					if contrast < 4.5 {
						t.Errorf("%s %s: %.2f", c, what, contrast)
					}
				}
			}
		}
	}
}
