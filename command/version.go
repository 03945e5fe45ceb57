package command

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (s *shell) versionCommand() *cobra.Command {
	return newCommand("version", "print the version", func(*cobra.Command, []string) error {
		_, err := fmt.Fprintln(s.stdout, "paastis", s.version)
		return err
	})
}
