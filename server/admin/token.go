package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
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
func (k keys) fits(token string, at *door, from netip.Prefix) (fits bool, wait time.Duration) {
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

const (
	// crowd is how many times as many wrong tokens all addresses together may try as one
	// may: who has many of them must not be able to guess either.
	crowd = 100
	// mostAddresses is how many of them are remembered.
	mostAddresses = 10_000
)

// door counts wrong tokens, of each address by itself: whoever guesses must not keep out
// who knows.
type door struct {
	each  rate.Limit
	burst int
	all   *rate.Limiter

	mu   sync.Mutex
	from map[netip.Prefix]*rate.Limiter // :: address → what it has left; those that tried none are not there
}

func newDoor(each rate.Limit, burst int) *door {
	return &door{each: each, burst: burst, all: rate.NewLimiter(crowd*each, crowd*burst), from: map[netip.Prefix]*rate.Limiter{}}
}

// wait is for how long an address must not try. Zero: it may.
func (d *door) wait(from netip.Prefix, now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	wait := lack(d.all, now)
	if tried := d.from[from]; tried != nil {
		wait = max(wait, lack(tried, now))
	}
	return wait
}

// lack is for how long a limiter has nothing left.
func lack(l *rate.Limiter, now time.Time) time.Duration {
	return time.Duration(max(0, 1-l.TokensAt(now)) / float64(l.Limit()) * float64(time.Second))
}

// wrong counts a wrong token.
func (d *door) wrong(from netip.Prefix, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all.AllowN(now, 1)
	tried := d.from[from]
	if tried == nil {
		d.forget(now)
		tried = rate.NewLimiter(d.each, d.burst)
		d.from[from] = tried
	}
	tried.AllowN(now, 1)
}

// forget makes room for one more address. Called with the lock held.
func (d *door) forget(now time.Time) {
	if len(d.from) < mostAddresses {
		return
	}
	maps.DeleteFunc(d.from, func(_ netip.Prefix, l *rate.Limiter) bool { return l.TokensAt(now) >= float64(d.burst) })
	if len(d.from) >= mostAddresses {
		clear(d.from)
	}
}

// addressOf is where a request comes from; of IPv6 the network, for whoever has an address
// has all of it. A proxy near by says from whom it has the request.
func addressOf(r *http.Request) netip.Prefix {
	at, _ := netip.ParseAddrPort(r.RemoteAddr)
	from := at.Addr().Unmap()
	if from.IsPrivate() || from.IsLoopback() || from.IsLinkLocalUnicast() {
		if passed := r.Header.Values("X-Forwarded-For"); len(passed) > 0 {
			last := passed[len(passed)-1]
			last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
			if addr, err := netip.ParseAddr(last); err == nil {
				from = addr.Unmap()
			}
		}
	}
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	network, _ := from.WithZone("").Prefix(bits) // the zero Prefix for no address
	return network
}

// seconds is a time for Retry-After.
func seconds(wait time.Duration) string { return strconv.Itoa(int(math.Ceil(wait.Seconds()))) }
