package clevercloud

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// kept is what brings an app back as it was: its scale stays at Clever Cloud, but a start there is
// a deployment, and may be one of a commit that is younger than what ran.
type kept struct {
	// Commit is what ran. Empty: that was not known, or there are no commits.
	Commit string `json:"commit"`
	// Deployed is what Clever Cloud said then that is deployed. If it says something else later,
	// somebody has deployed that meanwhile, and it counts.
	Deployed string `json:"deployed"`
}

// commitOf is what is to be started of an app as it is now.
func (k kept) commitOf(a app) string {
	if k.Commit == "" || k.Deployed != a.commit {
		return a.commit
	}
	return k.Commit
}

// Capture returns the commit that runs. Nil: the app has no commits. It fails while somebody else
// deploys the app: a stop would end that, and the app would come back as it was before.
func (p *Provider) Capture(ctx context.Context, name string) ([]byte, error) {
	ctx = paas.With(ctx, paas.Sleep)
	a, err := p.fetchApp(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("clevercloud: look at %q: %w", name, err)
	}
	all, err := p.api.instances(ctx, &a)
	if err != nil {
		return nil, fmt.Errorf("clevercloud: look at the instances of %q: %w", name, err)
	}
	if a.orderedAt.IsZero() && slices.ContainsFunc(all, isComing) {
		return nil, fmt.Errorf("clevercloud: look at %q: %w", name, refused{errDeploying, reason.PlatformBusy})
	}
	k := kept{Deployed: a.commit}
	for _, i := range all {
		if i.State == "UP" {
			k.Commit = cmp.Or(k.Commit, string(i.Commit))
		}
	}
	k.Commit = cmp.Or(k.Commit, a.commit)
	if k.Commit == "" {
		return nil, nil
	}
	return json.Marshal(k)
}

// errDeploying is of a stop that would end a deployment.
var errDeploying = errors.New("somebody deploys it just now")

// isComing reports whether an instance is of a deployment that is under way.
func isComing(i rawInstance) bool {
	return slices.Contains([]string{"BOOTING", "STARTING", "DEPLOYING", "BUILDING"}, string(i.State))
}

// Resume starts the commit that ran, unless another was deployed since.
func (p *Provider) Resume(ctx context.Context, name string, captured []byte) (inventory.App, error) {
	var k kept
	if err := json.Unmarshal(captured, &k); err != nil {
		p.log.Warn("what was kept of an app cannot be read; it comes back as it is deployed now", "app", name, "error", err)
	}
	return p.start(ctx, name, k)
}
