package clevercloud

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"

	"github.com/dghubble/oauth1"
)

// hmacSHA512 signs as Clever Cloud recommends for production ("HMAC-SHA512" in its documentation of
// the API): by RFC 5849, section 3.4.2, with another hash. Method, address, query and time are signed.
type hmacSHA512 struct{ consumerSecret string }

func (s hmacSHA512) Name() string { return "HMAC-SHA512" }

// Sign returns the signature of a message for the secret of a token.
func (s hmacSHA512) Sign(tokenSecret, message string) (string, error) {
	key := oauth1.PercentEncode(s.consumerSecret) + "&" + oauth1.PercentEncode(tokenSecret)
	mac := hmac.New(sha512.New, []byte(key))
	mac.Write([]byte(message)) // never fails
	return base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// signing signs each request before it is carried, so that one that is sent again has a time and a
// nonce of its own. Nil: a connection of its own carries them.
func signing(s Settings, by http.RoundTripper) http.RoundTripper {
	ctx := context.Background()
	if by != nil {
		ctx = context.WithValue(ctx, oauth1.HTTPClient, &http.Client{Transport: by})
	}
	config := &oauth1.Config{ConsumerKey: s.ConsumerKey, ConsumerSecret: s.ConsumerSecret, Signer: hmacSHA512{s.ConsumerSecret}}
	return config.Client(ctx, oauth1.NewToken(s.OAuthToken, s.OAuthSecret)).Transport
}

// plaintext is the header of an account without a signature, as the event socket takes it in its
// first message. Of what address a signature is wanted there its documentation and the vendor's own
// client say different things, and the client sends this one.
func plaintext(s Settings) string {
	return fmt.Sprintf(`OAuth oauth_consumer_key="%s", oauth_token="%s", oauth_signature_method="PLAINTEXT", oauth_signature="%s"`,
		url.QueryEscape(s.ConsumerKey), url.QueryEscape(s.OAuthToken),
		oauth1.PercentEncode(oauth1.PercentEncode(s.ConsumerSecret)+"&"+oauth1.PercentEncode(s.OAuthSecret)))
}
