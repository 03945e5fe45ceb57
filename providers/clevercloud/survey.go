package clevercloud

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/provider"
)

// survey asks what there is, and what becomes of it, and has the apps take that in.
type survey struct {
	api    *api
	apps   *apps
	owners []string // whose apps are meant, by id or name; nil: everybody's
}

// refresh asks for everything that changes often, and for the rest if that is wanted, or an app is
// new. It returns the number of the look.
func (s *survey) refresh(ctx context.Context, whole bool) (version uint64, err error) {
	version = s.apps.nextVersion()
	all, err := s.api.summary(ctx)
	if err != nil {
		return 0, fmt.Errorf("clevercloud: list apps: %w", err)
	}
	owners, err := all.owners()
	if err != nil {
		return 0, fmt.Errorf("clevercloud: list apps: %w", err)
	}
	s.apps.applySummary(version, s.chosen(owners))
	for _, owner := range s.apps.owners(func(a *app) bool { return whole || !a.detailsAsked }) {
		if err := s.detail(ctx, owner); err != nil {
			return 0, err
		}
	}
	return version, s.follow(ctx, (*app).needsDeployments)
}

// chosen are the owners whose apps are meant.
func (s *survey) chosen(owners []rawOwner) []rawOwner {
	if len(s.owners) == 0 {
		return owners
	}
	is := func(o rawOwner, name string) bool {
		return string(o.ID) == name || strings.EqualFold(string(o.Name), name)
	}
	for _, name := range s.owners {
		if !slices.ContainsFunc(owners, func(o rawOwner) bool { return is(o, name) }) {
			s.apps.warnOnce("owner "+name, "the account has no such owner; correct owners to ids or names that `clever console` shows", "owner", name)
		}
	}
	return slices.DeleteFunc(owners, func(o rawOwner) bool {
		return !slices.ContainsFunc(s.owners, func(name string) bool { return is(o, name) })
	})
}

// detail asks for the domains, sizes and commits of the apps of an owner. An owner who may not be
// asked hides nobody: his apps are known by the summary.
func (s *survey) detail(ctx context.Context, owner string) error {
	version := s.apps.nextVersion()
	all, err := s.api.applications(ctx, owner)
	if isOver(ctx, err) {
		return fmt.Errorf("clevercloud: list apps of %s: %w", owner, err)
	}
	if err != nil {
		s.apps.warnOnce("details "+owner, "the domains and sizes of an owner's apps cannot be asked for", "owner", owner, "error", err)
	}
	s.apps.applyDetails(version, owner, all)
	return nil
}

// follow asks what became of deployments: one call for each owner of an app that is so.
func (s *survey) follow(ctx context.Context, is func(*app) bool) error {
	for _, owner := range s.apps.owners(is) {
		version := s.apps.nextVersion()
		of, err := s.api.startsOf(paas.With(ctx, paas.Starting), owner)
		switch {
		case isOver(ctx, err):
			return fmt.Errorf("clevercloud: list deployments of %s: %w", owner, err)
		case err != nil:
			s.apps.warnOnce("deployments "+owner, "what becomes of an owner's deployments cannot be asked for; an app counts as up when its state says so", "owner", owner, "error", err)
			s.apps.trustStates(owner)
		default:
			s.apps.applyDeployments(version, of)
		}
	}
	return nil
}

// isOver reports whether an error is one that the next call would have, too.
func isOver(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, provider.ErrUnreachable))
}
