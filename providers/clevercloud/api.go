package clevercloud

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/paastis/paastis/providers/internal/paas"
)

// api is the calls of the account. Each error is that of the call.
type api struct{ account *paas.Account }

// summary is every app with its state.
func (a *api) summary(ctx context.Context) (all summary, err error) {
	err = a.get(ctx, "/v2/summary", nil, &all)
	return all, err
}

// applications are the apps of an owner, with their domains, sizes and commits.
func (a *api) applications(ctx context.Context, owner string) (all []rawApp, err error) {
	err = a.get(ctx, ownerPath(owner)+"/applications", nil, &all)
	return all, err
}

// startsOf are the last deployments of the apps of an owner, by the id of the app.
func (a *api) startsOf(ctx context.Context, owner string) (of map[string]json.RawMessage, err error) {
	err = a.get(ctx, ownerPath(owner)+"/deployments", lately(), &of)
	return of, err
}

// app is an app as it is now.
func (a *api) app(ctx context.Context, of *app) (raw rawApp, err error) {
	err = a.get(ctx, of.path(""), nil, &raw)
	return raw, err
}

// deployments are the last ones of an app.
func (a *api) deployments(ctx context.Context, of *app) (all json.RawMessage, err error) {
	err = a.get(ctx, of.path("/deployments"), lately(), &all)
	return all, err
}

// instances are those of an app. Nil: it has none.
func (a *api) instances(ctx context.Context, of *app) ([]rawInstance, error) {
	var all []rawInstance
	err := a.get(ctx, of.path("/instances"), nil, &all)
	if isMissing(err) {
		return nil, nil
	}
	return all, err
}

// running reports whether an app has instances, and whether one of them serves.
func (a *api) running(ctx context.Context, of *app) (some, up bool, err error) {
	all, err := a.instances(ctx, of)
	for _, i := range all {
		up = up || i.State == "UP"
		some = some || i.State != "DELETED" && i.State != "GHOST"
	}
	return some, up, err
}

// deploy orders a deployment, and returns its id. Empty: it was not told. If commit is
// empty, the order names none.
func (a *api) deploy(ctx context.Context, of *app, commit string) (order string, err error) {
	query := url.Values{}
	if commit != "" {
		query.Set("commit", commit)
	}
	var taken struct {
		ID text `json:"deploymentId"`
	}
	_, err = a.account.Call(ctx, paas.Request{Method: http.MethodPost, Path: of.path("/instances"), Query: query, Out: &taken})
	return string(taken.ID), err
}

// undeploy orders that all instances of an app end.
func (a *api) undeploy(ctx context.Context, of *app) error {
	_, err := a.account.Call(ctx, paas.Request{Method: http.MethodDelete, Path: of.path("/instances"), Idempotent: true})
	return err
}

// get asks for something, as often as need be.
func (a *api) get(ctx context.Context, path string, query url.Values, out any) error {
	_, err := a.account.Call(ctx, paas.Request{Path: path, Query: query, Out: out})
	return err
}

// lately asks for the last deployments alone.
func lately() url.Values { return url.Values{"limit": {strconv.Itoa(deploymentLimit)}} }

// ownerPath is where an owner is in the API.
func ownerPath(owner string) string { return "/v2/organisations/" + url.PathEscape(owner) }

// path is where an app is in the API, and what is there.
func (a *app) path(rest string) string {
	return ownerPath(a.owner) + "/applications/" + url.PathEscape(a.id) + rest
}
