package scalingo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
)

// exchanged gets sessions for a token of an account: each is good for an hour, in every region. A
// token that was deleted shows here: a session that was got with it before goes on to its end.
func exchanged(c Config, s Settings) (*paas.Exchanged, *url.URL, error) {
	at, err := url.Parse(s.authURL())
	if err != nil {
		return nil, nil, fmt.Errorf("auth_url: %w", err)
	}
	auth := paas.NewAccount(paas.Config{
		ID: c.ID, BaseURL: at, Transport: c.Transport, Timeout: callTimeout, Refusal: refusal, Log: c.Log, Exchanges: true,
		Authorize: func(_ context.Context, r *http.Request) error {
			token, err := s.token()
			if err == nil {
				r.SetBasicAuth("", token)
			}
			return err
		},
	})
	return paas.NewExchanged(func(ctx context.Context) (paas.Token, error) {
		var answer struct {
			Token string `json:"token"`
		}
		_, err := auth.Call(ctx, paas.Request{Method: http.MethodPost, Path: "/v1/tokens/exchange", Out: &answer, Idempotent: true})
		if err != nil {
			return paas.Token{}, fmt.Errorf("exchange the token: %w", err)
		}
		if answer.Token == "" {
			return paas.Token{}, fmt.Errorf("exchange the token: %w: it has no token", paas.ErrForm)
		}
		return sessionOf(answer.Token), nil
	}), at, nil
}

// sessionOf is a session as it tells of itself. Who cannot read it knows no end of it.
func sessionOf(text string) paas.Token {
	token := paas.Token{Value: text}
	var claims struct {
		Issued int64 `json:"iat"`
		Ends   int64 `json:"exp"`
	}
	if err := readClaims(text, &claims); err != nil {
		return token
	}
	if claims.Ends > 0 {
		token.Ends = time.Unix(claims.Ends, 0)
	}
	if claims.Issued > 0 {
		token.Issued = time.Unix(claims.Issued, 0)
	}
	return token
}

// readClaims reads what a JSON Web Token claims. It is not verified: that is for whom it is shown to.
func readClaims(token string, into any) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("it has no three parts")
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return errors.New("its claims are not base64")
	}
	return json.Unmarshal(claims, into)
}
