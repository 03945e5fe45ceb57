package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// document is where a file of Markdown leads, and what leads into it.
type document struct {
	links   []link
	anchors map[string]bool
}

type link struct {
	to   string
	line int // of the block that it stands in
}

var (
	markdown = goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()
	// attribute finds the addresses of HTML. Of a srcset it takes the first.
	attribute = regexp.MustCompile(`\b(?:src|srcset|href)="([^"\s]+)`)
	identity  = regexp.MustCompile(`\b(?:id|name)="([^"]+)"`)
)

func parse(source []byte) document {
	d := document{anchors: map[string]bool{}}
	line := 1
	ast.Walk(markdown.Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if n.Type() == ast.TypeBlock && n.Lines().Len() > 0 {
			line = 1 + bytes.Count(source[:n.Lines().At(0).Start], []byte("\n"))
		}
		switch x := n.(type) {
		case *ast.Heading:
			d.addHeading(words(x, source))
		case *ast.Link:
			d.links = append(d.links, link{string(x.Destination), line})
		case *ast.Image:
			d.links = append(d.links, link{string(x.Destination), line})
		case *ast.RawHTML:
			d.addHTML(x.Segments.Value(source), line)
		case *ast.HTMLBlock:
			d.addHTML(x.Lines().Value(source), line)
		}
		return ast.WalkContinue, nil
	})
	return d
}

func (d *document) addHTML(html []byte, line int) {
	for _, found := range attribute.FindAllSubmatch(html, -1) {
		d.links = append(d.links, link{string(found[1]), line})
	}
	for _, found := range identity.FindAllSubmatch(html, -1) {
		d.anchors[string(found[1])] = true
	}
}

// addHeading makes a heading's anchor as GitHub does: small letters, spaces as hyphens, no
// punctuation; the second of one name ends in -1.
func (d *document) addHeading(heading string) {
	slug := strings.Map(func(c rune) rune {
		switch {
		case c == ' ':
			return '-'
		case c == '-', c == '_', unicode.IsLetter(c), unicode.IsDigit(c):
			return unicode.ToLower(c)
		}
		return -1
	}, heading)
	unique := slug
	for i := 1; d.anchors[unique]; i++ {
		unique = fmt.Sprintf("%s-%d", slug, i)
	}
	d.anchors[unique] = true
}

// words returns what a reader sees of a heading.
func words(n ast.Node, source []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch x := c.(type) {
		case *ast.Text:
			b.Write(x.Segment.Value(source))
		case *ast.String:
			b.Write(x.Value)
		default:
			b.WriteString(words(c, source))
		}
	}
	return b.String()
}
