package server

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
)

var (
	//go:embed waiting.html
	waitingHTML string
	//go:embed waiting.css
	waitingCSS string
	//go:embed waiting.js
	waitingJS string
)

// theme draws the waiting page.
type theme struct {
	template *template.Template
	style    template.CSS
	script   template.JS
	policy   string // Content-Security-Policy
}

// newTheme makes the built-in theme.
func newTheme() *theme {
	t := &theme{
		template: template.Must(template.New("waiting").Parse(waitingHTML)),
		style:    template.CSS(strings.ReplaceAll(waitingCSS, "\n", "")),
		script:   template.JS(strings.TrimSpace(waitingJS)),
	}
	t.policy = fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; connect-src 'self'; base-uri 'none'; form-action 'none'",
		hashOf(string(t.style)), hashOf(string(t.script)))
	return t
}

// draw makes a page of data.
func (t *theme) draw(d PageData) []byte {
	var b bytes.Buffer
	err := t.template.Execute(&b, struct {
		PageData
		Style  template.CSS
		Script template.JS
	}{d, t.style, t.script})
	if err != nil {
		// The template is fixed and the data plain: only a fault of ours gets here.
		return []byte("<!doctype html><title>Paastis</title>Please try again in a moment.")
	}
	return b.Bytes()
}

// hashOf is the source expression of an inline style or script (CSP level 2).
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
