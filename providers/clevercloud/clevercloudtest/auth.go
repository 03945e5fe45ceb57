package clevercloudtest

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The credentials of the account.
const (
	Token          = "b3a1c9d2-api-token-of-ada"
	ConsumerKey    = "consumer-key"
	ConsumerSecret = "consumer-secret-s3cr&t"
	OAuthToken     = "oauth-token"
	OAuthSecret    = "oauth-secret/h1dd=n"
)

// longestSkew is how far the clock of a caller may be off who signs by HMAC. It is that of most
// who check it; Clever Cloud does not say.
const longestSkew = 5 * time.Minute

// credentials are what is taken now.
type credentials struct {
	revoked bool // nothing is taken any more
	expired bool // the same, for it is over
	nonces  map[string]bool
}

func newCredentials() credentials { return credentials{nonces: map[string]bool{}} }

// Revoke lets the account's token and signatures count for nothing, until Restore is called.
func (c *Cloud) Revoke() { c.credential(true, false) }

// Expire is the same, as three months after a token was given.
func (c *Cloud) Expire() { c.credential(false, true) }

// Restore ends what Revoke and Expire began.
func (c *Cloud) Restore() { c.credential(false, false) }

func (c *Cloud) credential(revoked, expired bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.credentials.revoked, c.credentials.expired = revoked, expired
}

// bridgeKey marks what came by the bridge.
type bridgeKey struct{}

// door is one of the two ways in.
func (c *Cloud) door(bridge bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		date := c.now()
		c.mu.Unlock()
		w.Header().Set("Date", date.UTC().Format(http.TimeFormat))
		c.Calls.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), bridgeKey{}, bridge)))
	})
}

// authorized asks who calls before it answers. The socket asks by itself, by its first message.
func (c *Cloud) authorized(w http.ResponseWriter, r *http.Request) {
	bridge, _ := r.Context().Value(bridgeKey{}).(bool)
	socket := r.URL.Path == "/v2/events/event-socket"
	if socket && bridge {
		refuse(w, http.StatusNotFound, 4000, "Not found") // whether the bridge has one is not known
		return
	}
	if !socket && !c.knows(r.Header.Get("Authorization"), bridge, r.Method, bare(r), r.URL.Query()) {
		refuse(w, http.StatusUnauthorized, 2001, "Not connected")
		return
	}
	c.mux.ServeHTTP(w, r)
}

// bare is the address of a request as it is signed, without its query and its scheme: who calls an
// emulator may do so without TLS.
func bare(r *http.Request) string { return r.Host + r.URL.EscapedPath() }

// knows reports whether a header is that of the account.
func (c *Cloud) knows(header string, bridge bool, method, address string, query url.Values) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	kind, rest, _ := strings.Cut(header, " ")
	switch {
	case c.credentials.revoked || c.credentials.expired:
		return false
	case bridge:
		return kind == "Bearer" && rest == Token
	default:
		return kind == "OAuth" && c.signed(parameters(rest), method, address, query)
	}
}

// parameters are those of an Authorization header of OAuth.
func parameters(header string) map[string]string {
	all := map[string]string{}
	for _, part := range strings.Split(header, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		value, err := url.PathUnescape(strings.Trim(value, `"`))
		if err != nil {
			return nil
		}
		all[key] = value
	}
	return all
}

// signed reports whether the parameters of a call are signed by the account, once, and not long
// ago. Called with c.mu held.
func (c *Cloud) signed(with map[string]string, method, address string, query url.Values) bool {
	if with["oauth_consumer_key"] != ConsumerKey || with["oauth_token"] != OAuthToken {
		return false
	}
	switch with["oauth_signature_method"] {
	case "", "PLAINTEXT":
		return with["oauth_signature"] == escape(ConsumerSecret)+"&"+escape(OAuthSecret) || with["oauth_signature"] == ConsumerSecret+"&"+OAuthSecret
	case "HMAC-SHA512":
	default:
		return false
	}
	stamp, err := strconv.ParseInt(with["oauth_timestamp"], 10, 64)
	if err != nil || c.now().Sub(time.Unix(stamp, 0)).Abs() > longestSkew || with["oauth_nonce"] == "" || c.credentials.nonces[with["oauth_nonce"]] {
		return false
	}
	if !slices.ContainsFunc([]string{"https://", "http://"}, func(scheme string) bool {
		return hmac.Equal([]byte(with["oauth_signature"]), []byte(signature(with, method, scheme+address, query)))
	}) {
		return false
	}
	c.credentials.nonces[with["oauth_nonce"]] = true
	return true
}

// signature is that of RFC 5849, section 3.4, by HMAC-SHA512.
func signature(with map[string]string, method, address string, query url.Values) string {
	var pairs []string
	for key, value := range with {
		if strings.HasPrefix(key, "oauth_") && key != "oauth_signature" {
			pairs = append(pairs, escape(key)+"="+escape(value))
		}
	}
	for key, values := range query {
		for _, value := range values {
			pairs = append(pairs, escape(key)+"="+escape(value))
		}
	}
	slices.Sort(pairs)
	base := method + "&" + escape(address) + "&" + escape(strings.Join(pairs, "&"))
	mac := hmac.New(sha512.New, []byte(escape(ConsumerSecret)+"&"+escape(OAuthSecret)))
	mac.Write([]byte(base))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// escape is the encoding of RFC 5849, section 3.6.
func escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
