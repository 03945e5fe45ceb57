package page

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"
)

// Preview shows what themes look like: an index at /, and each sample of each theme at
// /THEME/SAMPLE?lang=LANG, as a visitor would get it.
type Preview struct {
	themes *Themes
	only   string // the theme that is State; empty: all
	mux    *http.ServeMux
}

// NewPreview shows themes, or one of them. The folder of themes is read anew for each
// request.
func NewPreview(themes *Themes, only string) (*Preview, error) {
	if only != "" && themes.named(only) == nil {
		return nil, fmt.Errorf("theme %q does not exist; there are %s", only, strings.Join(themes.Names(), ", "))
	}
	p := &Preview{themes: themes, only: only, mux: http.NewServeMux()}
	p.mux.HandleFunc("GET /{$}", p.index)
	p.mux.HandleFunc("GET /{theme}/{sample}", p.sample)
	return p, nil
}

// ServeHTTP answers one request.
func (p *Preview) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

var previewIndex = template.Must(template.New("index").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Themes of Paastis</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:2rem}
ul{display:grid;grid-template-columns:repeat(auto-fill,minmax(22rem,1fr));gap:1.5rem;list-style:none;padding:0}
iframe{display:block;width:100%;height:30rem;border:1px solid #8888;border-radius:.5rem}
</style>
<h1>Themes of Paastis</h1>
<p>Each frame is a page as a visitor gets it, with apps that are not there. A theme in theme_dir is read anew when a page is loaded.</p>
{{range $theme := .Themes}}<h2 id="{{.}}">{{.}}</h2>
<ul>{{range $.Samples}}{{$url := printf "%s/%s?lang=%s" $theme .Key .Lang}}<li><a href="{{$url}}">{{.About}} ({{.Lang}})</a><iframe loading="lazy" src="{{$url}}" title="{{$theme}}: {{.About}} ({{.Lang}})"></iframe></li>
{{end}}</ul>
{{end}}</html>
`))

// previewLink is a sample as the index has it.
type previewLink struct{ Key, Lang, About string }

func (p *Preview) index(w http.ResponseWriter, _ *http.Request) {
	p.themes.Look()
	names := p.themes.Names()
	if p.only != "" {
		names = []string{p.only}
	}
	var links []previewLink
	languages, _ := locales()
	for _, in := range languages {
		for _, s := range samples() {
			links = append(links, previewLink{s.key, in.code, s.about})
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = previewIndex.Execute(w, struct {
		Themes  []string
		Samples []previewLink
	}{names, links}) // who has left needs no answer
}

// sample answers with a sample, and holds its polls as the server does: nothing changes.
func (p *Preview) sample(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(PollHeader) != "" {
		select {
		case <-r.Context().Done():
			return
		case <-time.After(PollLimit):
		}
	}
	p.themes.Look()
	theme := p.themes.named(r.PathValue("theme"))
	s, ok := sampleNamed(r.PathValue("sample"))
	if theme == nil || !ok {
		http.Error(w, "there is no such theme or sample; / lists them", http.StatusNotFound)
		return
	}
	s.lang = r.FormValue("lang")
	now := time.Now()
	drawn, err := theme.fit(s.at(now), localeFor(s.lang))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = drawn.write(w, http.StatusServiceUnavailable, s.state.View.State, 0) // who has left needs no answer
}
