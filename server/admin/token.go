package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unicode/utf8"

	"github.com/paastis/paastis/server/problem"
	"golang.org/x/time/rate"
)

// shortestToken is how many characters a token has at least.
const shortestToken = 16

// Sum is the SHA-256 of the token. The token itself is not kept. The zero Sum is none.
type Sum [sha256.Size]byte

// SumOf is the sum of a token. The error, if the token is too short, does not repeat it.
func SumOf(token string) (Sum, error) {
	if n := utf8.RuneCountInString(token); n < shortestToken {
		return Sum{}, fmt.Errorf("has %d characters, and must have %d at least; `openssl rand -hex 32` makes a good one", n, shortestToken)
	}
	return sha256.Sum256([]byte(token)), nil
}

// ParseSum reads a sum as sha256sum writes it. The error does not repeat the text, which
// may be the token by mistake.
func ParseSum(text string) (Sum, error) {
	var s Sum
	sum, err := hex.DecodeString(text)
	if err != nil || copy(s[:], sum) != len(s) || len(sum) != len(s) {
		return Sum{}, errors.New("must be the 64 hex digits that `printf %s TOKEN | sha256sum` writes")
	}
	return s, nil
}

// Weakness says why a token may be too easy to guess, or is empty. It does not repeat it.
func Weakness(token string) string {
	const longEnough, variedEnough = 32, 8
	n, different := utf8.RuneCountInString(token), map[rune]bool{}
	for _, r := range token {
		different[r] = true
	}
	switch {
	case n < longEnough:
		return fmt.Sprintf("has %d characters only: a word or two can be guessed, for as long as it takes; `openssl rand -hex 32` makes a good one", n)
	case len(different) < variedEnough:
		return fmt.Sprintf("has %d different characters only, which can be guessed; `openssl rand -hex 32` makes a good one", len(different))
	default:
		return ""
	}
}

// verifier tells whether a token is the one. Every token is compared, however many were
// wrong before: whoever guesses must not keep out who knows, and both may have one address,
// that of a proxy or of a published port. So the limits refuse wrong ones alone: they tell
// people and programs to stop, and keep guesses from filling the log. What makes guessing
// hopeless is the token's length (see Weakness).
type verifier struct {
	sum Sum
	// typed bounds what people type in, and carried what programs send with each request.
	typed, carried *guessLimit
}

func newVerifier(sum Sum) verifier {
	return verifier{
		sum:     sum,
		typed:   newGuessLimit(rate.Every(6*time.Second), 10),
		carried: newGuessLimit(10, 100),
	}
}

// verify compares in a time that tells neither the token nor its length. A wait that is not
// 0 says that too many wrong ones were tried, this one among them, and for how long.
func (v verifier) verify(token string, limit *guessLimit, from netip.Addr, now time.Time) (right bool, wait time.Duration) {
	got := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(v.sum[:], got[:]) == 1 {
		return true, 0
	}
	return false, limit.count(from, now)
}

// crowd is how many times as many wrong tokens all addresses together may try as one may:
// there are people who have many.
const crowd = 100

// everybody is one source, of all.
var everybody netip.Addr

// guessLimit bounds wrong tokens, of each address and of all together.
type guessLimit struct{ each, all *problem.SourceLimit }

func newGuessLimit(each rate.Limit, burst int) *guessLimit {
	return &guessLimit{each: problem.NewSourceLimit(each, burst), all: problem.NewSourceLimit(crowd*each, crowd*burst)}
}

// count counts a wrong token, and returns for how long no more may come. Zero: it was
// within the limit.
func (l *guessLimit) count(from netip.Addr, now time.Time) time.Duration {
	if l.each.Allows(from, now) && l.all.Allows(everybody, now) {
		return 0
	}
	return max(l.each.Wait(from, now), l.all.Wait(everybody, now))
}
