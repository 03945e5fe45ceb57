package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/registry"
)

const (
	// heartbeat is how often a stream says that it is alive, so that nobody between cuts it,
	// and that a client who has left is noticed.
	heartbeat = 15 * time.Second
	// totalsEvery is how often a stream tells the totals.
	totalsEvery = 5 * time.Second
)

// events is what the API says of what happened.
type events struct {
	registry *registry.Registry
	totals   totals
	closing  context.Context // ends when streams have to
}

// answer answers with what happened, as a list or as a stream that goes on.
func (e *events) answer(c echo.Context) error {
	after, err := number(c, "after", 0, 0, math.MaxInt64)
	if err != nil {
		return err
	}
	limit, err := number(c, "limit", registry.EventsKept, 1, registry.EventsKept)
	if err != nil {
		return err
	}
	app := c.QueryParam("app")
	if strings.Contains(c.Request().Header.Get(echo.HeaderAccept), "text/event-stream") {
		return e.stream(c, after, app)
	}
	all := []eventDocument{}
	for _, event := range e.registry.Events(after, app, int(limit)) {
		all = append(all, eventOf(event))
	}
	return c.JSON(http.StatusOK, struct {
		Events []eventDocument `json:"events"`
	}{all})
}

// stream tells what happened after an event, and then what happens, until the client
// leaves, the session ends by which it was let in, or Paastis does.
func (e *events) stream(c echo.Context, after uint64, app string) error {
	if last := c.Request().Header.Get("Last-Event-ID"); last != "" {
		var err error
		if after, err = parseNumber("Last-Event-ID", last, 0, math.MaxInt64); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	defer context.AfterFunc(e.closing, cancel)()
	if s, ok := c.Get(sessionKey).(session); ok {
		defer context.AfterFunc(s.ctx, cancel)()
	}
	follower := e.registry.Follow(after)
	defer follower.Close()
	s := &stream{w: c.Response(), rc: http.NewResponseController(c.Response()), app: app, events: e}
	c.Response().Header().Set(echo.HeaderContentType, "text/event-stream")
	c.Response().Header().Set("X-Accel-Buffering", "no") // of proxies that would keep it back
	c.Response().WriteHeader(http.StatusOK)
	return s.follow(ctx, follower)
}

// stream is a client that is told what happens, in server-sent events:
//
//	id: 7           only of an event: the one to go on after
//	event: event    or app: its new picture; gone: its name; totals
//	data: {…}
//
//	:               a sign of life
type stream struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	app    string // alone is told of; empty: all are
	events *events

	beatAt   time.Time // when to give a sign of life
	totalsAt time.Time // when to tell the totals
	totals   []byte    // as last told
}

// follow tells until ctx ends, or the client is too slow or has left.
func (s *stream) follow(ctx context.Context, f *registry.Follower) error {
	for {
		if err := s.keepUp(time.Now()); err != nil {
			return err
		}
		next := s.beatAt
		if s.totalsAt.Before(next) {
			next = s.totalsAt
		}
		pause, cancel := context.WithDeadline(ctx, next)
		changes, err := f.Next(pause)
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, context.DeadlineExceeded):
		case err != nil:
			return err
		}
		if err := s.tell(changes); err != nil {
			return err
		}
	}
}

// keepUp tells what is due though nothing has happened.
func (s *stream) keepUp(now time.Time) error {
	if !now.Before(s.totalsAt) {
		s.totalsAt = now.Add(totalsEvery)
		if totals := s.events.totals.at(now, s.events.registry); string(totals) != string(s.totals) {
			s.totals = totals
			if err := s.write("event: totals\ndata: %s\n\n", totals); err != nil {
				return err
			}
		}
	}
	if now.Before(s.beatAt) {
		return nil
	}
	s.beatAt = now.Add(heartbeat)
	return s.write(": \n\n")
}

// tell tells what has changed.
func (s *stream) tell(c registry.Changes) error {
	if c.Missed {
		c.Apps = s.events.registry.Details()
	}
	for _, e := range c.Events {
		if s.wants(e.App) {
			if err := s.write("id: %d\nevent: event\ndata: %s\n\n", e.ID, text(eventOf(e))); err != nil {
				return err
			}
		}
	}
	for _, name := range c.Gone {
		if s.wants(name) {
			if err := s.write("event: gone\ndata: %s\n\n", text(map[string]string{"name": name})); err != nil {
				return err
			}
		}
	}
	for _, d := range c.Apps {
		if s.wants(d.Name) {
			if err := s.write("event: app\ndata: %s\n\n", text(appOf(d))); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *stream) wants(app string) bool { return s.app == "" || s.app == app }

// write sends a part of the stream. It has its own time limit: that of a whole answer
// would end the stream.
func (s *stream) write(format string, args ...any) error {
	deadline(s.w, time.Now().Add(writeLimit))
	defer deadline(s.w, time.Time{})
	_, err := fmt.Fprintf(s.w, format, args...)
	return cmp.Or(err, s.rc.Flush())
}

// text is a document in one line.
func text(document any) []byte {
	line, _ := json.Marshal(document) // nothing in our documents can fail
	return line
}

// totals are what all streams tell, counted once for all of them.
type totals struct {
	mu   sync.Mutex
	text []byte
	from time.Time
}

// at are the totals of a time, or of less than totalsEvery before.
func (t *totals) at(now time.Time, r *registry.Registry) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text == nil || now.Sub(t.from) >= totalsEvery {
		t.text, t.from = text(totalsOf(r.Listing())), now
	}
	return t.text
}
