package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	maxMessage   = 4 << 20          // bytes of a line
	quietLimit   = 45 * time.Second // Paastis says something each 15 s
	firstPause   = 500 * time.Millisecond
	longestPause = 15 * time.Second
)

// Opened is the kind of a Message that no Paastis sends: the stream is open, for the first
// time or again, and what happens from now on will be told.
const Opened = "opened"

// Message is one of a stream.
type Message struct {
	Kind string // event, app, gone, totals, or Opened
	Data []byte // JSON
}

// Following says what to follow.
type Following struct {
	// App whose stream it is. Empty: all of them.
	App string
	// After is the last event that is known; what was missed since comes first. Negative:
	// only what happens from now on.
	After int64
	// Lost is told that the stream was cut; it is opened again until it can be. Nil: nobody
	// is.
	Lost func(error)
}

// Follow calls each with every message, one after the other, until it returns false or ctx
// ends; both are no error. A stream that is cut, or silent for longer than Paastis ever
// is, is opened again after the last event that it told, with pauses of up to 15 s; an
// error means that this is of no use, for the token is refused or there is no API.
func (c *Client) Follow(ctx context.Context, f Following, each func(Message) bool) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = firstPause, longestPause
	pauses.Reset()
	told := false
	for {
		more := true
		err := c.stream(ctx, &f, func(m Message) bool {
			told = false
			if m.Kind != Opened { // who only opens and closes is not to be asked all the time
				pauses.Reset()
			}
			more = each(m)
			return more
		})
		switch {
		case !more || ctx.Err() != nil:
			return nil
		case !errors.Is(err, ErrUnreachable):
			return err
		}
		if f.Lost != nil && !told {
			f.Lost(err)
			told = true
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pauses.NextBackOff()):
		}
	}
}

// stream opens the stream once and reads it to its end, which is an error.
func (c *Client) stream(ctx context.Context, f *Following, each func(Message) bool) error {
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(answerLimit, cancel)
	defer silence.Stop()
	resp, err := c.open(ctx, limited, f)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if mediaType(resp) != "text/event-stream" {
		return ErrNoAPI
	}
	silence.Reset(quietLimit)
	if !each(Message{Kind: Opened}) {
		return nil
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxMessage)
	var next incoming
	for silence.Reset(quietLimit); lines.Scan(); silence.Reset(quietLimit) {
		if !next.take(lines.Text()) {
			continue
		}
		f.passed(next.id)
		if next.Data != nil && !each(next.Message) {
			return nil
		}
		next = incoming{}
	}
	if err := lines.Err(); err != nil {
		return unreachable(ctx, err)
	}
	return fmt.Errorf("%w any more: the stream has ended", ErrUnreachable)
}

// incoming is a message on its way.
type incoming struct {
	Message
	id string // of the event that it is; empty: none
}

// take takes in a line, and reports whether the message is whole.
func (m *incoming) take(line string) bool {
	field, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch field {
	case "id":
		m.id = value
	case "event":
		m.Kind = value
	case "data":
		m.Data = append(m.Data, value...)
	}
	return line == ""
}

func (c *Client) open(ctx, limited context.Context, f *Following) (*http.Response, error) {
	query := url.Values{"app": names(f.App)}
	if f.After >= 0 {
		query.Set("after", strconv.FormatInt(f.After, 10))
	}
	req, err := c.request(limited, http.MethodGet, "events?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	if f.After > 0 {
		req.Header.Set("Last-Event-ID", strconv.FormatInt(f.After, 10))
	}
	return c.send(ctx, req)
}

// passed notes the event up to which all is known.
func (f *Following) passed(id string) {
	if n, err := strconv.ParseInt(id, 10, 64); err == nil {
		f.After = n
	}
}
