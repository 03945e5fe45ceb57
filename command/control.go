package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/paastis/paastis/client"
)

// writeOrder says what has come of an order so far, in the words of text.
func (r remote) writeOrder(reply client.Reply[client.App], text func(app client.App, now time.Time) string) error {
	if r.json {
		return r.writeJSON(reply.JSON)
	}
	_, err := fmt.Fprintln(r.out, text(reply.Value, reply.At))
	return err
}

// stateText is what an app does since it was told to.
func stateText(app client.App, now time.Time) string {
	text := fmt.Sprintf("%s is %s", app.Name, app.State)
	switch {
	case app.State == "failed":
		return failedText(app, now)
	case app.State == "starting" && app.UsualWake != nil:
		return text + "; it usually takes about " + took(*app.UsualWake)
	case app.Reason != "":
		return text + ": " + string(app.Reason)
	default:
		return text
	}
}

func failedText(app client.App, now time.Time) string {
	if app.Failure == nil {
		return fmt.Sprintf("%s has failed: %s", app.Name, app.Reason)
	}
	text := fmt.Sprintf("%s has failed: %s", app.Name, cmp.Or(app.Failure.Reason, app.Reason))
	if retry := app.Failure.RetryAt; retry != nil && retry.After(now) {
		text += fmt.Sprintf(" It is tried again when somebody comes,%s; paastis retry %s does it at once.", fromThen(*retry, now), app.Name)
	}
	return text
}

// wait follows an app until it is ready, or is not going to be, which is an error.
func (r remote) wait(ctx context.Context, reply client.Reply[client.App]) error {
	rose := false
	var err error
	over := func() bool {
		app := reply.Value
		switch {
		case app.State == "failed":
			err = errors.New(failedText(app, reply.At))
		case app.State == "asleep" && rose:
			err = fmt.Errorf("%s was put to sleep before it was ready", app.Name)
		case app.State != "ready":
			rose = rose || app.State == "starting"
			return false
		}
		return true
	}
	if !over() {
		followed := r.Follow(ctx, client.Following{App: r.app, After: -1, Lost: r.lost}, func(m client.Message) bool {
			var looked bool
			if looked, err = r.look(ctx, m, &reply); err != nil {
				return false
			}
			return !looked || !over()
		})
		err = cmp.Or(followed, err)
	}
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: %s is %s", reply.Value.Name, reply.Value.State)
	default:
		return r.writeOrder(reply, stateText)
	}
}

// look takes the app's new picture from a message, if there is one in it. When the stream
// opens it asks for one, for much may have happened before.
func (r remote) look(ctx context.Context, m client.Message, last *client.Reply[client.App]) (bool, error) {
	switch m.Kind {
	case client.Opened:
		reply, err := r.App(ctx, r.app)
		if err == nil {
			*last = reply
		}
		return err == nil, err
	case "app":
		*last = client.Reply[client.App]{JSON: m.Data, At: time.Now()}
		return true, json.Unmarshal(m.Data, &last.Value)
	case "gone":
		return false, fmt.Errorf("%s was removed", client.Clean(r.app))
	default:
		return false, nil
	}
}

// lost says that a stream was cut.
func (r remote) lost(err error) {
	fmt.Fprintf(r.errs, "paastis: %v; trying again\n", cause(err, client.ErrUnreachable))
}
