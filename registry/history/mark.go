package history

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"time"
)

// Key is what the marks of all routes are made of. It is a secret.
type Key [sha256.Size]byte

// NewKey makes one of random bits.
func NewKey() (k Key) {
	_, _ = rand.Read(k[:]) // never fails: see its documentation
	return k
}

// String tells nothing.
func (Key) String() string { return "secret" }

// GoString tells nothing.
func (Key) GoString() string { return "secret" }

// LogValue tells nothing.
func (Key) LogValue() slog.Value { return slog.StringValue("secret") }

// Mark is that of the route of a name.
func (k Key) Mark(route string) string { return k.tag(route) + "." + route }

// Signs reports whether a tag is that of the route of a name under the key. How long it takes
// tells nothing of the key.
func (k Key) Signs(route, tag string) bool { return hmac.Equal([]byte(k.tag(route)), []byte(tag)) }

// tag has the characters of base64 for URLs, always as many, and no dot.
func (k Key) tag(route string) string {
	sum := hmac.New(sha256.New, k[:])
	sum.Write([]byte(route))
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil))
}

// TagLength is how many characters a tag has.
const TagLength = (8*sha256.Size + 5) / 6

// Marks are what outlives Paastis of the marks of published routes. The zero value: there are none.
type Marks struct {
	// Keys that a Traefik may use, the newest first: it is published from Since on, or is
	// to be, if Paastis ended in that moment.
	Keys  []Key
	Since time.Time
}
