package command

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/paastis/paastis/client"
)

// eventName is how much room a name has in a list of events; a longer one takes more.
const eventName = 24

// events lists what has happened, and with --follow what happens until ctx ends.
func (r remote) events(ctx context.Context, a arguments) error {
	app := a.own["--app"]
	if app != "" { // a name that nobody has would have no events
		if _, err := r.App(ctx, app); err != nil {
			return err
		}
	}
	reply, err := r.Events(ctx, app)
	if err != nil {
		return err
	}
	if a.has("--json") && !a.has("--follow") {
		return r.writeJSON(reply.JSON)
	}
	last, err := r.writeEvents(a, reply)
	if err != nil || !a.has("--follow") {
		return err
	}
	failed := r.Follow(ctx, client.Following{App: app, After: last, Lost: r.lost}, func(m client.Message) bool {
		if m.Kind == "event" {
			_, err = r.writeEvent(a, m.Data)
		}
		return err == nil
	})
	if failed != nil {
		return failed
	}
	return err
}

// writeEvents prints a list, and returns the ID of the last one.
func (r remote) writeEvents(a arguments, reply client.Reply[client.Events]) (last int64, err error) {
	var list struct{ Events []json.RawMessage }
	if err := json.Unmarshal(reply.JSON, &list); err != nil {
		return 0, client.ErrNoAPI
	}
	for _, raw := range list.Events {
		if last, err = r.writeEvent(a, raw); err != nil {
			return last, err
		}
	}
	return last, nil
}

// writeEvent prints an event on a line, and returns its ID.
func (r remote) writeEvent(a arguments, raw json.RawMessage) (int64, error) {
	var e client.Event
	if err := json.Unmarshal(raw, &e); err != nil {
		return 0, client.ErrNoAPI
	}
	if a.has("--json") {
		return int64(e.ID), r.writeJSONLine(raw)
	}
	_, err := fmt.Fprintf(r.out, "%s  %s  %s\n", e.At.Local().Format("2006-01-02 15:04:05"), pad(string(e.App), eventName), eventText(e))
	return int64(e.ID), err
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
