package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

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

// keys tell whether a token is the one. Wrong ones make both doors slow: what a person
// types into, and what programs send with each request.
type keys struct {
	sum            Sum
	typed, carried *rate.Limiter
}

func newKeys(sum Sum) keys {
	return keys{
		sum:     sum,
		typed:   rate.NewLimiter(rate.Every(6*time.Second), 10),
		carried: rate.NewLimiter(10, 100),
	}
}

// fits compares in a time that tells neither the token nor its length. Where too many
// wrong tokens were tried lately it does not even look, and wait says for how long.
func (k keys) fits(token string, door *rate.Limiter) (fits bool, wait time.Duration) {
	now := time.Now()
	if left := door.TokensAt(now); left < 1 {
		return false, time.Duration((1 - left) / float64(door.Limit()) * float64(time.Second))
	}
	got := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(k.sum[:], got[:]) == 1 {
		return true, 0
	}
	door.AllowN(now, 1)
	return false, 0
}

// seconds is a time for Retry-After.
func seconds(wait time.Duration) string { return strconv.Itoa(int(math.Ceil(wait.Seconds()))) }
