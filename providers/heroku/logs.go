package heroku

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/paastis/paastis/providers/internal/paas"
)

// mostLines is how many lines Heroku tells at once.
const mostLines = 1500

// Logs returns the last lines that the dynos of an app wrote, with their time and dyno, oldest first:
// one call to the API, and one to where that leads, which has no token.
func (p *Provider) Logs(ctx context.Context, name string, lines int) ([]string, error) {
	if lines <= 0 {
		return nil, nil
	}
	ctx = paas.With(ctx, paas.Audit)
	known, err := p.known(ctx, "read logs of", name)
	if err != nil {
		return nil, err
	}
	all, err := p.api.logs(ctx, known.id, min(lines, mostLines))
	if err != nil {
		return nil, p.failed("read logs of", known, err)
	}
	return all, nil
}

// logs are the last lines of an app.
func (a *api) logs(ctx context.Context, id string, lines int) ([]string, error) {
	var session struct {
		URL string `json:"logplex_url"`
	}
	_, err := a.account.Call(ctx, paas.Request{
		Method: http.MethodPost, Path: "/apps/" + id + "/log-sessions", Out: &session,
		In: map[string]any{"lines": lines, "tail": false},
	})
	if err != nil {
		return nil, err
	}
	text, err := a.account.Read(ctx, session.URL, nil) // the URL is a secret
	if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	all := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
	return all[max(0, len(all)-lines):], nil
}
