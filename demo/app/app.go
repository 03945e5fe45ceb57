// Package app is the app of the demos and of the tests, as visitors see it.
package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// shop answers for one app.
type shop struct {
	name    string
	next    string
	client  *http.Client
	answers atomic.Int64
}

// Answer proves who was reached: each app's holds that of the app it asked.
type Answer struct {
	Name    string  `json:"name"`
	Answers int64   `json:"answers"`
	Next    *Answer `json:"next,omitempty"`
}

// echo tells what arrived of a body.
type echo struct {
	Name   string `json:"name"`
	Method string `json:"method"`
	Length int64  `json:"length"`
	SHA256 string `json:"sha256"`
}

// New makes an app of a name that asks the one at the URL next for each of its answers, unless that
// is empty, by a transport; nil: http.DefaultTransport. It has booted now.
func New(name, next string, transport http.RoundTripper) http.Handler {
	s := &shop{name: name, next: next, client: &http.Client{Timeout: 5 * time.Second, Transport: transport}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /since", since(time.Now()))
	mux.HandleFunc("/echo", s.echo)
	mux.HandleFunc("GET /stream", s.stream)
	mux.HandleFunc("GET /slow", s.slow)
	mux.HandleFunc("GET /ws", s.socket)
	mux.HandleFunc("/", s.answer)
	return mux
}

func (s *shop) answer(w http.ResponseWriter, r *http.Request) {
	a := Answer{Name: s.name, Answers: s.answers.Add(1)}
	if s.next != "" {
		var err error
		if a.Next, err = Ask(r.Context(), s.client, s.next); err != nil {
			http.Error(w, fmt.Sprintf("%s: %v", s.name, err), http.StatusBadGateway)
			return
		}
	}
	writeJSON(w, a)
}

// Ask asks the app at a URL.
func Ask(ctx context.Context, client *http.Client, next string) (*Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, next, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", next, resp.Status)
	}
	var a Answer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, resp.Body) // else its connection is not kept
	return &a, err
}

// since tells when the app had booted: the moment before it listens.
func since(booted time.Time) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, booted.Format(time.RFC3339Nano)) }
}

func (s *shop) echo(w http.ResponseWriter, r *http.Request) {
	sum := sha256.New()
	n, err := io.Copy(sum, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, echo{Name: s.name, Method: r.Method, Length: n, SHA256: hex.EncodeToString(sum.Sum(nil))})
}

// stream is an event stream with an event a second, until the visitor leaves.
func (s *shop) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	every(r, time.Second, -1, func(n int) { fmt.Fprintf(w, "data: %d\n\n", n) }, w)
}

// slow is a download of ?seconds= at ?rate= bytes a second.
func (s *shop) slow(w http.ResponseWriter, r *http.Request) {
	seconds, _ := strconv.Atoi(r.FormValue("seconds"))
	rate, _ := strconv.Atoi(r.FormValue("rate"))
	piece := make([]byte, max(rate/10, 1))
	every(r, time.Second/10, seconds*10, func(int) { _, _ = w.Write(piece) }, w)
}

// socket is a WebSocket that sends each message back, and nothing of its own: not even
// a ping.
func (s *shop) socket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	for {
		kind, message, err := conn.Read(r.Context())
		if err != nil || conn.Write(r.Context(), kind, message) != nil {
			return
		}
	}
}

// every does something now and then, so many times (for ever if negative), and sends
// it on each time.
func every(r *http.Request, interval time.Duration, times int, do func(n int), w http.ResponseWriter) {
	flush := http.NewResponseController(w)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for n := 0; n != times; n++ {
		do(n)
		_ = flush.Flush()
		select {
		case <-r.Context().Done():
			return
		case <-ticker.C:
		}
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
