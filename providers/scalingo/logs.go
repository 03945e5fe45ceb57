package scalingo

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/paastis/paastis/providers/internal/paas"
)

// Logs are the last lines that the app's containers wrote: one call to the API, and one to where that
// leads.
func (p *Provider) Logs(ctx context.Context, name string, lines int) ([]string, error) {
	all, err := p.logs(paas.With(ctx, paas.Audit), name, lines)
	return all, doing("read the log of", name, err)
}

func (p *Provider) logs(ctx context.Context, name string, lines int) ([]string, error) {
	k, err := p.lister.known(ctx, name)
	if err != nil {
		return nil, err
	}
	var answer struct {
		URL string `json:"logs_url"`
	}
	if err := k.region.get(ctx, of(k.name(), "logs"), nil, &answer); err != nil {
		return nil, err
	}
	text, err := p.account.calls.Read(ctx, answer.URL, url.Values{"n": {strconv.Itoa(lines)}}) // the URL has a token in it
	if err != nil {
		return nil, err
	}
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return nil, nil
	}
	return strings.Split(text, "\n"), nil
}
