package command

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/paastis/paastis/client"
)

func (s *shell) wakeCommand() *cobra.Command {
	return s.startCommand("wake NAME", "start an app and what it needs", (*client.Client).Wake)
}

func (s *shell) retryCommand() *cobra.Command {
	return s.startCommand("retry NAME", "start an app that has failed, without waiting for its next try", (*client.Client).Retry)
}

// startCommand is one after which an app is on its way up.
func (s *shell) startCommand(use, doc string, start func(*client.Client, context.Context, string) (client.Reply[client.App], error)) *cobra.Command {
	c := s.aboutApp(newCommand(use, doc, nil))
	wait := c.Flags().Bool("wait", false, "wait until it is ready, or has failed, which is exit code 1")
	c.RunE = s.asking(c, func(ctx context.Context, r *remote) error {
		reply, err := start(r.Client, ctx, r.app)
		switch {
		case err != nil:
			return err
		case *wait:
			return r.wait(ctx, reply)
		default:
			return r.writeOrder(reply, stateText)
		}
	})
	return c
}
