package paas

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
)

// What a platform says of addresses and names is not all its own: collaborators of an account
// choose names, and an API may have been broken into. The functions here keep it from leading
// Paastis, or the visitors that it carries, anywhere else than to a platform.

// Read reads what is at a whole URL that the platform has answered with, such as that of a log. It
// is called without the account's token, and within none of its limits. A URL of http is one of
// the platform's only if its API is.
func (a *Account) Read(ctx context.Context, raw string, query url.Values) (string, error) {
	at, err := url.Parse(raw)
	if err != nil || at.Host == "" || !a.sameWay(at) { // the URL is a secret
		return "", fmt.Errorf("%w: it leads nowhere", ErrForm)
	}
	all := at.Query()
	maps.Copy(all, query)
	elsewhere := NewAccount(Config{
		ID: a.config.ID, Transport: a.transport, Timeout: a.config.Timeout, BaseURL: &url.URL{Scheme: at.Scheme, Host: at.Host},
	})
	var text string
	_, err = elsewhere.Call(ctx, Request{Path: at.EscapedPath(), Query: all, Out: &text})
	return text, err
}

// sameWay reports whether a URL is spoken to by https, or by http as the API itself.
func (a *Account) sameWay(at *url.URL) bool {
	return at.Scheme == "https" || at.Scheme == "http" && a.base.Scheme == "http"
}

// AppURL is the URL that a platform has of an app, as its requests are sent there: by https. It is
// empty for one that is none of a platform on the internet: an address or a name of a machine or a
// network of its own, which visitors would reach by way of Paastis.
func AppURL(raw string) string {
	if host, plain := strings.CutPrefix(raw, "http://"); plain {
		raw = "https://" + host
	}
	at, err := url.Parse(raw)
	if err != nil || at.Scheme != "https" {
		return ""
	}
	host := strings.ToLower(strings.TrimSuffix(at.Hostname(), "."))
	_, zone, public := cutLast(host, ".")
	if _, err := netip.ParseAddr(host); err == nil || !public || strings.Trim(zone, "0123456789") == "" || localZones[zone] {
		return ""
	}
	return strings.TrimSuffix(raw, "/")
}

// localZones are names that lead to a machine or a network of one's own, whatever is before them
// (RFC 6761 and 6762, and what ICANN keeps for private use). It is never changed.
var localZones = map[string]bool{"localhost": true, "local": true, "internal": true, "localdomain": true}

func cutLast(text, separator string) (before, after string, found bool) {
	if at := strings.LastIndex(text, separator); at >= 0 {
		return text[:at], text[at+len(separator):], true
	}
	return text, "", false
}

// Line is a text of the platform's that people read, without what a terminal obeys, and what turns
// the direction of the text around it.
func Line(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case unicode.IsControl(c), c == '\u2028', c == '\u2029':
			return ' '
		case unicode.Is(unicode.Bidi_Control, c):
			return -1
		}
		return c
	}, text)
}
