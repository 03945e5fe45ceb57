package clevercloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/provider"
)

// refresh asks for everything that changes often, and for the rest if that is wanted, or an app is
// new. It returns the number of the look.
func (p *Provider) refresh(ctx context.Context, whole bool) (version uint64, err error) {
	version = p.apps.nextVersion()
	var all summary
	if err := p.get(ctx, "/v2/summary", &all); err != nil {
		return 0, fmt.Errorf("clevercloud: list apps: %w", err)
	}
	owners, err := all.owners()
	if err != nil {
		return 0, fmt.Errorf("clevercloud: list apps: %w", err)
	}
	p.apps.applySummary(version, p.chosen(owners))
	for _, owner := range p.apps.owners(func(a *app) bool { return whole || !a.detailsAsked }) {
		if err := p.detail(ctx, owner); err != nil {
			return 0, err
		}
	}
	return version, p.follow(ctx, (*app).needsDeployments)
}

// chosen are the owners whose apps are meant.
func (p *Provider) chosen(owners []rawOwner) []rawOwner {
	if len(p.owners) == 0 {
		return owners
	}
	is := func(o rawOwner, name string) bool {
		return string(o.ID) == name || strings.EqualFold(string(o.Name), name)
	}
	for _, name := range p.owners {
		if !slices.ContainsFunc(owners, func(o rawOwner) bool { return is(o, name) }) {
			p.apps.warnOnce("owner "+name, "the account has no such owner; correct owners to ids or names that `clever console` shows", "owner", name)
		}
	}
	return slices.DeleteFunc(owners, func(o rawOwner) bool {
		return !slices.ContainsFunc(p.owners, func(name string) bool { return is(o, name) })
	})
}

// detail asks for the domains, sizes and commits of the apps of an owner. An owner who may not be
// asked hides nobody: his apps are known by the summary.
func (p *Provider) detail(ctx context.Context, owner string) error {
	version := p.apps.nextVersion()
	var all []rawApp
	err := p.get(ctx, "/v2/organisations/"+url.PathEscape(owner)+"/applications", &all)
	if isOver(ctx, err) {
		return fmt.Errorf("clevercloud: list apps of %s: %w", owner, err)
	}
	if err != nil {
		p.apps.warnOnce("details "+owner, "the domains and sizes of an owner's apps cannot be asked for", "owner", owner, "error", err)
	}
	p.apps.applyDetails(version, owner, all)
	return nil
}

// follow asks what became of deployments: one call for each owner of an app that is so.
func (p *Provider) follow(ctx context.Context, is func(*app) bool) error {
	for _, owner := range p.apps.owners(is) {
		version := p.apps.nextVersion()
		var of map[string]json.RawMessage
		_, err := p.account.Call(paas.With(ctx, paas.Starting), paas.Request{
			Path: "/v2/organisations/" + url.PathEscape(owner) + "/deployments", Query: lately(), Out: &of,
		})
		switch {
		case isOver(ctx, err):
			return fmt.Errorf("clevercloud: list deployments of %s: %w", owner, err)
		case err != nil:
			p.apps.warnOnce("deployments "+owner, "what becomes of an owner's deployments cannot be asked for; an app counts as up when its state says so", "owner", owner, "error", err)
			p.apps.trustStates(owner)
		default:
			p.apps.applyDeployments(version, of)
		}
	}
	return nil
}

// lately asks for the last deployments alone.
func lately() url.Values { return url.Values{"limit": {strconv.Itoa(deploymentLimit)}} }

// isOver reports whether an error is one that the next call would have, too.
func isOver(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, provider.ErrUnreachable))
}

// get asks for something, as often as need be.
func (p *Provider) get(ctx context.Context, path string, out any) error {
	_, err := p.account.Call(ctx, paas.Request{Path: path, Out: out})
	return err
}
