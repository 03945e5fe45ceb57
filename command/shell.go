package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/paastis/paastis/config"
)

// completionLimit is how long a shell waits for the names of apps.
const completionLimit = time.Second

// shell is one call of the program: what cobra has made of its arguments, and the world.
type shell struct {
	arguments
	environ        []string
	stdout, stderr io.Writer
}

// wrongUse is an error of who calls.
type wrongUse struct{ error }

// usagef makes an error of who calls.
func usagef(format string, args ...any) error { return wrongUse{fmt.Errorf(format, args...)} }

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
		Args:          func(_ *cobra.Command, words []string) error { return unknownCommand(words) },
		RunE:          func(c *cobra.Command, _ []string) error { return s.run(c, commands[0], nil) },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(s.stdout)
	root.SetErr(s.stderr)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}",
		"  the settings that paastis --help lists"))
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return wrongFlag(c, err) })
	root.Flags().SortFlags = false // they are in the order of paastis.yml
	s.addSettings(root.PersistentFlags())
	for _, c := range commands {
		parent, name := root, c.name
		if of, word, nested := strings.Cut(name, " "); nested {
			parent, name = group(root, of), word
		}
		parent.AddCommand(s.child(c, name))
	}
	root.SetHelpCommand(helpCommand(root))
	return root
}

// group is a command that has others and does nothing itself.
func group(root *cobra.Command, name string) *cobra.Command {
	c := &cobra.Command{
		Use: name, Short: "work on themes of the waiting page",
		Args: func(_ *cobra.Command, words []string) error {
			if len(words) > 0 {
				return unknownCommand([]string{name + " " + words[0]})
			}
			return usagef("%s: needs preview: paastis theme preview [NAME]", name)
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	root.AddCommand(c)
	return c
}

// child is a command as cobra knows it.
func (s *shell) child(c command, name string) *cobra.Command {
	child := &cobra.Command{
		Use:               strings.TrimSpace(name + " " + c.operand),
		Short:             c.doc,
		Args:              func(_ *cobra.Command, words []string) error { return c.checkOperand(words) },
		RunE:              func(of *cobra.Command, words []string) error { return s.run(of, c, words) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	if strings.Contains(c.operand, "NAME") && c.name != "theme preview" {
		child.ValidArgsFunction = s.completeApp
	}
	for _, f := range c.flags {
		child.Flags().Var(&own{takes: f.value}, strings.TrimPrefix(f.name, "--"), f.doc)
		if f.value == "" {
			child.Flags().Lookup(f.name[2:]).NoOptDefVal = "true"
		}
	}
	if child.Flags().Lookup("app") != nil {
		_ = child.RegisterFlagCompletionFunc("app", s.completeApp)
	}
	return child
}

// run carries out a command, all of whose flags are read.
func (s *shell) run(of *cobra.Command, c command, words []string) error {
	s.command = c.name
	if len(words) > 0 {
		s.operand = words[0]
	}
	for _, f := range c.flags {
		if flag := of.Flags().Lookup(f.name[2:]); flag.Changed {
			s.own[f.name] = flag.Value.String()
		}
	}
	if c.name == "pin" {
		if err := s.checkPin(time.Now()); err != nil {
			return wrongUse{err}
		}
	}
	if c.name == "version" {
		_, err := fmt.Fprintln(s.stdout, "paastis", s.version)
		return err
	}
	cfg, err := config.Load(s.config, s.environ, s.flags)
	if err != nil {
		return err
	}
	return s.do(of.Context(), cfg, s.stdout, s.stderr)
}

// helpCommand is help, which knows no command more than the program does.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "help about any command",
		RunE: func(_ *cobra.Command, words []string) error {
			c, rest, err := root.Find(words)
			if err != nil || len(rest) > 0 && c == root {
				return unknownCommand(words)
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	}
}

// unknownCommand is the error of a word that is no command; nil without one.
func unknownCommand(words []string) error {
	if len(words) == 0 {
		return nil
	}
	return usagef("%s: unknown command%s", words[0], nearestCommand(words[0]))
}

// wrongFlag is cobra's error about a flag, in our words.
func wrongFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		return usagef("--%s: unknown flag of %s", unknown.GetSpecifiedName(), strings.TrimPrefix(c.CommandPath(), "paastis "))
	}
	return wrongUse{err}
}

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

// completeApp proposes the apps of a running Paastis, if it answers at once.
func (s *shell) completeApp(c *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(words) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(c.Context(), completionLimit)
	defer cancel()
	var names []string
	if cfg, err := config.Load(s.config, s.environ, s.flags); err == nil {
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
