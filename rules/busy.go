package rules

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Busy is an app's own word on whether it may sleep now. The zero value: it has none.
type Busy struct {
	// Command is run inside the app, without a shell: it ends with 0 if the app is
	// busy, with 1 if it is not. Nil: none.
	Command []string
	// Path is asked for by HTTP on Port: 200 if the app is busy, 204 if it is not.
	// Empty: none.
	Path string
	// Port; 0: the one that the app listens on.
	Port uint16
}

var errBusy = errors.New("write exec:COMMAND, http:/path or http:PORT/path")

// Asked reports whether the app has a word on it.
func (b Busy) Asked() bool { return b.Command != nil || b.Path != "" }

// String is the check as it is written in rules.
func (b Busy) String() string {
	switch {
	case b.Command != nil:
		return "exec:" + strings.Join(b.Command, " ")
	case b.Port != 0:
		return "http:" + strconv.Itoa(int(b.Port)) + b.Path
	case b.Path != "":
		return "http:" + b.Path
	default:
		return ""
	}
}

// setBusy reads a text, or a command as a list.
func setBusy(p *Properties, value *yaml.Node, expand expander) error {
	value = deref(value)
	if value.Kind == yaml.SequenceNode {
		return setBusyCommand(p, value, expand)
	}
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	busy, err := parseBusy(text)
	if err == nil {
		p.Busy = busy
	}
	return err
}

func setBusyCommand(p *Properties, list *yaml.Node, expand expander) error {
	var command []string
	for _, item := range list.Content {
		word, err := scalarText(item, expand)
		if err != nil {
			return err
		}
		command = append(command, word)
	}
	if command == nil {
		return errBusy
	}
	p.Busy = Busy{Command: command}
	return nil
}

func parseBusy(text string) (Busy, error) {
	if command, ok := strings.CutPrefix(text, "exec:"); ok && strings.TrimSpace(command) != "" {
		return Busy{Command: strings.Fields(command)}, nil
	}
	if !strings.HasPrefix(text, "http:") {
		return Busy{}, fmt.Errorf("%q is no such check; %w", text, errBusy)
	}
	probe, err := parseProbe(text)
	if err != nil {
		return Busy{}, fmt.Errorf("%q is no such check; %w", text, errBusy)
	}
	return Busy{Path: probe.Path, Port: probe.Port}, nil
}
