// Package reasontest is for tests of whoever tells reasons: what it says in other languages,
// to programs and to metrics must not hang on the English words.
package reasontest

import (
	"maps"
	"testing"
	_ "unsafe" // for the table, which nobody else may change

	"github.com/paastis/paastis/registry/reason"
)

// texts is reason's own type of that name, field by field: the last two are use and refusal.
type texts struct {
	text, one string
	_, _      bool
}

//go:linkname textsOf github.com/paastis/paastis/registry/reason.textsOf
var textsOf map[reason.Kind]texts

// Reword words each English text otherwise until the test ends. It is not for parallel tests.
func Reword(t *testing.T, word func(text string) string) {
	was, changed := textsOf, maps.Clone(textsOf)
	for kind, known := range changed {
		known.text = word(known.text)
		if known.one != "" {
			known.one = word(known.one)
		}
		changed[kind] = known
	}
	textsOf = changed
	t.Cleanup(func() { textsOf = was })
}
