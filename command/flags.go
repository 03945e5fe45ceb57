package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/paastis/paastis/config"
)

// textFlag is a flag of a command of which the value is a text, called so in its help.
type textFlag struct{ value, called string }

func (f *textFlag) String() string { return f.value }

func (f *textFlag) Set(value string) error { f.value = value; return nil }

func (f *textFlag) Type() string { return f.called }

// settingFlag is a flag of a setting, the value of which is read with the configuration.
type settingFlag struct {
	name     string
	isSwitch bool
	into     map[string]string
}

func (f settingFlag) String() string { return f.into[f.name] }

func (f settingFlag) Set(value string) error { f.into[f.name] = value; return nil }

func (f settingFlag) Type() string {
	if f.isSwitch {
		return "bool"
	}
	return "string"
}

// addSettings makes a flag of each setting.
func (s *shell) addSettings(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&s.config, "config", "", fmt.Sprintf("Configuration file (%s)", strings.Join(config.Files(), ", then ")))
	for _, setting := range config.Settings() {
		flag := settingFlag{name: setting.Flag, isSwitch: setting.IsSwitch(), into: s.settings}
		flags.Var(flag, setting.Flag[2:], setting.Doc)
		f := flags.Lookup(setting.Flag[2:])
		f.DefValue = setting.Default
		if flag.isSwitch {
			f.NoOptDefVal = "true"
		}
	}
}

// canonical writes a command line as cobra takes it: words first, then flags as --name=value.
// Here flags may stand before and after the command, with one dash or two, and in any case.
func canonical(root *cobra.Command, args []string) ([]string, error) {
	var words, flags []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			words = append(words, arg)
			continue
		}
		flag, rest, err := canonicalFlag(root, arg, args)
		if err != nil {
			return nil, wrongUse{err}
		}
		flags, args = append(flags, flag), rest
	}
	if len(words) == 1 && words[0] == "theme" { // which help would tell no more of
		flags = nil
	}
	return append(words, flags...), nil
}

// canonicalFlag reads one flag, and returns the arguments that are left.
func canonicalFlag(root *cobra.Command, arg string, rest []string) (string, []string, error) {
	arg, value, hasValue := strings.Cut(arg, "=") // which may be a secret, and is told nowhere
	name := "--" + strings.ReplaceAll(strings.ToLower(strings.TrimLeft(arg, "-")), "_", "-")
	if name == "--help" || name == "--h" {
		return "--help", rest, nil
	}
	isSwitch, known := flagKind(root, name)
	switch {
	case !known:
		return "", nil, fmt.Errorf("%s: unknown flag%s", arg, nearestFlag(root, name))
	case hasValue:
	case isSwitch:
		value = "true"
	case len(rest) == 0:
		return "", nil, fmt.Errorf("%s: needs a value", arg)
	default:
		value, rest = rest[0], rest[1:]
	}
	if _, isSetting := config.FlagKind(name); isSwitch && !isSetting && value != "true" && value != "false" {
		return "", nil, fmt.Errorf("%s: takes no value", name)
	}
	return name + "=" + value, rest, nil
}

// flagKind reports whether any command has a flag, and whether that may stand alone. A flag of
// an endpoint has a name of the user's, and is added as it is met.
func flagKind(root *cobra.Command, name string) (isSwitch, known bool) {
	for _, f := range allFlags(root) {
		if "--"+f.Name == name {
			return f.NoOptDefVal != "", true
		}
	}
	if isSwitch, known = config.FlagKind(name); known {
		settings := root.PersistentFlags()
		into := settings.Lookup("listen").Value.(settingFlag).into
		settings.Var(settingFlag{name: name, isSwitch: isSwitch, into: into}, name[2:], "")
		settings.Lookup(name[2:]).Hidden = true
	}
	return isSwitch, known
}

// allFlags are those of a command and of all below it, settings last.
func allFlags(c *cobra.Command) []*pflag.Flag {
	var all []*pflag.Flag
	note := func(f *pflag.Flag) { all = append(all, f) }
	c.LocalNonPersistentFlags().VisitAll(note)
	for _, child := range c.Commands() {
		all = append(all, allFlags(child)...)
	}
	c.PersistentFlags().VisitAll(note)
	return all
}

func nearestFlag(root *cobra.Command, name string) string {
	known := []string{"--help"}
	for _, f := range allFlags(root) {
		known = append(known, "--"+f.Name)
	}
	return nearest(name, known)
}
