package scalingo

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
)

const (
	// measurePause is the time between two measures of an app that is in use: each is two calls.
	measurePause = 5 * time.Minute
	// lately is for how long requests count that Scalingo's routers have passed. They are counted
	// by the minute.
	lately = 5 * time.Minute
	// clockSlack is how late the platform may have counted a request that Paastis knows: its
	// header Date has whole seconds, and the way to its routers takes a moment.
	clockSlack = 5 * time.Second
)

// MeasurePause is the time between two measures of an app that is in use.
func (p *Provider) MeasurePause() time.Duration { return measurePause }

// Measure tells whether one-off containers run in the app, and how many requests Scalingo's routers
// have passed to it in the last five minutes, whatever way they came: two calls, or one. What came
// in the minute of the last use that is known, or before, was that use: a visitor whom Paastis has
// let through, a front that has asked its back.
func (p *Provider) Measure(ctx context.Context, name string, want provider.Want) (idle.Usage, error) {
	usage := idle.Usage{Connections: idle.UnknownConnections}
	end, ok := p.flights.measure(ctx)
	if !ok {
		usage.Use = reason.Reason{Kind: reason.CheckingUse}
		return usage, nil // others are about to sleep; the next measure comes
	}
	defer end()
	ctx = paas.With(ctx, paas.Sleep)
	k, err := p.lister.known(ctx, name)
	if err == nil {
		usage.Use, err = k.region.use(ctx, k.name(), want.Since)
	}
	return usage, doing("measure", name, err)
}

// use is a use of an app that the region tells of. Zero: there is none.
func (r *region) use(ctx context.Context, app string, known time.Time) (reason.Reason, error) {
	oneOffs, err := r.oneOffs(ctx, app)
	if err != nil {
		return reason.Reason{}, err
	}
	if oneOffs > 0 {
		return reason.Reason{Kind: reason.OneOffs, Count: oneOffs}, nil
	}
	requests, err := r.requests(ctx, app, known)
	if err != nil || requests == 0 {
		return reason.Reason{}, err
	}
	return reason.Reason{Kind: reason.RoutedRequests, Count: requests}, nil
}

// oneOffs is how many one-off containers run in an app (`scalingo run`).
func (r *region) oneOffs(ctx context.Context, app string) (int, error) {
	var answer struct {
		Containers *[]struct {
			Type    string     `json:"type"`
			State   string     `json:"state"`
			Deleted *time.Time `json:"deleted_at"`
		} `json:"containers"`
	}
	if err := r.get(ctx, of(app, "ps"), nil, &answer); err != nil {
		return 0, err
	}
	if answer.Containers == nil {
		return 0, paas.ErrForm
	}
	n := 0
	for _, c := range *answer.Containers {
		if c.Type == "one-off" && c.State != "stopped" && c.State != "crashed" && c.Deleted == nil {
			n++
		}
	}
	return n, nil
}

// requests is how many were passed to an app lately, and after a use that is known, by the
// platform's clock.
func (r *region) requests(ctx context.Context, app string, known time.Time) (int, error) {
	var points []struct {
		Time  time.Time `json:"time"`
		Value *float64  `json:"value"`
	}
	query := url.Values{"status_code": {"all"}, "since": {"1"}}
	answer, err := r.calls.Call(ctx, paas.Request{Path: of(app, "stats", "router"), Query: query, Out: &points})
	if err != nil {
		return 0, err
	}
	now, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	from := now.Add(-lately)
	if after := now.Add(-time.Since(known) + clockSlack); after.After(from) {
		from = after
	}
	sum := 0.0
	for _, p := range points {
		if p.Value != nil && !p.Time.Before(from) {
			sum += *p.Value
		}
	}
	return int(math.Ceil(sum)), nil
}
