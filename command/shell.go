package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/paastis/paastis/config"
)

// shell is one call of the program: the world, and what its flags say of the configuration.
type shell struct {
	version        string // of this Paastis
	environ        []string
	stdout, stderr io.Writer
	config         string            // --config; empty: look for one
	settings       map[string]string // :: flag of a setting (--max-idle-time) → value
	begun          bool              // a command was asked for rightly: what fails from then on is no wrong use
}

// execute carries out what args ask for.
func (s *shell) execute(ctx context.Context, args []string) error {
	root := s.root()
	addCompletion(root)
	if len(args) == 0 || args[0] != cobra.ShellCompRequestCmd && args[0] != cobra.ShellCompNoDescRequestCmd {
		var err error
		if args, err = canonical(root, args); err != nil {
			return err
		}
	}
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// root is the program as cobra knows it.
func (s *shell) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "paastis",
		Short: "Scale to zero for Traefik",
		Long: "Paastis puts apps to sleep when nobody uses them and wakes them, with all that\nthey need, when somebody comes.\n\n" +
			"Without a command it serves. Each setting is a flag, a key of paastis.yml and a\nvariable: --max-idle-time is max_idle_time and PAASTIS_MAX_IDLE_TIME, or\n" +
			"PAASTIS_MAX_IDLE_TIME_FILE to read it from a file; later wins: default, file,\nvariable, flag.",
		Args:             unknownCommand,
		PersistentPreRun: func(*cobra.Command, []string) { s.begun = true },
		RunE:             s.runServe,
		SilenceErrors:    true,
		SilenceUsage:     true,
	}
	root.SetOut(s.stdout)
	root.SetErr(s.stderr)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}",
		"  the settings that paastis --help lists"))
	root.SetFlagErrorFunc(wrongFlag)
	root.Flags().SortFlags = false // they are in the order of paastis.yml
	s.addSettings(root.PersistentFlags())
	root.AddCommand(
		s.serveCommand(), s.checkCommand(), s.explainCommand(), s.healthcheckCommand(), s.themeCommand(), s.versionCommand(),
		s.statusCommand(), s.wakeCommand(), s.retryCommand(), s.sleepCommand(), s.pinCommand(), s.unpinCommand(), s.eventsCommand(),
	)
	root.SetHelpCommand(helpCommand(root))
	return root
}

// newCommand is a command that does run. use is its name and, if it is about something, its
// operand: one in brackets may be left out.
func newCommand(use, doc string, run func(*cobra.Command, []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: doc, Args: checkOperand, RunE: run, ValidArgsFunction: cobra.NoFileCompletions}
}

// checkOperand wants what a command is about, and nothing else.
func checkOperand(c *cobra.Command, words []string) error {
	_, operand, has := strings.Cut(c.Use, " ")
	most := 0
	if has {
		most = 1
	}
	switch {
	case len(words) < most && !strings.HasPrefix(operand, "["):
		return usagef("%s: needs %s", nameOf(c), operand)
	case len(words) > most:
		return usagef("%s: unexpected argument %q", nameOf(c), words[most])
	}
	return nil
}

// nameOf is what a command is called behind the program's name: theme preview.
func nameOf(c *cobra.Command) string { return strings.TrimPrefix(c.CommandPath(), "paastis ") }

// load reads the configuration.
func (s *shell) load() (config.Loaded, error) { return config.Load(s.config, s.environ, s.settings) }

// wrongUse is an error of who calls.
type wrongUse struct{ error }

// usagef makes an error of who calls.
func usagef(format string, args ...any) error { return wrongUse{fmt.Errorf(format, args...)} }

// unknownCommand is the error of a word that is no command of c; nil without one.
func unknownCommand(c *cobra.Command, words []string) error {
	if len(words) == 0 {
		return nil
	}
	name := strings.Join(append(strings.Fields(c.CommandPath())[1:], words[0]), " ")
	return usagef("%s: unknown command%s", name, nearest(name, commandNames(c.Root())))
}

// commandNames are those of the commands that have none below them.
func commandNames(c *cobra.Command) []string {
	var names []string
	for _, child := range c.Commands() {
		names = append(names, commandNames(child)...)
	}
	if names == nil {
		names = []string{nameOf(c)}
	}
	return names
}

// wrongFlag is cobra's error about a flag, in our words.
func wrongFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		return usagef("--%s: unknown flag of %s", unknown.GetSpecifiedName(), nameOf(c))
	}
	return wrongUse{err}
}
