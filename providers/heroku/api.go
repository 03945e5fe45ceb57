package heroku

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/reason"
)

const (
	// version is that of the API, without which it answers 406.
	version = "application/vnd.heroku+json; version=3"
	// quotaVersion has the hours that are left for eco dynos (commands/ps/index.ts of heroku/cli).
	quotaVersion = "application/vnd.heroku+json; version=3.account-quotas"
	// wholeList asks for as many apps at once as there can be: without it 200 are told
	// (devcenter.heroku.com/articles/platform-api-reference#ranges).
	wholeList = "id ..; max=1000"
	// mostPages is how many of them are asked for.
	mostPages = 50
)

// api makes the calls. Its errors name none but the call: who calls says what it was for.
type api struct {
	account *paas.Account
	token   *tokens

	mu   sync.Mutex
	self string // the id of the account; empty: not asked yet
}

// tokens has the token of now.
type tokens struct {
	read func() (string, error)

	mu  sync.Mutex
	now string
}

func newAPI(id string, base *url.URL, cfg Config, log *slog.Logger) (*api, error) {
	token, err := cfg.Token()
	if err != nil {
		return nil, err
	}
	t := &tokens{read: cfg.Token, now: token}
	return &api{token: t, account: paas.NewAccount(paas.Config{
		ID: id, BaseURL: base, Transport: cfg.Transport, Authorize: t.authorize, Renew: t.renew,
		Limit: paas.Limit{Low: reserve}, Remaining: remaining, Refusal: refusal,
		Header: http.Header{"Accept": {version}}, Log: log,
	})}, nil
}

func (t *tokens) authorize(_ context.Context, r *http.Request) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.Header.Set("Authorization", "Bearer "+t.now)
	return nil
}

// renew reads the token again that was refused: somebody may have put another into its file.
func (t *tokens) renew(_ context.Context, refused string) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if refused != "Bearer "+t.now {
		return true, nil
	}
	now, err := t.read()
	if err != nil || now == t.now {
		return false, nil // that it is refused says more than that its file cannot be read
	}
	t.now = now
	return true, nil
}

// remaining is how many calls are left to the account.
func remaining(header http.Header) (calls int, known bool) {
	calls, err := strconv.Atoi(header.Get("RateLimit-Remaining"))
	return calls, err == nil
}

// kinds are what Heroku's names of errors mean (platform-api-reference#error-responses). What is
// not among them means what its status does.
var kinds = map[string]reason.Kind{
	"delinquent":          reason.PaymentRequired,
	"verification_needed": reason.PaymentRequired,
	"suspended":           reason.Blocked,
	"forbidden":           reason.NotAllowed,
	"rate_limit":          reason.RateLimited,
}

// refusal reads an error of Heroku's. What there is to do about a token stands in it: 401 is of all
// that are not known, and 403 of some that have expired.
func refusal(answer *http.Response, body []byte) error {
	var said struct {
		ID      string `json:"id"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &said) != nil {
		return nil
	}
	e := &paas.Error{Code: said.ID, Text: said.Message, Kind: kinds[said.ID]}
	expired := strings.Contains(strings.ToLower(said.Message), "expired")
	switch {
	case answer.StatusCode == http.StatusUnauthorized && !expired:
		e.Kind, e.Text = reason.TokenRefused, join(e.Text, "make another token by heroku authorizations:create")
	case (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden) && expired:
		e.Kind, e.Text = reason.TokenExpired, join(e.Text, "make one that does not expire by heroku authorizations:create")
	}
	return e
}

// join is two sentences in one line, one of which may be missing.
func join(said, todo string) string {
	return strings.TrimPrefix(strings.TrimRight(said, ".")+"; "+todo, "; ")
}

// apps are all that the account may see, in no order.
func (a *api) apps(ctx context.Context) ([]app, error) {
	var all []app
	for part, pages := wholeList, 0; part != ""; pages++ {
		if pages == mostPages {
			return nil, fmt.Errorf("%w: it has no end after %d pages", paas.ErrForm, pages)
		}
		var page []json.RawMessage
		answer, err := a.account.Call(ctx, paas.Request{Path: "/apps", Header: http.Header{"Range": {part}}, Out: &page})
		if err != nil {
			return nil, err
		}
		for _, raw := range page {
			one, err := readApp(raw)
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
		next := answer.Header.Get("Next-Range")
		if answer.Status == http.StatusPartialContent && (next == "" || next == part) {
			return nil, fmt.Errorf("%w: it is cut, and does not say where it goes on", paas.ErrForm)
		}
		part = next
	}
	return all, nil
}

// app is an app as it is now.
func (a *api) app(ctx context.Context, id string) (app, error) {
	var raw json.RawMessage
	if _, err := a.account.Call(ctx, paas.Request{Path: "/apps/" + id, Out: &raw}); err != nil {
		return app{}, err
	}
	return readApp(raw)
}

// formation is what an app is scaled to.
func (a *api) formation(ctx context.Context, id string) (formation, error) {
	var raw []rawProcess
	if _, err := a.account.Call(ctx, paas.Request{Path: "/apps/" + id + "/formation", Out: &raw}); err != nil {
		return nil, err
	}
	return readFormation(raw)
}

// dynos are those that an app has, one-off ones too.
func (a *api) dynos(ctx context.Context, id string) ([]dyno, error) {
	var all []dyno
	_, err := a.account.Call(ctx, paas.Request{Path: "/apps/" + id + "/dynos", Out: &all})
	return all, err
}

// scale scales some process types at once, or none of them, and returns them as they are then. An
// answer that cannot be read is one all the same: they are as they were ordered to be.
func (a *api) scale(ctx context.Context, id string, changes []change) (formation, error) {
	var raw []rawProcess
	_, err := a.account.Call(ctx, paas.Request{
		Method: http.MethodPatch, Path: "/apps/" + id + "/formation", Idempotent: true, Out: &raw,
		In: map[string]any{"updates": changes},
	})
	var f formation
	if err == nil {
		f, err = readFormation(raw)
	}
	if errors.Is(err, paas.ErrForm) {
		return ordered(changes), nil
	}
	return f, err
}

// restart starts the dynos of a process type anew.
func (a *api) restart(ctx context.Context, id, kind string) error {
	_, err := a.account.Call(ctx, paas.Request{Method: http.MethodDelete, Path: "/apps/" + id + "/formations/" + url.PathEscape(kind)})
	return err
}

// hasEcoHours reports whether the account has hours of eco dynos left for this month.
func (a *api) hasEcoHours(ctx context.Context) (bool, error) {
	id, err := a.accountID(ctx)
	if err != nil {
		return false, err
	}
	var quota struct {
		Whole *float64 `json:"account_quota"`
		Used  *float64 `json:"quota_used"`
	}
	_, err = a.account.Call(ctx, paas.Request{
		Path: "/accounts/" + url.PathEscape(id) + "/actions/get-quota", Header: http.Header{"Accept": {quotaVersion}}, Out: &quota,
	})
	if err == nil && (quota.Whole == nil || quota.Used == nil) {
		err = paas.ErrForm
	}
	return err == nil && *quota.Used < *quota.Whole, err
}

// accountID is the id of the account, which never changes.
func (a *api) accountID(ctx context.Context) (string, error) {
	a.mu.Lock()
	known := a.self
	a.mu.Unlock()
	if known != "" {
		return known, nil
	}
	var account struct {
		ID string `json:"id"`
	}
	if _, err := a.account.Call(ctx, paas.Request{Path: "/account", Out: &account}); err != nil {
		return "", err
	}
	if account.ID == "" {
		return "", paas.ErrForm
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.self = account.ID
	return a.self, nil
}
