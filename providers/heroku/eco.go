package heroku

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/paastis/paastis/registry/reason"
)

// doorLimit is how long a visit may take that wakes an app. The router holds it until the app is
// up, and goes on waking the app if nobody waits any more.
const doorLimit = 3 * time.Second

// door is what visitors of apps come to. Visits have no token.
type door struct{ client *http.Client }

func newDoor(transport http.RoundTripper) *door {
	return &door{&http.Client{
		Transport: transport, Timeout: doorLimit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// errNoURL is why an app on eco dynos cannot be woken; errNoHours is another.
var (
	errNoURL   = errors.New("it is idle on eco dynos, and has no URL by which it could be woken")
	errNoHours = reason.NewError(reason.QuotaUsedUp, "the hours of eco dynos are used up for this month: heroku ps -a NAME tells; another dyno size needs none")
)

// knock wakes an app whose eco dynos are idle, by one visit. If Heroku answers that it does not
// run, it is found out whether there are hours left.
func (p *Provider) knock(ctx context.Context, a app) error {
	if a.url == "" {
		return errNoURL
	}
	status, err := p.door.visit(ctx, a.url+"/")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || status != http.StatusServiceUnavailable {
		return err
	}
	left, err := p.api.hasEcoHours(ctx)
	if err != nil || left {
		return nil // whether it wakes will be seen
	}
	return errNoHours
}

// visit asks for a page, and returns with what status it was answered. Zero: not yet.
func (d *door) visit(ctx context.Context, address string) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, errors.New("its URL is none")
	}
	r.Header.Set("User-Agent", "Paastis")
	answer, err := d.client.Do(r)
	var slow interface{ Timeout() bool }
	switch {
	case errors.As(err, &slow) && slow.Timeout():
		return 0, nil
	case err != nil:
		return 0, err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	return answer.StatusCode, nil
}
