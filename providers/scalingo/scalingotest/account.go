package scalingotest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// sessionLife is how long a token is good that another one was exchanged for.
const sessionLife = time.Hour

// exchange answers with a session for the account's token.
func (p *Platform) exchange(w http.ResponseWriter, r *http.Request) {
	p.lock()
	defer p.mu.Unlock()
	user, token, _ := r.BasicAuth()
	if p.token == "" || user != "" || token != p.token {
		refuse(w, http.StatusUnauthorized, "invalid token")
		return
	}
	p.issued++
	ends := p.now().Add(sessionLife)
	session := p.sign(ends)
	p.sessions[session] = ends
	w.Header().Set("Date", p.now().UTC().Format(http.TimeFormat))
	answer(w, http.StatusOK, map[string]any{"token": session})
}

// sign is a JSON Web Token with nonsense for a signature: nobody but the platform checks it.
func (p *Platform) sign(ends time.Time) string {
	part := func(v any) string {
		text, _ := json.Marshal(v) // maps of texts and numbers
		return base64.RawURLEncoding.EncodeToString(text)
	}
	return strings.Join([]string{
		part(map[string]any{"alg": "ES256", "typ": "JWT"}),
		part(map[string]any{"iss": "Scalingo Tokens", "iat": p.now().Unix(), "exp": ends.Unix(), "uuid": p.id("us-"), "rnd": p.issued}),
		base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf("nonsense %d", p.issued))),
	}, ".")
}

// Token is the API token of the account.
func (p *Platform) Token() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.token
}

// Exchanges is how often a token was exchanged for a session.
func (p *Platform) Exchanges() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.issued
}

// RevokeToken deletes the account's token. Sessions go on until they end, unless EndSessions is
// called as well.
func (p *Platform) RevokeToken() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token = ""
}

// RenewToken gives the account a token, in place of what it had.
func (p *Platform) RenewToken(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token = token
}

// EndSessions makes all sessions invalid.
func (p *Platform) EndSessions() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.sessions)
}

// EndTrial lets nothing be scaled until the account is paid for; Pay does that.
func (p *Platform) EndTrial() { p.setTrial(true) }

// Pay ends what EndTrial began.
func (p *Platform) Pay() { p.setTrial(false) }

func (p *Platform) setTrial(over bool) {
	p.lock()
	defer p.mu.Unlock()
	p.trial = over
}

// Skew puts the platform's clock forward, or back.
func (p *Platform) Skew(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.skew += d
	for session, ends := range p.sessions { // they live as long as they did
		p.sessions[session] = ends.Add(d)
	}
	for i := range p.calls {
		p.calls[i] = p.calls[i].Add(d)
	}
	for _, a := range p.apps {
		if o := a.operation; o != nil {
			o.begins, o.finishes = o.begins.Add(d), o.finishes.Add(d)
		}
	}
}
