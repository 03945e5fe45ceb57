package command

import (
	"fmt"
	"strings"

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

// checkOperand wants what the command is about, and nothing else.
func (c command) checkOperand(words []string) error {
	most := min(1, len(c.operand))
	switch {
	case len(words) < most && !strings.HasPrefix(c.operand, "["):
		return usagef("%s: needs %s", c.name, c.operand)
	case len(words) > most:
		return usagef("%s: unexpected argument %q", c.name, words[most])
	}
	return nil
}

// arguments are the command line, parsed.
type arguments struct {
	command string
	operand string
	config  string            // --config; empty: look for one
	flags   map[string]string // :: canonical flag of a setting (--max-idle-time) → value
	own     map[string]string // :: flag of the command → value
	version string            // of this Paastis
}

// has tells whether the command has this switch on.
func (a arguments) has(name string) bool { return a.own[name] == "true" }

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
