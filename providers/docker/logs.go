package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

const (
	// MaxLogLines is the most that Logs returns.
	MaxLogLines = 1000
	// MaxLogLine is where Logs cuts a line, in bytes.
	MaxLogLine = 1000

	maxLogBytes = 16 << 20
)

// entry is one line and when it was written, in RFC 3339.
type entry struct{ at, text string }

// Logs returns the last lines that the app's containers wrote to stdout and stderr, in
// the order of time, as valid UTF-8 without line ends. Lines longer than MaxLogLine
// are cut. None if lines is zero or less; never more than MaxLogLines. ErrUnknownApp
// if the app does not exist.
func (p *Provider) Logs(ctx context.Context, name string, lines int) ([]string, error) {
	if lines <= 0 {
		return nil, nil
	}
	lines = min(lines, MaxLogLines)
	if _, err := p.containers.fresh(ctx, name); err != nil {
		return nil, naming("read logs of", name, err)
	}
	var all []entry
	for _, c := range p.containers.snapshot().members(name) {
		entries, err := p.engine.tail(ctx, c, lines)
		if err != nil {
			return nil, naming("read logs of", name, fmt.Errorf("container %q: %w", c.instance.Name, err))
		}
		all = append(all, entries...)
	}
	return last(all, lines), nil
}

func (e *connection) tail(ctx context.Context, c *container, lines int) ([]entry, error) {
	var text bytes.Buffer
	err := e.ask(ctx, callTimeout, func(ctx context.Context) error {
		logs, err := e.client.ContainerLogs(ctx, c.instance.ID, client.ContainerLogsOptions{
			ShowStdout: true, ShowStderr: true, Timestamps: true, Tail: strconv.Itoa(lines),
		})
		if err != nil {
			return err
		}
		defer logs.Close()
		return demultiplex(&text, io.LimitReader(logs, maxLogBytes), c.tty)
	})
	return entries(text.String()), err
}

// demultiplex undoes the frames that keep stdout and stderr apart. A terminal has one
// stream, without frames.
func demultiplex(to io.Writer, from io.Reader, tty bool) error {
	if tty {
		_, err := io.Copy(to, from)
		return err
	}
	_, err := stdcopy.StdCopy(to, to, from)
	return err
}

func entries(text string) []entry {
	var all []entry
	for line := range strings.Lines(text) {
		at, rest, _ := strings.Cut(line, " ")
		all = append(all, entry{at, shorten(strings.TrimRight(rest, "\r\n"))})
	}
	return all
}

// shorten cuts a line between two characters.
func shorten(line string) string {
	line = strings.ToValidUTF8(line, "\uFFFD")
	if len(line) <= MaxLogLine {
		return line
	}
	end := MaxLogLine
	for !utf8.RuneStart(line[end]) {
		end--
	}
	return line[:end] + "…"
}

func last(all []entry, lines int) []string {
	slices.SortStableFunc(all, func(a, b entry) int { return strings.Compare(a.at, b.at) })
	var texts []string
	for _, e := range all[max(0, len(all)-lines):] {
		texts = append(texts, e.text)
	}
	return texts
}
