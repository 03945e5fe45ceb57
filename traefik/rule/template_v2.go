package rule

import (
	"fmt"
	"regexp"
	"strings"
)

// templateV2 is a text with {name} and {name:pattern} in it, such as
// {sub:[a-z]+}.example.com. The language is that of gorilla/mux, on which Traefik 2
// was built: https://github.com/gorilla/mux#matching-routes
type templateV2 struct {
	text      string
	pattern   *regexp.Regexp
	variables []string
}

// templateKind tells what a template is held against, and so what its variables match.
type templateKind struct {
	start    string // of the pattern
	variable string // what {name} matches that has no pattern
	end      string // of the pattern
}

var (
	hostTemplate   = templateKind{start: "(?i)^", variable: "[^.]+", end: "$"}
	pathTemplate   = templateKind{start: "^", variable: "[^/]+", end: "$"}
	prefixTemplate = templateKind{start: "^", variable: "[^/]+"}
	queryTemplate  = templateKind{start: "^", variable: ".*", end: "$"}
)

func parseTemplate(text string, kind templateKind) (templateV2, error) {
	spans, err := braces(text)
	if err != nil {
		return templateV2{}, err
	}
	t := templateV2{text: text}
	pattern, done := kind.start, 0
	for i, span := range spans {
		name, value, err := parseVariable(text[span.from:span.to], kind)
		if err != nil {
			return templateV2{}, err
		}
		t.variables = append(t.variables, name)
		pattern += regexp.QuoteMeta(text[done:span.from]) + fmt.Sprintf("(?P<v%d>%s)", i, value)
		done = span.to
	}
	pattern += regexp.QuoteMeta(text[done:])
	if kind == queryTemplate && strings.HasSuffix(text, "=") && strings.Count(text, "=") == 1 {
		pattern += kind.variable // "name=" takes any value
	}
	t.pattern, err = regexp.Compile(pattern + kind.end)
	return t, err
}

func (t templateV2) match(text string) bool { return t.pattern.MatchString(text) }

// parameter is the name in a template of the form "name=value".
func (t templateV2) parameter() string {
	name, _, _ := strings.Cut(t.text, "=")
	return name
}

// parseVariable splits {name:pattern}. The pattern must be a whole one by itself.
func parseVariable(text string, kind templateKind) (name, pattern string, err error) {
	name, pattern, given := strings.Cut(text[1:len(text)-1], ":")
	if !given {
		pattern = kind.variable
	}
	if name == "" || pattern == "" {
		return "", "", fmt.Errorf("variable %q has no name or no pattern", text)
	}
	_, err = regexp.Compile("^" + pattern + "$")
	return name, pattern, err
}

// span is a part of a text, with its braces.
type span struct{ from, to int }

// braces finds the outermost pairs of braces.
func braces(text string) ([]span, error) {
	var spans []span
	var level, from int
	for i, char := range []byte(text) {
		switch char {
		case '{':
			if level++; level == 1 {
				from = i
			}
		case '}':
			if level--; level == 0 {
				spans = append(spans, span{from, i + 1})
			}
		}
		if level < 0 {
			break
		}
	}
	if level != 0 {
		return nil, fmt.Errorf("unbalanced braces in %q", text)
	}
	return spans, nil
}
