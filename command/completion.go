package command

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// completionLimit is how long a shell waits for the names of apps.
const completionLimit = time.Second

// addCompletion adds the command that writes a script for a shell: cobra does that later,
// when its flags have to be known already.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	c, _, _ := root.Find([]string{"completion"})
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.Args = func(c *cobra.Command, words []string) error {
		if len(words) == 0 {
			return nil
		}
		var shells []string
		for _, shell := range c.Commands() {
			shells = append(shells, shell.Name())
		}
		return usagef("completion: %q is no shell that is known%s", words[0], nearest(words[0], shells))
	}
}

// aboutApp has a shell complete the operand of c, a name, with those of a running Paastis.
func (s *shell) aboutApp(c *cobra.Command) *cobra.Command {
	c.ValidArgsFunction = s.completeApp
	return c
}

// completeApp proposes the apps of a running Paastis, if it answers at once.
func (s *shell) completeApp(c *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(words) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(c.Context(), completionLimit)
	defer cancel()
	var names []string
	if cfg, err := s.load(); err == nil {
		if api, err := cfg.AdminAPI(); err == nil {
			if list, err := api.Apps(ctx); err == nil {
				for _, app := range list.Value.Apps {
					names = append(names, string(app.Name))
				}
			}
		}
	}
	slices.Sort(names)
	return names, cobra.ShellCompDirectiveNoFileComp
}
