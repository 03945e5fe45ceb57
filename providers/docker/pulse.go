package docker

import (
	"context"
	"errors"
	"time"

	"github.com/moby/moby/client"
)

const (
	// pulsePause is how often an engine whose events are awaited is asked whether it is there.
	pulsePause = 5 * time.Second
	// pulseLimit is how long it may take for that, which is nothing to do but to answer: a
	// machine that is busy is slow, too.
	pulseLimit = 10 * time.Second
)

// pulse asks the engine again and again whether it is there, and returns why not, or that ctx
// has ended; never nil. A stream of events tells nothing of an engine that hangs, or of a
// machine that is cut off: it is silent, as one of an engine to which nothing happens. One that
// refuses the question is there.
func (e *connection) pulse(ctx context.Context) error {
	ticker := time.NewTicker(pulsePause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		err := e.ask(ctx, pulseLimit, func(ctx context.Context) error {
			_, err := e.client.Ping(ctx, client.PingOptions{})
			return err
		})
		if errors.Is(err, ErrUnreachable) {
			return err
		}
	}
}
