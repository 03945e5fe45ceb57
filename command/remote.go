package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/spf13/cobra"

	"github.com/paastis/paastis/client"
)

// remote is a running Paastis, asked from a shell.
type remote struct {
	*client.Client
	out, errs io.Writer
	app       string // that it is asked about; empty: all
	json      bool   // what it answers is printed as it is
}

// asking has c ask a running Paastis, by its admin API, about the app that its operand names.
func (s *shell) asking(c *cobra.Command, ask func(context.Context, *remote) error) func(*cobra.Command, []string) error {
	asJSON := c.Flags().Bool("json", false, "print what the admin API answers, as JSON")
	return func(c *cobra.Command, words []string) error {
		cfg, err := s.load()
		if err != nil {
			return err
		}
		api, err := cfg.AdminAPI()
		if err != nil {
			return err
		}
		r := &remote{Client: api, out: s.stdout, errs: s.stderr, app: strings.Join(words, ""), json: *asJSON}
		return r.clear(c.Context(), ask(c.Context(), r))
	}
}

// clear turns an error of the API into a line that says what to do about it.
func (r remote) clear(ctx context.Context, err error) error {
	var problem *client.Problem
	switch {
	case errors.Is(err, client.ErrUnreachable):
		return fmt.Errorf("no Paastis answers on %s: %w; does it run, and has it got admin.token?", r, cause(err, client.ErrUnreachable))
	case errors.Is(err, client.ErrToken):
		return fmt.Errorf("the Paastis on %s refuses this token: PAASTIS_ADMIN_TOKEN must be its admin.token", r)
	case errors.Is(err, client.ErrNoAPI):
		return fmt.Errorf("there is no admin API on %s: %w; is admin.url or admin.path right, and has Paastis got admin.token?", r, cause(err, client.ErrNoAPI))
	case errors.As(err, &problem) && problem.Status == http.StatusNotFound && r.app != "":
		return fmt.Errorf("no app is known as %q%s", client.Clean(r.app), r.nearestApp(ctx))
	case errors.As(err, &problem) && r.app != "":
		return fmt.Errorf("%s: %w", client.Clean(r.app), err)
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

func (r remote) nearestApp(ctx context.Context) string {
	list, err := r.Apps(ctx)
	if err != nil {
		return ""
	}
	var known []string
	for _, app := range list.Value.Apps {
		known = append(known, string(app.Name))
	}
	return nearest(r.app, known)
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
