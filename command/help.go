package command

import "github.com/spf13/cobra"

// helpCommand is help, which knows no command more than the program does.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "help about any command",
		RunE: func(_ *cobra.Command, words []string) error {
			c, rest, err := root.Find(words)
			if err != nil || len(rest) > 0 && c == root {
				return unknownCommand(root, words)
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	}
}
