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

// tell makes Paastis do something with an app.
func (r remote) tell(ctx context.Context, a arguments) error {
	reply, err := r.order(ctx, a)
	if err != nil {
		return err
	}
	if a.has("--wait") {
		return r.wait(ctx, a, reply)
	}
	return r.writeOrder(a, reply)
}

func (r remote) order(ctx context.Context, a arguments) (client.Reply[client.App], error) {
	switch a.command {
	case "wake":
		return r.Wake(ctx, a.operand)
	case "retry":
		return r.Retry(ctx, a.operand)
	case "sleep":
		reply, err := r.Sleep(ctx, a.operand, a.has("--force"))
		return reply, sleepError(err)
	case "unpin":
		return r.Unpin(ctx, a.operand)
	default:
		return r.pin(ctx, a)
	}
}

// sleepError adds what helps against a refusal.
func sleepError(err error) error {
	var problem *client.Problem
	if !errors.As(err, &problem) || !problem.Force {
		return err
	}
	return fmt.Errorf("%w (--force puts it to sleep all the same)", err)
}

// writeOrder says what has come of an order so far.
func (r remote) writeOrder(a arguments, reply client.Reply[client.App]) error {
	if a.has("--json") {
		return r.writeJSON(reply.JSON)
	}
	app := reply.Value
	text := fmt.Sprintf("%s is %s", app.Name, app.State)
	switch {
	case a.command == "pin":
		text = fmt.Sprintf("%s is pinned until %s", app.Name, textOr(future, app.PinnedUntil, reply.At))
	case a.command == "unpin":
		text = fmt.Sprintf("%s is not pinned: it is %s", app.Name, app.State)
		if app.NextStop != nil {
			text += ", and sleeps " + ahead(*app.NextStop, reply.At) + " if nobody comes"
		}
	case app.State == "failed":
		text = failedText(app, reply.At)
	case a.command == "sleep" && app.State != "asleep":
		text = fmt.Sprintf("%s is going to sleep: %s", app.Name, app.Reason)
	case app.State == "starting" && app.UsualWake != nil:
		text += "; it usually takes about " + took(*app.UsualWake)
	case app.Reason != "":
		text += ": " + string(app.Reason)
	}
	_, err := fmt.Fprintln(r.out, text)
	return err
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
func (r remote) wait(ctx context.Context, a arguments, reply client.Reply[client.App]) error {
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
		followed := r.Follow(ctx, client.Following{App: a.operand, After: -1, Lost: r.lost}, func(m client.Message) bool {
			var looked bool
			if looked, err = r.look(ctx, a, m, &reply); err != nil {
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
		return r.writeOrder(a, reply)
	}
}

// look takes an app's new picture from a message, if there is one in it. When the stream
// opens it asks for one, for much may have happened before.
func (r remote) look(ctx context.Context, a arguments, m client.Message, last *client.Reply[client.App]) (bool, error) {
	switch m.Kind {
	case client.Opened:
		reply, err := r.App(ctx, a.operand)
		if err == nil {
			*last = reply
		}
		return err == nil, err
	case "app":
		*last = client.Reply[client.App]{JSON: m.Data, At: time.Now()}
		return true, json.Unmarshal(m.Data, &last.Value)
	case "gone":
		return false, fmt.Errorf("%s was removed", client.Clean(a.operand))
	default:
		return false, nil
	}
}

// lost says that a stream was cut.
func (r remote) lost(err error) {
	fmt.Fprintf(r.errs, "paastis: %v; trying again\n", cause(err, client.ErrUnreachable))
}
