package clevercloud

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/coder/websocket"
)

// eventSocket hears what happens to apps, as Clever Cloud's console does (clever-client.js,
// esm/streams/events.ts): one socket for the whole account. It takes OAuth; whether there is one
// for API tokens is not known. What it tells is only that something is to be asked for: so an event
// that is lost, late or of a form that nobody knows costs time, and no more.
type eventSocket struct {
	base          *url.URL
	authorization string // what is said first
	transport     http.RoundTripper
	log           *slog.Logger
	ready         atomic.Bool
}

const (
	// firstReconnect and lastReconnect are the pauses between two tries.
	firstReconnect = 2 * time.Second
	lastReconnect  = 5 * time.Minute
	// longestSilence is how long nothing may be heard: heartbeats come more often.
	longestSilence = 2 * time.Minute
	// mostOfAnEvent is how long an event may be, in bytes.
	mostOfAnEvent = 1 << 20
	// authFailed is the id of the error of wrong credentials.
	authFailed = "2001"
)

var errNotHeard = errors.New("the credentials are not taken")

// isConnected reports whether events come in now.
func (s *eventSocket) isConnected() bool { return s.ready.Load() }

// listen signals each time that something happened, and once more when the socket is there again
// after it was not. It connects anew until ctx ends.
func (s *eventSocket) listen(ctx context.Context, heard chan<- struct{}) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval, pause.Multiplier = firstReconnect, lastReconnect, 2
	told := ""
	for ctx.Err() == nil {
		began := time.Now()
		err := s.run(ctx, func() {
			select {
			case heard <- struct{}{}:
			default:
			}
		})
		s.ready.Store(false)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > lastReconnect {
			pause.Reset()
			told = ""
		}
		if text := err.Error(); text != told {
			told = text
			s.log.Info("events of Clever Cloud are not heard, so it is asked more often; connecting anew", "error", err)
		}
		sleep(ctx, pause.NextBackOff())
	}
}

// run is one connection.
func (s *eventSocket) run(ctx context.Context, happened func()) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	late := time.AfterFunc(callLimit, end)
	conn, err := s.dial(ctx)
	if late.Stop(); err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(mostOfAnEvent)
	for {
		message, err := s.read(ctx, conn)
		switch {
		case err != nil:
			return err
		case message.Type == "error" && codeOf(message.ID) == authFailed:
			return errNotHeard
		case message.Type == "heartbeat":
			err = conn.Write(ctx, websocket.MessageText, []byte(`{"type":"heartbeat","heartbeat_msg":"pong"}`))
		case message.MessageType == "socket_ready":
			s.ready.Store(true)
			happened() // what came before was not heard
		case message.Event != "":
			happened()
		}
		if err != nil {
			return err
		}
	}
}

// dial connects, and says who calls. The connection ends with ctx.
func (s *eventSocket) dial(ctx context.Context) (*websocket.Conn, error) {
	at := s.base.JoinPath("/v2/events/event-socket")
	at.Scheme = map[string]string{"https": "wss", "http": "ws"}[at.Scheme]
	conn, _, err := websocket.Dial(ctx, at.String(), &websocket.DialOptions{HTTPClient: &http.Client{Transport: s.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}})
	if err != nil {
		return nil, err
	}
	said, _ := json.Marshal(map[string]string{"message_type": "oauth", "authorization": s.authorization}) // texts alone
	if err := conn.Write(ctx, websocket.MessageText, said); err != nil {
		_ = conn.CloseNow()
		return nil, err
	}
	return conn, nil
}

// event is a message of the socket, as far as it is heeded.
type event struct {
	MessageType text            `json:"message_type"`
	Type        text            `json:"type"`
	ID          json.RawMessage `json:"id"`
	Event       text            `json:"event"`
}

// read waits for a message. One that cannot be read is an empty one.
func (s *eventSocket) read(ctx context.Context, conn *websocket.Conn) (event, error) {
	ctx, cancel := context.WithTimeout(ctx, longestSilence)
	defer cancel()
	_, raw, err := conn.Read(ctx)
	var e event
	if err == nil {
		_ = json.Unmarshal(raw, &e)
	}
	return e, err
}
