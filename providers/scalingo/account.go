package scalingo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/provider"
)

const (
	// callTimeout is how long one call may take.
	callTimeout = 20 * time.Second
	// callsPerMinute is how often the account is called if nobody says otherwise, of 60 times
	// that it may be (https://developers.scalingo.com, "Rate limit"): the rest is for its owner.
	callsPerMinute = 55
	// leastCallsPerMinute is what a wake or two take, and the listings.
	leastCallsPerMinute = 10
	// callsAtOnce is how many of these may come one right after another.
	callsAtOnce = 10
	// callsForWakes is how many are for wakes alone.
	callsForWakes = 10
)

// account is the account at Scalingo: all calls are made with its session and within its limit, in
// whatever region.
type account struct {
	calls *paas.Account // at the auth service
	only  *url.URL      // the API of the only region; nil: the auth service tells
	want  []string      // the regions' names; nil: all that there are

	mu      sync.Mutex
	regions []*region // nil: not known yet
}

func newAccount(c Config, s Settings) (*account, error) {
	session, at, err := exchanged(c, s)
	if err != nil {
		return nil, err
	}
	perMinute, err := s.callsPerMinute()
	if err != nil {
		return nil, err
	}
	a := &account{want: s.regions()}
	a.calls = paas.NewAccount(paas.Config{
		ID: c.ID, BaseURL: at, Transport: c.Transport, Timeout: callTimeout, Log: c.Log,
		Authorize: session.Authorize, Renew: session.Renew, Refusal: refusal,
		Limit: paas.Limit{PerMinute: perMinute, Burst: min(callsAtOnce, perMinute), Wakes: min(callsForWakes, perMinute/2)},
	})
	if s.APIURL != "" {
		if a.only, err = url.Parse(strings.TrimSuffix(s.APIURL, "/")); err != nil {
			return nil, fmt.Errorf("api_url: %w", err)
		}
	}
	return a, nil
}

func (a *account) condition() provider.Condition { return a.calls.Condition() }

// allRegions are those of the account that are looked after. They are asked for once.
func (a *account) allRegions(ctx context.Context) ([]*region, error) {
	a.mu.Lock()
	known := a.regions
	a.mu.Unlock()
	if known != nil {
		return known, nil
	}
	found, err := a.findRegions(ctx)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.regions == nil { // else somebody else was sooner
		a.regions = found
	}
	return a.regions, nil
}

// findRegions asks for the regions.
func (a *account) findRegions(ctx context.Context) ([]*region, error) {
	if a.only != nil {
		name := DefaultRegion
		if len(a.want) > 0 {
			name = a.want[0]
		}
		return []*region{a.region(name, a.only)}, nil
	}
	var answer struct {
		Regions []struct {
			Name string `json:"name"`
			API  string `json:"api"`
		} `json:"regions"`
	}
	if _, err := a.calls.Call(ctx, paas.Request{Path: "/v1/regions", Out: &answer}); err != nil {
		return nil, fmt.Errorf("list the regions: %w", err)
	}
	var found []*region
	var names []string
	for _, told := range answer.Regions {
		names = append(names, told.Name)
		at, err := url.Parse(told.API)
		switch {
		case a.want != nil && !slices.Contains(a.want, told.Name):
		case err != nil || at.Host == "" || at.Scheme != a.calls.Base().Scheme: // it gets the token
			return nil, fmt.Errorf("list the regions: %w: region %s has no API", paas.ErrForm, told.Name)
		default:
			found = append(found, a.region(told.Name, at))
		}
	}
	return found, a.missing(found, names)
}

// missing is an error if a region is wanted that the account does not have, or if it has none.
func (a *account) missing(found []*region, names []string) error {
	for _, name := range a.want {
		if !slices.Contains(names, name) {
			return fmt.Errorf("region %q is none of the account's; it has %s", name, cmp.Or(strings.Join(names, ", "), "none"))
		}
	}
	if len(found) == 0 {
		return errors.New("list the regions: the account has none")
	}
	return nil
}

func (a *account) region(name string, at *url.URL) *region {
	return &region{name: name, calls: a.calls.At(at), turn: make(chan struct{}, 1)}
}

// region is the API of one region, for the account.
type region struct {
	name  string
	calls *paas.Account
	turn  chan struct{} // has room for one: who looks, where several need a look
}

// of is the path of an app's resource.
func of(app string, parts ...string) string {
	path := "/v1/apps/" + url.PathEscape(app)
	for _, part := range parts {
		path += "/" + url.PathEscape(part)
	}
	return path
}

func (r *region) get(ctx context.Context, path string, query url.Values, out any) error {
	_, err := r.calls.Call(ctx, paas.Request{Path: path, Query: query, Out: out})
	return err
}

// odd is an error that says of an answer that it is not as it should be.
func odd(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", paas.ErrForm, err)
}

// apps are all of the region.
func (r *region) apps(ctx context.Context) ([]appInfo, error) {
	var answer appList
	if err := r.get(ctx, "/v1/apps", nil, &answer); err != nil {
		return nil, err
	}
	return answer.Apps, odd(answer.check())
}

// formation is what an app is scaled to.
func (r *region) formation(ctx context.Context, app string) ([]part, error) {
	var answer formation
	if err := r.get(ctx, of(app, "containers"), nil, &answer); err != nil {
		return nil, fmt.Errorf("read to what it is scaled: %w", err)
	}
	parts, err := answer.parts()
	return parts, odd(err)
}

// scale orders an app to be scaled. The operation tells what becomes of it; empty: there is none, for
// nothing was ever deployed. The formation is what is to be; nil: that was not understood.
func (r *region) scale(ctx context.Context, app string, to []part) (operation string, parts []part, err error) {
	var answer formation
	got, err := r.calls.Call(ctx, paas.Request{
		Method: http.MethodPost, Path: of(app, "scale"), In: map[string]any{"containers": to}, Out: &answer,
	})
	if err != nil && !errors.Is(err, paas.ErrForm) { // of that form it was carried out
		return "", nil, err
	}
	if got.Status == http.StatusOK {
		return "", nil, errNotDeployed
	}
	parts, _ = answer.parts()
	return operationOf(got.Header), parts, nil
}

// restart orders an app to be started again as it is scaled.
func (r *region) restart(ctx context.Context, app string) (operation string, err error) {
	got, err := r.calls.Call(ctx, paas.Request{Method: http.MethodPost, Path: of(app, "restart"), In: map[string]any{}})
	return operationOf(got.Header), err
}

// operationOf is the ID of the operation that an answer leads to. Empty: it leads to none.
func operationOf(header http.Header) string {
	location := header.Get("Location")
	at := strings.LastIndex(location, "/operations/")
	if at < 0 {
		return ""
	}
	return location[at+len("/operations/"):]
}

func (r *region) operation(ctx context.Context, app, id string) (operation, error) {
	var answer operation
	err := r.get(ctx, of(app, "operations", id), nil, &answer)
	return answer, err
}

func (r *region) autoscalers(ctx context.Context, app string) ([]autoscaler, error) {
	var answer autoscalers
	if err := r.get(ctx, of(app, "autoscalers"), nil, &answer); err != nil {
		return nil, fmt.Errorf("read its autoscalers: %w", err)
	}
	all, err := answer.all()
	return all, odd(err)
}

// enable turns an autoscaler on.
func (r *region) enable(ctx context.Context, app, id string) error {
	_, err := r.calls.Call(ctx, paas.Request{
		Method: http.MethodPatch, Path: of(app, "autoscalers", id), Idempotent: true,
		In: map[string]any{"autoscaler": map[string]any{"disabled": false}},
	})
	return err
}

// eventsPerPage is how many events are asked for at once. The API may give fewer.
const eventsPerPage = "50"

// events are a page of those of the account, or of an app; the first one is 1.
func (r *region) events(ctx context.Context, path, number string) ([]event, *int, error) {
	var answer page
	if err := r.get(ctx, path, url.Values{"page": {number}, "per_page": {eventsPerPage}}, &answer); err != nil {
		return nil, nil, fmt.Errorf("read events: %w", err)
	}
	if answer.Events == nil {
		return nil, nil, odd(errors.New(`the answer has no "events"`))
	}
	return *answer.Events, answer.Meta.Pagination.NextPage, nil
}
