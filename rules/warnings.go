package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// manyNames is how many names a warning lists.
const manyNames = 3

// anyName is the name of no app in particular.
const anyName = "any-app-at-all-0"

// OtherName is a name of an app that patterns are not tried on.
type OtherName struct{ Name, App string }

// Warnings are what is valid in the rules and will likely surprise their author, a line
// each. names are those of the known apps that patterns are tried on (see TriedName); none:
// only what the rules say by themselves. others are more names of the same apps.
func (s *Set) Warnings(names []string, others ...OtherName) []string {
	if s == nil {
		return nil
	}
	var all []string
	warn := func(r rule, format string, args ...any) {
		all = append(all, fmt.Sprintf("%s: pattern '%s' ", s.place(r.line), r.pattern)+fmt.Sprintf(format, args...))
	}
	for _, r := range s.rules {
		if r.renames() && !r.namesEach() {
			warn(r, "gives every app that it matches the same app_name; anchor it (^…$), or use a group in app_name")
		}
		if r.pattern.MatchString("") && r.pattern.MatchString(anyName) && r.pattern.String() != ".*" {
			warn(r, "matches every app; write '.*' if that is meant")
			continue
		}
		whole, partly := r.matches(names)
		switch {
		case len(names) > 0 && len(whole)+len(partly) == 0:
			warn(r, "%s", r.missing(others))
		case len(partly) > 0 && (len(whole) > 0 || r.literal()):
			warn(r, "also matches %s in part; write '^(?:%s)$' to match whole names only", some(partly), r.pattern)
		}
	}
	return all
}

// missing says that the pattern matches no name that patterns are tried on.
func (r rule) missing(others []OtherName) string {
	names := make([]string, 0, len(others))
	for _, other := range others {
		names = append(names, other.Name)
	}
	whole, _ := r.matches(names)
	for _, other := range others {
		if slices.Contains(whole, other.Name) {
			return fmt.Sprintf("matches %s alone, which is another name of app %q: patterns are tried on the latter; write that", other.Name, other.App)
		}
	}
	return "matches no known app"
}

// matches are the names that the pattern matches as a whole, and those in part.
func (r rule) matches(names []string) (whole, partly []string) {
	longest := regexp.MustCompile(r.pattern.String())
	longest.Longest()
	for _, name := range names {
		switch at := longest.FindStringIndex(name); {
		case at == nil:
		case at[0] == 0 && at[1] == len(name):
			whole = append(whole, name)
		default:
			partly = append(partly, name)
		}
	}
	return whole, partly
}

// literal reports whether the pattern looks like a plain name, not like a part of names.
func (r rule) literal() bool {
	prefix, complete := r.pattern.LiteralPrefix()
	return complete && !strings.HasSuffix(prefix, "-")
}

// renames reports whether the rule sets app_name.
func (r rule) renames() bool { return r.appName() != "" }

func (r rule) appName() string {
	for _, set := range r.sets {
		if set.property.Key == "app_name" {
			return deref(set.value).Value
		}
	}
	return ""
}

// namesEach reports whether the name differs from app to app, or whether one app alone can
// match.
func (r rule) namesEach() bool {
	text := r.pattern.String()
	anchored := strings.HasPrefix(text, "^") && strings.HasSuffix(text, "$")
	_, complete := r.pattern.LiteralPrefix()
	inner, err := regexp.Compile(strings.Trim(text, "^$"))
	if err == nil && anchored {
		_, complete = inner.LiteralPrefix()
	}
	return complete || strings.Contains(r.appName(), "$")
}

// some lists names, not too many.
func some(names []string) string {
	if len(names) > manyNames {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:manyNames], ", "), len(names)-manyNames)
	}
	return strings.Join(names, ", ")
}
