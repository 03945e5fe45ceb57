package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// A theme is a folder of html/template files: page.html, which may use the others by their
// names, style.css, and script.js unless it takes the script that all themes share. See
// docs/themes.md.
const (
	themePage   = "page.html"
	themeStyle  = "style.css"
	themeScript = "script.js"
)

// themeFileLimit bounds each file of a theme, and each page that it draws.
const themeFileLimit = 256 << 10

// theme draws the waiting page. It never changes.
type theme struct {
	name     string
	template *template.Template
	style    string
	script   template.JS
	pictures bool // it shows images that are parts of it
	own      bool // it is none of the built-in ones
}

// drawing is all that a template gets.
type drawing struct {
	Data
	// Brand is the app's.
	Brand DrawnBrand
	// Style and Script are what goes between <style> and </style>, <script> and
	// </script>, as it is: the Content-Security-Policy allows these two alone.
	Style  template.CSS
	Script template.JS
}

// DrawnBrand is how an app wants to look.
type DrawnBrand struct {
	// Color and Accent are written #rrggbb. Empty: none. A style has them as variables.
	Color, Accent string
	// Logo is a data: URL of an image, for <img src>. Empty: none.
	Logo template.URL
}

// errTooLong is the end of a template that draws without end.
var errTooLong = fmt.Errorf("it draws more than %d bytes", themeFileLimit)

// newTheme makes a theme of its files: name → content. An error says file and line, with
// where before it, and what is wrong. That it can draw each page is for
// triedTheme to say.
func newTheme(name, where string, files map[string]string) (*theme, error) {
	if _, ok := files[themePage]; !ok {
		return nil, fmt.Errorf("%s: a theme needs a %s", where, themePage)
	}
	t := &theme{name: name, template: template.New(""), style: files[themeStyle], script: template.JS(sharedScript())}
	if script, ok := files[themeScript]; ok {
		t.script = template.JS(script)
	}
	for file, content := range files {
		if err := t.take(file, content); err != nil {
			return nil, faultOf(where, err)
		}
	}
	return t, nil
}

// triedTheme is newTheme, and refuses one of which a page could not be drawn or used.
func triedTheme(name, where string, files map[string]string) (*theme, error) {
	t, err := newTheme(name, where, files)
	if err != nil {
		return nil, err
	}
	if err := t.try(); err != nil {
		return nil, faultOf(where, err)
	}
	return t, nil
}

// take adds a file to a theme.
func (t *theme) take(file, content string) error {
	switch {
	case path.Ext(file) == ".html":
		t.pictures = t.pictures || strings.Contains(content, ".Logo") || strings.Contains(content, "data:image/")
		_, err := t.template.New(file).Parse(content)
		return err
	case file == themeStyle:
		t.pictures = t.pictures || strings.Contains(content, "data:image/")
		return endsNot(file, content, "</style")
	case file == themeScript:
		return endsNot(file, content, "</script")
	}
	return nil
}

// endsNot refuses what would end an element too early.
func endsNot(file, content, end string) error {
	before, _, found := strings.Cut(strings.ToLower(content), end)
	if !found {
		return nil
	}
	return fmt.Errorf("%s:%d: %s> must not stand there", file, strings.Count(before, "\n")+1, end)
}

// try draws each sample, in which every part of a page is there once.
func (t *theme) try() error {
	for _, s := range samples() {
		page, err := t.draw(s.data(), s.brand)
		if err != nil {
			return err
		}
		if err := t.check(page, s.data()); err != nil {
			return fmt.Errorf("%s:1: %w", themePage, err)
		}
	}
	return nil
}

// check refuses a page that could never become the app: whose script would ask without
// end, or would not be allowed to run.
func (t *theme) check(p rendering, d Data) error {
	if t.script == template.JS(sharedScript()) {
		for name, value := range map[string]string{"data-poll": d.Poll, "data-state": d.State} {
			if !regexp.MustCompile(`<main\s[^>]*\b` + name + `=["']?` + regexp.QuoteMeta(value) + `["'\s>]`).Match(p.body) {
				return errors.New(`it has no <main data-poll="{{.Poll}}" data-state="{{.State}}">, which the script needs`)
			}
		}
	}
	for _, inline := range inlines.FindAllSubmatch(p.body, -1) {
		if text := string(inline[2]); text != p.style && text != string(t.script) {
			return fmt.Errorf("in <%s> there must be {{.Style}} or {{.Script}} and nothing else, no space either: nothing else is allowed by the Content-Security-Policy", inline[1])
		}
	}
	return nil
}

// inlines are the styles and scripts within a page.
var inlines = regexp.MustCompile(`(?is)<(style|script)\b[^>]*>(.*?)</(?:style|script)`)

// faultOf tells an error of a template like one of any other file: WHERE/FILE:LINE: what.
func faultOf(where string, err error) error {
	text := err.Error()
	for _, prefix := range []string{"html/template:", "template: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return errors.New(where + "/" + strings.TrimPrefix(text, " "))
}

// rendering is the page as it is sent.
type rendering struct {
	body   []byte
	style  string // that of it which is allowed
	policy string // Content-Security-Policy
	lang   string
}

// draw makes a page of data. An error is one of the template; there is no page then.
func (t *theme) draw(d Data, b brand) (p rendering, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			p, err = rendering{}, fmt.Errorf("%s: %v", themePage, cause)
		}
	}()
	style := b.variables(t.style) + t.style
	out := limitedBuffer{limit: themeFileLimit}
	err = t.template.ExecuteTemplate(&out, themePage, drawing{d, b.drawn(), template.CSS(style), t.script})
	if err != nil {
		return rendering{}, err
	}
	return rendering{body: out.Bytes(), style: style, policy: t.policy(style), lang: d.Lang}, nil
}

// policy allows a page its style and its script, and nothing of anybody else.
func (t *theme) policy(style string) string {
	policy := fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; connect-src 'self'; base-uri 'none'; form-action 'none'",
		SourceOf(style), SourceOf(string(t.script)))
	if t.pictures {
		policy += "; img-src data:"
	}
	return policy
}

// SourceOf is the source expression of an inline style or script for a
// Content-Security-Policy.
func SourceOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// limitedBuffer is a buffer that takes so much and no more.
type limitedBuffer struct {
	bytes.Buffer
	limit int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.limit {
		return 0, errTooLong
	}
	return b.Buffer.Write(p)
}

// readTheme reads the files of a theme out of a folder.
func readTheme(folder fs.FS) (map[string]string, error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, e := range entries {
		name := e.Name()
		if path.Ext(name) != ".html" && name != themeStyle && name != themeScript {
			continue
		}
		info, err := fs.Stat(folder, name)
		if err != nil {
			return nil, err
		}
		if info.Size() > themeFileLimit {
			return nil, fmt.Errorf("%s has %d bytes: %d at most", name, info.Size(), themeFileLimit)
		}
		content, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		files[name] = newlines.Replace(string(content))
	}
	return files, nil
}

// newlines makes all ends of lines one character, as a browser does before it compares the
// sum of a style or script with the one that is allowed.
var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")
