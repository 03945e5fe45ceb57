package rules

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// anyReference is one to a group of a pattern, or a dollar that is written "$$".
var anyReference = regexp.MustCompile(`\$\$|\$\{[^}]*\}|\$[0-9]{1,2}`)

// ruleSyntax are the characters by which a rule of Traefik's, or a regular expression in one, means
// something.
const ruleSyntax = "`\"'\\(){}[]|&!*+?^$<>"

// setRule reads a rule. What references stand for is a part of the app's name, which whoever makes
// an app of a platform chooses: it may have nothing in it that would make another rule of it.
func setRule(p *Properties, value *yaml.Node, expand expander) error {
	written, err := scalarText(value, verbatim)
	if err != nil {
		return err
	}
	rule := anyReference.ReplaceAllStringFunc(written, func(reference string) string {
		part, fault := rulePart(reference, expand)
		if fault != nil && err == nil {
			err = fault
		}
		return part
	})
	if err != nil {
		return err
	}
	p.Rule = rule
	return nil
}

// rulePart is what a reference stands for.
func rulePart(reference string, expand expander) (string, error) {
	part, err := expand(reference)
	switch {
	case err != nil, reference == "$$", part == reference: // it is that which is written
		return part, err
	case strings.ContainsAny(part, ruleSyntax), strings.ContainsFunc(part, unicode.IsControl):
		return "", fmt.Errorf("%s stands for %q, which would make another rule of it; write a pattern that takes letters, digits and - there, or give the app another name", reference, part)
	}
	return part, nil
}
