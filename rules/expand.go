package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// expander turns the text of a property into what it means for one app.
type expander func(text string) (string, error)

// verbatim is for texts without references: labels and global settings.
func verbatim(text string) (string, error) { return text, nil }

// expandMatch replaces all references to groups of a match: $1 to $99, ${1}, ${name},
// $0 for the whole match, $$ for a dollar. $10 is group 10 if there is one, else group
// 1 and a 0. A group that did not take part is empty. Any other dollar stays.
func expandMatch(text string, pattern *regexp.Regexp, name string, groups []int) (string, error) {
	return expand(text, pattern, func(group int) string {
		if groups[2*group] < 0 {
			return ""
		}
		return name[groups[2*group]:groups[2*group+1]]
	})
}

// checkReferences tells of references to groups that the pattern lacks.
func checkReferences(text string, pattern *regexp.Regexp) error {
	_, err := expand(text, pattern, func(int) string { return "" })
	return err
}

func expand(text string, pattern *regexp.Regexp, group func(int) string) (string, error) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	var b strings.Builder
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "$")
		b.WriteString(before)
		if !found {
			break
		}
		value, left, err := reference(after, pattern, group)
		if err != nil {
			return "", err
		}
		b.WriteString(value)
		rest = left
	}
	return b.String(), nil
}

// reference reads what stands after a dollar, and returns its value and what is left.
func reference(after string, pattern *regexp.Regexp, group func(int) string) (value, left string, err error) {
	switch {
	case strings.HasPrefix(after, "$"):
		return "$", after[1:], nil
	case strings.HasPrefix(after, "{"):
		name, left, closed := strings.Cut(after[1:], "}")
		if !closed {
			return "", "", fmt.Errorf("%q has no closing brace; write $$ for a dollar", "$"+after)
		}
		number, err := groupOf(name, pattern)
		if err != nil {
			return "", "", err
		}
		return group(number), left, nil
	}
	digits := 0
	for digits < len(after) && digits < 2 && after[digits] >= '0' && after[digits] <= '9' {
		digits++
	}
	if digits == 0 {
		return "$", after, nil
	}
	if digits == 2 && (after[0] == '0' || number(after[:2]) > pattern.NumSubexp()) {
		digits = 1
	}
	n, err := groupOf(after[:digits], pattern)
	if err != nil {
		return "", "", err
	}
	return group(n), after[digits:], nil
}

// groupOf is the number of a group of the pattern, by its number or name.
func groupOf(name string, pattern *regexp.Regexp) (int, error) {
	n, err := strconv.Atoi(name)
	switch {
	case err == nil && n >= 0 && n <= pattern.NumSubexp():
		return n, nil
	case err == nil:
		return 0, fmt.Errorf("${%s} refers to a group that the pattern does not have: it has %d", name, pattern.NumSubexp())
	}
	if i := slices.Index(pattern.SubexpNames(), name); i > 0 {
		return i, nil
	}
	return 0, fmt.Errorf("${%s} refers to a group that the pattern does not have; name one as (?P<%s>…)", name, name)
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}
