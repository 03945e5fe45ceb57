package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/paastis/paastis/client"
)

func (s *shell) sleepCommand() *cobra.Command {
	c := s.aboutApp(newCommand("sleep NAME", "put an app to sleep that nobody uses", nil))
	force := c.Flags().Bool("force", false, "even if somebody uses it; not if an app that is awake needs it")
	c.RunE = s.asking(c, func(ctx context.Context, r *remote) error {
		reply, err := r.Sleep(ctx, r.app, *force)
		if err != nil {
			return sleepError(err)
		}
		return r.writeOrder(reply, fallingAsleepText)
	})
	return c
}

// sleepError adds what helps against a refusal.
func sleepError(err error) error {
	var problem *client.Problem
	if !errors.As(err, &problem) || !problem.Force {
		return err
	}
	return fmt.Errorf("%w (--force puts it to sleep all the same)", err)
}

func fallingAsleepText(app client.App, now time.Time) string {
	if app.State == "failed" || app.State == "asleep" {
		return stateText(app, now)
	}
	return fmt.Sprintf("%s is going to sleep: %s", app.Name, app.Reason)
}
