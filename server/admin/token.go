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

	"golang.org/x/time/rate"

	"github.com/paastis/paastis/server"
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

// keys tell whether a token is the one. Wrong ones make both doors slow: what a person
// types into, and what programs send with each request.
type keys struct {
	sum            Sum
	typed, carried *door
}

func newKeys(sum Sum) keys {
	return keys{
		sum:     sum,
		typed:   newDoor(rate.Every(6*time.Second), 10),
		carried: newDoor(10, 100),
	}
}

// fits compares in a time that tells neither the token nor its length. Where too many
// wrong tokens were tried lately it does not even look, and wait says for how long.
func (k keys) fits(token string, at *door, from netip.Addr) (fits bool, wait time.Duration) {
	now := time.Now()
	if wait := at.wait(from, now); wait > 0 {
		return false, wait
	}
	got := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(k.sum[:], got[:]) == 1 {
		return true, 0
	}
	at.wrong(from, now)
	return false, 0
}

// crowd is how many times as many wrong tokens all addresses together may try as one
// may: who has many of them must not be able to guess either.
const crowd = 100

// door counts wrong tokens, of each address by itself: whoever guesses must not keep out
// who knows.
type door struct{ each, all *server.SourceLimit }

func newDoor(each rate.Limit, burst int) *door {
	return &door{each: server.NewSourceLimit(each, burst), all: server.NewSourceLimit(crowd*each, crowd*burst)}
}

// everybody is one source, of all.
var everybody netip.Addr

// wait is for how long an address must not try. Zero: it may.
func (d *door) wait(from netip.Addr, now time.Time) time.Duration {
	return max(d.all.Wait(everybody, now), d.each.Wait(from, now))
}

// wrong counts a wrong token.
func (d *door) wrong(from netip.Addr, now time.Time) {
	d.all.Allows(everybody, now)
	d.each.Allows(from, now)
}
