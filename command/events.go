package command

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/paastis/paastis/client"
)

// eventName is how much room a time and a name have in a list of events, with what parts
// them; a longer name takes more.
const eventName = len(time.DateTime) + 2 + 24

func (s *shell) eventsCommand() *cobra.Command {
	c := newCommand("events", "list what has happened to the apps", nil)
	app := &textFlag{called: "NAME"}
	c.Flags().Var(app, "app", "only to this one")
	_ = c.RegisterFlagCompletionFunc("app", s.completeApp) // it fails for a flag that there is none of
	follow := c.Flags().Bool("follow", false, "and what happens, until interrupted (docker exec tells of that only with -t)")
	c.RunE = s.asking(c, func(ctx context.Context, r *remote) error {
		r.app = app.value
		return r.events(ctx, *follow)
	})
	return c
}

// events lists what has happened, and then, if it is to follow, what happens until ctx ends.
func (r remote) events(ctx context.Context, follow bool) error {
	if r.app != "" { // a name that nobody has would have no events
		if _, err := r.App(ctx, r.app); err != nil {
			return err
		}
	}
	reply, err := r.Events(ctx, r.app)
	if err != nil {
		return err
	}
	if r.json && !follow {
		return r.writeJSON(reply.JSON)
	}
	last, err := r.writeEvents(reply)
	if err != nil || !follow {
		return err
	}
	failed := r.Follow(ctx, client.Following{App: r.app, After: last, Lost: r.lost}, func(m client.Message) bool {
		if m.Kind == "event" {
			_, err = r.writeEvent(m.Data)
		}
		return err == nil
	})
	if failed != nil {
		return failed
	}
	return err
}

// writeEvents prints a list, and returns the ID of the last one.
func (r remote) writeEvents(reply client.Reply[client.Events]) (last int64, err error) {
	var list struct{ Events []json.RawMessage }
	if err := json.Unmarshal(reply.JSON, &list); err != nil {
		return 0, client.ErrNoAPI
	}
	for _, raw := range list.Events {
		if last, err = r.writeEvent(raw); err != nil {
			return last, err
		}
	}
	return last, nil
}

// writeEvent prints an event on a line, and returns its ID.
func (r remote) writeEvent(raw json.RawMessage) (int64, error) {
	var e client.Event
	if err := json.Unmarshal(raw, &e); err != nil {
		return 0, client.ErrNoAPI
	}
	if r.json {
		return int64(e.ID), r.writeJSONLine(raw)
	}
	w := tabwriter.NewWriter(r.out, eventName+2, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s  %s\t%s\n", e.At.Local().Format(time.DateTime), e.App, eventText(e))
	return int64(e.ID), w.Flush()
}

func eventText(e client.Event) string {
	text := string(e.Kind)
	if e.Kind == "state" {
		text = string(e.State)
		if e.Was != "" && e.Was != e.State {
			text = fmt.Sprintf("%s → %s", e.Was, e.State)
		}
		if e.Took != nil && *e.Took > 0 {
			text += fmt.Sprintf(" after %s", took(*e.Took))
		}
	}
	if e.Reason != "" {
		text += ": " + string(e.Reason)
	}
	return text
}
