package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/paastis/paastis/rules"
)

// commands are what Paastis can be asked for; without one it serves.
var commands = []struct{ name, operand, doc string }{
	{"serve", "", "serve Traefik's questions and put apps to sleep (the default)"},
	{"check", "", "validate the configuration and the apps' labels, and warn of what will hurt"},
	{"explain", "NAME|URL", "say which app that is, which rules matched, its properties, links and start order"},
	{"healthcheck", "", "ask a running Paastis whether it serves (for HEALTHCHECK)"},
	{"version", "", "print the version"},
}

// arguments are the command line, parsed.
type arguments struct {
	command string
	operand string            // of explain
	config  string            // --config; empty: look for one
	flags   map[string]string // :: canonical flag (--max-idle-time) → value
	help    bool
}

// parseArgs reads a command line. Flags may stand before and after the command, with
// one dash or two, and in any case.
func parseArgs(args []string) (arguments, error) {
	a := arguments{flags: map[string]string{}}
	var words []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			words = append(words, arg)
			continue
		}
		rest, err := a.flag(arg, args)
		if err != nil {
			return a, err
		}
		args = rest
	}
	return a, a.setCommand(words)
}

// flag reads one flag and returns the arguments that are left.
func (a *arguments) flag(arg string, rest []string) ([]string, error) {
	name, value, hasValue := strings.Cut(arg, "=")
	name = "--" + strings.ReplaceAll(strings.ToLower(strings.TrimLeft(name, "-")), "_", "-")
	if name == "--help" || name == "--h" {
		a.help = true
		return rest, nil
	}
	isBool, known := flagKind(name)
	if !known {
		return nil, fmt.Errorf("%s: unknown flag%s", arg, nearestFlag(name))
	}
	switch {
	case hasValue:
	case isBool:
		value = "true"
	case len(rest) == 0:
		return nil, fmt.Errorf("%s: needs a value", arg)
	default:
		value, rest = rest[0], rest[1:]
	}
	if name == "--config" {
		a.config = value
	} else {
		a.flags[name] = value
	}
	return rest, nil
}

func (a *arguments) setCommand(words []string) error {
	a.command = "serve"
	if len(words) == 0 {
		return nil
	}
	a.command = words[0]
	words = words[1:]
	i := slices.IndexFunc(commands, func(c struct{ name, operand, doc string }) bool { return c.name == a.command })
	if a.command == "help" {
		a.help = true
		return nil
	}
	if i < 0 {
		return fmt.Errorf("%s: unknown command%s", a.command, nearestCommand(a.command))
	}
	if a.help {
		return nil
	}
	wants := 0
	if commands[i].operand != "" {
		wants = 1
	}
	switch {
	case len(words) < wants:
		return fmt.Errorf("%s: needs %s", a.command, commands[i].operand)
	case len(words) > wants:
		return fmt.Errorf("%s: unexpected argument %q", a.command, words[wants])
	case wants == 1:
		a.operand = words[0]
	}
	return nil
}

func flagKind(name string) (isBool, known bool) {
	if name == "--config" {
		return false, true
	}
	s, ok := settingBy(settings(), func(s setting) bool { return s.Flag == name })
	return ok && (s.Type.Kind() == reflect.Bool || s.Default == "true" || s.Default == "false"), ok
}

func nearestFlag(name string) string {
	known := []string{"--config", "--help"}
	for _, s := range settings() {
		known = append(known, s.Flag)
	}
	return nearest(name, known)
}

func nearestCommand(name string) string {
	var known []string
	for _, c := range commands {
		known = append(known, c.name)
	}
	return nearest(name, known)
}

func nearest(word string, known []string) string {
	if near := rules.Nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}

// help is what --help prints.
func help() string {
	var b strings.Builder
	b.WriteString("Paastis puts apps to sleep when nobody uses them and wakes them, with all that\nthey need, when somebody comes.\n\nUsage: paastis [COMMAND] [FLAGS]\n\nCommands:\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-18s %s\n", strings.TrimSpace(c.name+" "+c.operand), c.doc)
	}
	b.WriteString("\nFlags (each is also a key of paastis.yml and a variable: --max-idle-time is\nmax_idle_time and PAASTIS_MAX_IDLE_TIME, or PAASTIS_MAX_IDLE_TIME_FILE to read it\nfrom a file; later wins: default, file, variable, flag):\n")
	fmt.Fprintf(&b, "  %-26s %s (%s)\n", "--config", "Configuration file", strings.Join(configFiles, ", then "))
	b.WriteString(settingsTable())
	return b.String()
}
