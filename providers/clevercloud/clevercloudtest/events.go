package clevercloudtest

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

const (
	// heartbeat is how often a socket is asked whether it lives, patience how long it has to
	// answer, and to say who it is.
	heartbeat = 30 * time.Second
	patience  = 10 * time.Second
	// mostEvents is how many wait for a socket that is slow.
	mostEvents = 1000
)

// socket is one that hears events.
type socket struct {
	events chan []byte
	end    context.CancelFunc
}

// eventSocket tells who has said by OAuth who he is what happens. Its first message is signed for
// the address of the events, or for its own: of these its documentation and its client say
// different things.
func (c *Cloud) eventSocket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	ctx, end := context.WithCancel(r.Context())
	defer end()
	defer func() { _ = conn.CloseNow() }()
	if !c.introduced(ctx, conn, r) {
		_ = conn.Write(ctx, websocket.MessageText, []byte(`{"type":"error","id":2001,"message":"Not connected"}`))
		_ = conn.Close(websocket.StatusPolicyViolation, "not connected")
		return
	}
	s := &socket{events: make(chan []byte, mostEvents), end: end}
	c.join(s, true)
	defer c.join(s, false)
	if conn.Write(ctx, websocket.MessageText, []byte(`{"message_type":"socket_ready"}`)) == nil {
		s.serve(ctx, conn)
	}
}

// introduced reports whether the first message of a socket is that of the account.
func (c *Cloud) introduced(ctx context.Context, conn *websocket.Conn, r *http.Request) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, said, err := conn.Read(ctx)
	if err != nil {
		return false
	}
	var message struct {
		Type          string `json:"message_type"`
		Authorization string `json:"authorization"`
	}
	if json.Unmarshal(said, &message) != nil || message.Type != "oauth" {
		return false
	}
	return c.knows(message.Authorization, false, http.MethodGet, r.Host+"/v2/events/", nil) ||
		c.knows(message.Authorization, false, http.MethodGet, bare(r), nil)
}

// serve tells events, and asks whether somebody is there, until nobody is.
func (s *socket) serve(ctx context.Context, conn *websocket.Conn) {
	pongs := make(chan struct{}, 1)
	go func() {
		defer s.end()
		for {
			if _, _, err := conn.Read(ctx); err != nil {
				return
			}
			select {
			case pongs <- struct{}{}:
			default:
			}
		}
	}()
	beats := time.NewTicker(heartbeat)
	defer beats.Stop()
	heard := time.Now()
	for {
		var message []byte
		select {
		case <-ctx.Done():
			return
		case <-pongs:
			heard = time.Now()
			continue
		case message = <-s.events:
		case <-beats.C:
			if time.Since(heard) > heartbeat+patience {
				return
			}
			message = []byte(`{"type":"heartbeat","heartbeat_msg":"ping","heartbeat_delay_ms":30000}`)
		}
		if conn.Write(ctx, websocket.MessageText, message) != nil {
			return
		}
	}
}

func (c *Cloud) join(s *socket, in bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if in {
		c.sockets[s] = true
		return
	}
	delete(c.sockets, s)
}

// Sockets is how many hear events.
func (c *Cloud) Sockets() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sockets)
}

// DropSockets cuts all sockets.
func (c *Cloud) DropSockets() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.sockets {
		s.end()
	}
}

// emit tells all sockets what happened. Called with c.mu held.
func (c *Cloud) emit(event string, a *app, d *deployment) {
	if c.deaf {
		return
	}
	about := map[string]any{"id": a.id, "appId": a.id, "ownerId": a.Owner, "name": a.Name}
	if d != nil {
		about["uuid"], about["state"], about["action"], about["commit"] = d.uuid, d.state, d.action, d.commit
	}
	data, _ := json.Marshal(about)
	message, _ := json.Marshal(map[string]any{"event": event, "date": c.now().UTC().Format(time.RFC3339), "data": string(data)})
	for s := range c.sockets {
		select {
		case s.events <- message:
		default:
			s.end()
		}
	}
}
