package command

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/rules"
)

// command is something that Paastis can be asked for.
type command struct {
	name    string
	operand string // what it is about; in brackets: may be left out; empty: it has none
	doc     string
	flags   []commandFlag
}

// commandFlag is a flag that only some commands have. One of a name takes a value in all
// of them, or in none.
type commandFlag struct {
	name  string
	value string // what it takes; empty: nothing
	doc   string
}

var (
	jsonFlag = commandFlag{"--json", "", "print what the admin API answers, as JSON"}
	waitFlag = commandFlag{"--wait", "", "wait until it is ready, or has failed, which is exit code 1"}
)

// commands are what Paastis can be asked for; without one it serves.
var commands = []command{
	{name: "serve", doc: "serve Traefik's questions and put apps to sleep (the default)"},
	{name: "check", doc: "validate the configuration and the apps' labels, and warn of what will hurt"},
	{name: "explain", operand: "NAME|URL", doc: "say which app that is, which rules matched, its properties, links and start order"},
	{name: "status", operand: "[NAME]", doc: "show what a running Paastis says of its apps, or all that it knows of one", flags: []commandFlag{jsonFlag}},
	{name: "wake", operand: "NAME", doc: "start an app and what it needs", flags: []commandFlag{waitFlag, jsonFlag}},
	{name: "retry", operand: "NAME", doc: "start an app that has failed, without waiting for its next try", flags: []commandFlag{waitFlag, jsonFlag}},
	{name: "sleep", operand: "NAME", doc: "put an app to sleep that nobody uses", flags: []commandFlag{
		{"--force", "", "even if somebody uses it; not if an app that is awake needs it"}, jsonFlag}},
	{name: "pin", operand: "NAME", doc: "keep an app from sleeping for a time (--for 2h, --until 18:00)", flags: []commandFlag{
		{"--for", "DURATION", "for so long: 90m, 2h, 3d"},
		{"--until", "TIME", "until then: 18:00, 2026-12-24, '2026-12-24 18:00', 2026-12-24T18:00:00+01:00"}, jsonFlag}},
	{name: "unpin", operand: "NAME", doc: "take a pin back", flags: []commandFlag{jsonFlag}},
	{name: "events", doc: "list what has happened to the apps", flags: []commandFlag{
		{"--app", "NAME", "only to this one"},
		{"--follow", "", "and what happens, until interrupted (docker exec tells of that only with -t)"}, jsonFlag}},
	{name: "theme preview", operand: "[NAME]", doc: "show every state of the waiting page, in all themes or one (theme_preview says where)"},
	{name: "healthcheck", doc: "ask a running Paastis whether it serves (for HEALTHCHECK)"},
	{name: "version", doc: "print the version"},
}

// arguments are the command line, parsed.
type arguments struct {
	command string
	operand string
	config  string            // --config; empty: look for one
	flags   map[string]string // :: canonical flag of a setting (--max-idle-time) → value
	own     map[string]string // :: flag of the command → value
	help    bool
	version string // of this Paastis
}

// has tells whether the command has this switch on.
func (a arguments) has(name string) bool { return a.own[name] == "true" }

// parseArgs reads a command line. Flags may stand before and after the command, with
// one dash or two, and in any case.
func parseArgs(args []string) (arguments, error) {
	a := arguments{flags: map[string]string{}, own: map[string]string{}}
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
	switch {
	case name == "--config":
		a.config = value
	case isOwn(name):
		if isBool && value != "true" && value != "false" {
			return nil, fmt.Errorf("%s: takes no value", name)
		}
		a.own[name] = value
	default:
		a.flags[name] = value
	}
	return rest, nil
}

func (a *arguments) setCommand(words []string) error {
	a.command = "serve"
	if i := slices.Index(words, "theme"); i >= 0 && i < len(words)-1 && i < 2 { // after help, maybe
		words = slices.Replace(words, i, i+2, "theme "+words[i+1])
	}
	if len(words) > 0 {
		a.command, words = words[0], words[1:]
	}
	if a.command == "help" {
		a.help, a.command = true, "serve"
		if len(words) == 0 {
			return nil
		}
		a.command = words[0]
	}
	c, known := commandBy(a.command)
	switch {
	case a.command == "theme":
		return errors.New("theme: needs preview: paastis theme preview [NAME]")
	case !known:
		return fmt.Errorf("%s: unknown command%s", a.command, nearestCommand(a.command))
	case a.help:
		return nil
	}
	if err := a.setOperand(c, words); err != nil {
		return err
	}
	if err := a.checkOwn(c); err != nil {
		return err
	}
	if c.name == "pin" {
		return a.checkPin(time.Now())
	}
	return nil
}

func (a *arguments) setOperand(c command, words []string) error {
	most := min(1, len(c.operand))
	switch {
	case len(words) < most && !strings.HasPrefix(c.operand, "["):
		return fmt.Errorf("%s: needs %s", c.name, c.operand)
	case len(words) > most:
		return fmt.Errorf("%s: unexpected argument %q", c.name, words[most])
	case len(words) == 1:
		a.operand = words[0]
	}
	return nil
}

// checkOwn tells of a flag that another command has.
func (a *arguments) checkOwn(c command) error {
	for _, name := range slices.Sorted(maps.Keys(a.own)) {
		if !slices.ContainsFunc(c.flags, func(f commandFlag) bool { return f.name == name }) {
			return fmt.Errorf("%s: unknown flag of %s", name, c.name)
		}
	}
	return nil
}

func commandBy(name string) (command, bool) {
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == name })
	if i < 0 {
		return command{}, false
	}
	return commands[i], true
}

// ownFlags are those of all commands.
func ownFlags() []commandFlag {
	var all []commandFlag
	for _, c := range commands {
		all = append(all, c.flags...)
	}
	return all
}

func isOwn(name string) bool {
	return slices.ContainsFunc(ownFlags(), func(f commandFlag) bool { return f.name == name })
}

func flagKind(name string) (isBool, known bool) {
	if name == "--config" {
		return false, true
	}
	for _, f := range ownFlags() {
		if f.name == name {
			return f.value == "", true
		}
	}
	return config.FlagKind(name)
}

func nearestFlag(name string) string {
	known := []string{"--config", "--help"}
	for _, f := range ownFlags() {
		known = append(known, f.name)
	}
	for _, s := range config.Settings() {
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

// help is what --help prints, of a command or of all.
func (a arguments) helpText() string {
	if c, _ := commandBy(a.command); c.name != "serve" {
		return c.usage()
	}
	return help()
}

func help() string {
	var b strings.Builder
	b.WriteString("Paastis puts apps to sleep when nobody uses them and wakes them, with all that\nthey need, when somebody comes.\n\nUsage: paastis [COMMAND] [FLAGS]\n\nCommands:\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-20s %s\n", strings.TrimSpace(c.name+" "+c.operand), c.doc)
	}
	b.WriteString("\npaastis COMMAND --help tells the flags that only this command has.\n")
	b.WriteString("\nFlags (each is also a key of paastis.yml and a variable: --max-idle-time is\nmax_idle_time and PAASTIS_MAX_IDLE_TIME, or PAASTIS_MAX_IDLE_TIME_FILE to read it\nfrom a file; later wins: default, file, variable, flag):\n")
	fmt.Fprintf(&b, "  %-26s %s (%s)\n", "--config", "Configuration file", strings.Join(config.Files(), ", then "))
	b.WriteString(settingsTable())
	return b.String()
}

// usage is what COMMAND --help prints.
func (c command) usage() string {
	var b strings.Builder
	fmt.Fprintf(&b, "paastis %s: %s.\n\nUsage: paastis %s [FLAGS]\n\nFlags:\n", c.name, c.doc, strings.TrimSpace(c.name+" "+c.operand))
	for _, f := range c.flags {
		fmt.Fprintf(&b, "  %-18s %s\n", strings.TrimSpace(f.name+" "+f.value), f.doc)
	}
	fmt.Fprintf(&b, "  %-18s %s\n", "--config FILE", "configuration file")
	b.WriteString("and the settings that paastis --help lists.\n")
	return b.String()
}

// settingsTable is what --help prints of the settings.
func settingsTable() string {
	var b strings.Builder
	for _, s := range config.Settings() {
		fmt.Fprintf(&b, "  %-26s %s (%s)\n", s.Flag, s.Doc, cmp.Or(s.Default, "none"))
	}
	return b.String()
}
