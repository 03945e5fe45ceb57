package command

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/paastis/paastis/client"
	"github.com/paastis/paastis/config"
)

// remote is a running Paastis, asked from a shell.
type remote struct {
	*client.Client
	out, errs io.Writer
}

// ask carries out a command by the admin API of a running Paastis.
func (a arguments) ask(ctx context.Context, cfg config.Loaded, stdout, stderr io.Writer) error {
	api, err := cfg.AdminAPI()
	if err != nil {
		return err
	}
	r := remote{Client: api, out: stdout, errs: stderr}
	switch {
	case a.command == "events":
		err = r.events(ctx, a)
	case a.command != "status":
		err = r.tell(ctx, a)
	case a.operand == "":
		err = r.status(ctx, a)
	default:
		err = r.statusOf(ctx, a)
	}
	return r.clear(ctx, err, cmp.Or(a.operand, a.own["--app"]))
}

// clear turns an error of the API into a line that says what to do about it. name is the
// app that was asked about, if one was.
func (r remote) clear(ctx context.Context, err error, name string) error {
	var problem *client.Problem
	switch {
	case errors.Is(err, client.ErrUnreachable):
		return fmt.Errorf("no Paastis answers on %s: %w; does it run, and has it got admin.token?", r, cause(err, client.ErrUnreachable))
	case errors.Is(err, client.ErrToken):
		return fmt.Errorf("the Paastis on %s refuses this token: PAASTIS_ADMIN_TOKEN must be its admin.token", r)
	case errors.Is(err, client.ErrNoAPI):
		return fmt.Errorf("there is no admin API on %s: %w; is admin.url or admin.path right, and has Paastis got admin.token?", r, cause(err, client.ErrNoAPI))
	case errors.As(err, &problem) && problem.Status == http.StatusNotFound && name != "":
		return fmt.Errorf("no app is known as %q%s", client.Clean(name), r.nearestApp(ctx, name))
	case errors.As(err, &problem) && name != "":
		return fmt.Errorf("%s: %w", client.Clean(name), err)
	default:
		return err
	}
}

// cause is an error without the sentinel in front of it, if it says more than that.
func cause(err, sentinel error) error {
	if rest, ok := strings.CutPrefix(err.Error(), sentinel.Error()+": "); ok {
		return errors.New(rest)
	}
	return err
}

func (r remote) nearestApp(ctx context.Context, name string) string {
	list, err := r.Apps(ctx)
	if err != nil {
		return ""
	}
	var known []string
	for _, app := range list.Value.Apps {
		known = append(known, string(app.Name))
	}
	return nearest(name, known)
}

// writeJSON prints what the API answered, with indents. What could steer a terminal is
// escaped, which does not change its meaning.
func (r remote) writeJSON(raw json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(raw), "", "  "); err != nil {
		return client.ErrNoAPI
	}
	_, err := fmt.Fprintln(r.out, escapeJSON(b.String()))
	return err
}

// writeJSONLine prints the same on one line.
func (r remote) writeJSONLine(raw json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return client.ErrNoAPI
	}
	_, err := fmt.Fprintln(r.out, escapeJSON(b.String()))
	return err
}

// escapeJSON escapes the characters that show nothing, but for the line breaks between
// values: within a text JSON has none.
func escapeJSON(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '\n' || unicode.IsPrint(c):
			b.WriteRune(c)
		case c > 0xFFFF:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.String()
}
