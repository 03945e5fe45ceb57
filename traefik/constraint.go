package traefik

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/vulcand/predicate"
)

var (
	errNotConstraint = errors.New("not a constraint: want Label(`name`, `value`) or LabelRegex(`name`, `expression`), joined by !, && and ||")
	errRegex         = errors.New("want a regular expression that compiles: Traefik takes one that does not for one that matches nothing")
)

// constraints is the language of Traefik's provider constraints, as its
// pkg/provider/constraints has it.
var constraints = newConstraintLanguage()

// Constraint is the expression on labels by which a provider of Traefik's leaves out apps
// (its `constraints`). It does not change and serves many goroutines at once. The nil
// Constraint matches every app.
type Constraint struct {
	text    string
	matches labelMatcher // nil: it is no expression, so Traefik leaves out every app
}

// labelMatcher reports whether labels match.
type labelMatcher func(labels map[string]string) bool

// ParseConstraint reads a constraint. The empty text is one that every app matches. What
// Traefik reads in another way than it looks is an error too: a regular expression that
// does not compile.
func ParseConstraint(text string) (*Constraint, error) {
	if text == "" {
		return &Constraint{matches: func(map[string]string) bool { return true }}, nil
	}
	matches, err := parseConstraint(text)
	if err != nil {
		return nil, err
	}
	if err := badRegex(text); err != nil {
		return nil, err
	}
	return &Constraint{text, matches}, nil
}

// constraintOf is what Traefik makes of a constraint: one that it cannot read no app
// matches.
func constraintOf(text string) *Constraint {
	if text == "" {
		return &Constraint{matches: func(map[string]string) bool { return true }}
	}
	matches, _ := parseConstraint(text)
	return &Constraint{text, matches}
}

// Match reports whether an app with these labels matches.
func (c *Constraint) Match(labels map[string]string) bool {
	return c == nil || c.matches != nil && c.matches(labels)
}

// Readable reports whether it is an expression that Traefik can read. With one that it
// cannot, Traefik leaves out every app.
func (c *Constraint) Readable() bool { return c == nil || c.matches != nil }

// String returns the constraint as it was written.
func (c *Constraint) String() string {
	if c == nil {
		return ""
	}
	return c.text
}

func parseConstraint(text string) (matches labelMatcher, err error) {
	defer func() { // as in rule.Parse
		if cause := recover(); cause != nil {
			matches, err = nil, SyntaxError{fmt.Errorf("%v", cause)}
		}
	}()
	found, err := constraints.Parse(text)
	if err != nil {
		return nil, SyntaxError{err}
	}
	matches, ok := found.(labelMatcher)
	if !ok {
		return nil, errNotConstraint
	}
	return matches, nil
}

// badRegex tells of a regular expression in a constraint that does not compile.
func badRegex(text string) error {
	var fault error
	reading, _ := predicate.NewParser(predicate.Def{
		Operators: predicate.Operators{
			AND: func(a, _ any) any { return a }, OR: func(a, _ any) any { return a }, NOT: func(a any) any { return a },
		},
		Functions: map[string]any{
			"Label": func(_, _ string) any { return true },
			"LabelRegex": func(name, expr string) any {
				if _, err := regexp.Compile(expr); err != nil {
					fault = fmt.Errorf("LabelRegex of %q: %w", name, errRegex)
				}
				return true
			},
		},
	})
	_, _ = reading.Parse(text) // it was parsed before
	return fault
}

func newConstraintLanguage() predicate.Parser {
	language, err := predicate.NewParser(predicate.Def{
		Operators: predicate.Operators{
			AND: func(a, b labelMatcher) labelMatcher {
				return func(labels map[string]string) bool { return a(labels) && b(labels) }
			},
			OR: func(a, b labelMatcher) labelMatcher {
				return func(labels map[string]string) bool { return a(labels) || b(labels) }
			},
			NOT: func(a labelMatcher) labelMatcher {
				return func(labels map[string]string) bool { return !a(labels) }
			},
		},
		Functions: map[string]any{"Label": matchLabel, "LabelRegex": matchLabelRegex},
	})
	if err != nil {
		panic(err) // by its contract, only for what is written above
	}
	return language
}

// matchLabel takes a label that is not there for an empty one, as Traefik does.
func matchLabel(name, value string) labelMatcher {
	return func(labels map[string]string) bool { return labels[name] == value }
}

func matchLabelRegex(name, expr string) labelMatcher {
	pattern, err := regexp.Compile(expr)
	return func(labels map[string]string) bool { return err == nil && pattern.MatchString(labels[name]) }
}

// SyntaxError is an error of a rule or a constraint, whose text fits into a log line, and that speaks of matchers
// where the parser speaks of functions.
type SyntaxError struct{ Cause error }

func (e SyntaxError) Error() string {
	text := strings.Replace(e.Cause.Error(), "unsupported function:", "unknown matcher", 1)
	return strings.Join(strings.Fields(text), " ")
}

func (e SyntaxError) Unwrap() error { return e.Cause }
