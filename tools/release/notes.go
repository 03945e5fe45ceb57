package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// notesOf returns what the changelog of a checkout says of a version: the text below
// "## [1.2.3]". A pre-release that has no such heading gets what is "Unreleased".
func notesOf(root, version string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return "", err
	}
	headings := []string{strings.TrimPrefix(version, "v")}
	if strings.Contains(version, "-") {
		headings = append(headings, "Unreleased")
	}
	for _, heading := range headings {
		if notes := sectionOf(string(text), heading); notes != "" {
			return notes, nil
		}
	}
	return "", fmt.Errorf("CHANGELOG.md says nothing of %s: give what is unreleased a heading such as \"## [%s] - 2026-01-31\"", version, headings[0])
}

// sectionOf returns the text below "## [heading]", up to the next heading of that level.
// Empty: there is no such heading, or nothing below it.
func sectionOf(text, heading string) string {
	_, below, found := strings.Cut("\n"+text, "\n## ["+heading+"]")
	if !found {
		return ""
	}
	_, below, _ = strings.Cut(below, "\n")
	section, _, _ := strings.Cut("\n"+below, "\n## ")
	return strings.TrimSpace(section)
}
