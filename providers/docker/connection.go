package docker

import (
	"context"
	"time"

	"github.com/moby/moby/client"
)

const (
	// callTimeout limits every call but those to start and to stop.
	callTimeout = 30 * time.Second
	// startTimeout limits a call to start: the engine sets up networks and volumes.
	startTimeout = 2 * time.Minute
	// unlimited is for a stop, which takes as long as the container's own grace period.
	unlimited time.Duration = 0
)

// connection is where the engine listens, and the client of its API. It remembers nothing of what
// it answers, and may be used concurrently.
type connection struct {
	endpoint endpoint
	client   *client.Client
}

// ask makes one call, limited to that time, and explains its error.
func (e *connection) ask(ctx context.Context, limit time.Duration, call func(context.Context) error) error {
	if limit != unlimited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, errSlow)
		defer cancel()
	}
	return e.endpoint.explain(ctx, call(ctx))
}
