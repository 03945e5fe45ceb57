package server

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/paastis/paastis/registry"
)

// pageLimit is the most bytes that the waiting page and the answer to its poll have, so
// that Traefik's maxResponseBodySize can be 4096: a visitor gets no longer answer.
const pageLimit = 4096

var (
	//go:embed waiting.html
	waitingHTML string
	//go:embed waiting.css
	waitingCSS string
	//go:embed waiting.js
	waitingJS string
)

// Page is the waiting page: what a person sees while an app wakes, or when it failed.
type Page struct {
	template *template.Template
	style    template.CSS
	script   template.JS
	policy   string // Content-Security-Policy
}

// picture is what the page shows, and what its polls get.
type picture struct {
	State    string `json:"state"`
	Title    string `json:"title"`
	Sentence string `json:"sentence"`
	Failed   bool   `json:"failed"`
	Steps    []step `json:"steps"`
	Logs     string `json:"logs,omitempty"`

	Name   string       `json:"-"`
	Style  template.CSS `json:"-"`
	Script template.JS  `json:"-"`
}

type step struct {
	Name     string            `json:"name"`
	Progress registry.Progress `json:"progress"`
}

// NewPage makes the built-in page.
func NewPage() *Page {
	p := &Page{
		template: template.Must(template.New("waiting").Parse(waitingHTML)),
		style:    template.CSS(strings.ReplaceAll(waitingCSS, "\n", "")),
		script:   template.JS(strings.TrimSpace(waitingJS)),
	}
	p.policy = fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; connect-src 'self'; base-uri 'none'; form-action 'none'",
		hashOf(string(p.style)), hashOf(string(p.script)))
	return p
}

// Render makes the page, of 4,096 bytes at most.
func (p *Page) Render(v registry.View) []byte { return fit(v, p.render) }

func (p *Page) render(pic picture) []byte {
	pic.Style, pic.Script = p.style, p.script
	var b bytes.Buffer
	if err := p.template.Execute(&b, pic); err != nil {
		// The template is fixed and the picture plain: only a fault of ours gets here.
		return []byte("<!doctype html><title>Paastis</title>Please try again in a moment.")
	}
	return b.Bytes()
}

// size is how much of a view is drawn: so many steps, letters of a name and of a reason,
// and lines of a log.
type size struct{ steps, name, reason, lines int }

// sizes are tried one after the other.
var sizes = []size{{12, 60, 200, 8}, {12, 60, 200, 4}, {8, 40, 200, 2}, {8, 24, 200, 0}, {4, 16, 100, 0}, {0, 16, 100, 0}}

// fit draws a view within the limit: long texts are cut, and steps left out, until it
// fits.
func fit(v registry.View, draw func(picture) []byte) []byte {
	for _, size := range sizes {
		if drawn := draw(pictureOf(v, size)); len(drawn) <= pageLimit {
			return drawn
		}
	}
	return draw(pictureOf(registry.View{State: v.State}, size{}))
}

// write answers a person's navigation with the page.
func (p *Page) write(w http.ResponseWriter, status int, v registry.View) error {
	setState(w, v.State)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Retry-After", retryAfter)
	w.WriteHeader(status)
	_, err := w.Write(p.Render(v))
	return err
}

// writePoll answers the page's poll: never with a 2xx, which would send it on to the
// app.
func writePoll(w http.ResponseWriter, v registry.View) error {
	setState(w, v.State)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, err := w.Write(fit(v, encode))
	return err
}

func encode(pic picture) []byte {
	text, _ := json.Marshal(pic) // texts, booleans and lists of them: it cannot fail
	return text
}

func pictureOf(v registry.View, most size) picture {
	name := cut(v.Name, most.name)
	pic := picture{State: v.State.String(), Name: name, Failed: v.State == registry.Failed, Steps: []step{}}
	switch v.State {
	case registry.Failed:
		pic.Title = name + " could not start"
		pic.Sentence = cmp.Or(cut(v.Reason, most.reason), "It could not be started.")
		pic.Logs = lastLines(v.Logs, most.lines)
	case registry.Ready:
		pic.Title, pic.Sentence = name, "It is ready."
	default:
		pic.Title = name + " is waking up"
		pic.Sentence = cmp.Or(cut(v.Reason, most.reason), "It was asleep and is waking up. This page will become the app by itself.")
	}
	shown := min(len(v.Steps), most.steps)
	for _, s := range v.Steps[:shown] {
		pic.Steps = append(pic.Steps, step{Name: cut(s.Name, most.name), Progress: s.Progress})
	}
	if more := len(v.Steps) - shown; more > 0 {
		pic.Steps = append(pic.Steps, step{Name: fmt.Sprintf("and %d more", more)})
	}
	return pic
}

// lastLines are so many of the last lines, each cut.
func lastLines(logs []string, lines int) string {
	var last []string
	for _, line := range logs[max(len(logs)-lines, 0):] {
		last = append(last, cut(line, 90))
	}
	return strings.Join(last, "\n")
}

// cut shortens a text to so many letters.
func cut(s string, letters int) string {
	r := []rune(strings.ToValidUTF8(s, "?"))
	if len(r) <= letters {
		return string(r)
	}
	return string(r[:max(letters-1, 0)]) + "…"
}

// hashOf is the source expression of an inline style or script (CSP level 2).
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
