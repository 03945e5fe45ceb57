package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// lineCount is how many connections carry requests side by side.
const lineCount = 16

// station is a contender that serves on a socket, with the connections to it.
type station struct {
	server *http.Server
	served chan error
	wires  [][]byte // requests as they are sent
	lines  []*line
}

// line is a connection that is kept. Each request on it waits for the answer to the one
// before, as Traefik's do.
type line struct {
	conn    net.Conn
	answers *bufio.Reader
	next    int // of the requests
}

// open lets a contender serve on the loopback, by a net/http server with the limits that
// Paastis has. So the handlers are all that differs.
func (c contender) open(ctx context.Context) (*station, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &station{
		served: make(chan error, 1),
		server: &http.Server{
			Handler: c.handler, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 35 * time.Second, IdleTimeout: 2 * time.Minute,
		},
	}
	for app := range c.asked {
		s.wires = append(s.wires, wire(question(app)))
	}
	go func() { s.served <- s.server.Serve(ln) }()
	for i := range lineCount {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", ln.Addr().String())
		if err != nil {
			s.close()
			return nil, err
		}
		s.lines = append(s.lines, &line{conn, bufio.NewReader(conn), i * len(s.wires) / lineCount})
	}
	// A connection that has carried nothing yet is soon closed.
	if _, err := s.drive(ctx, turn); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// close ends the server and with it the connections.
func (s *station) close() {
	_ = s.server.Close()
	<-s.served
	for _, l := range s.lines {
		_ = l.conn.Close()
	}
}

// wire is a request as it is sent.
func wire(r *http.Request) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.URL.RequestURI(), r.Host)
	_ = r.Header.Write(&b) // no writer that fails
	b.WriteString("\r\n")
	return b.Bytes()
}

// drive sends requests on all lines for so long and returns what one takes of CPU time,
// server and client together.
func (s *station) drive(ctx context.Context, long time.Duration) (time.Duration, error) {
	counts, errs := make([]int, len(s.lines)), make([]error, len(s.lines))
	before, until := cpuTime(), time.Now().Add(long)
	var sending sync.WaitGroup
	for i, l := range s.lines {
		sending.Go(func() { counts[i], errs[i] = l.send(s.wires, until) })
	}
	sending.Wait()
	took := cpuTime() - before
	answered := 0
	for _, n := range counts {
		answered += n
	}
	return took / time.Duration(max(answered, 1)), errors.Join(append(errs, ctx.Err())...)
}

// send sends requests, one after the other, and counts those that were let through.
func (l *line) send(wires [][]byte, until time.Time) (answered int, err error) {
	for ; time.Now().Before(until); answered++ {
		if _, err := l.conn.Write(wires[l.next%len(wires)]); err != nil {
			return answered, err
		}
		if err := passed(l.answers); err != nil {
			return answered, err
		}
		l.next++
	}
	return answered, nil
}

// passed reads an answer, and fails if it is none that lets a request through.
func passed(answers *bufio.Reader) error {
	status, err := skip(answers)
	if err == nil && status != "200" {
		err = fmt.Errorf("a request was not let through: %s", status)
	}
	return err
}

// skip reads an answer and returns its status.
func skip(answers *bufio.Reader) (status string, err error) {
	first, err := answers.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	status = string(first[len("HTTP/1.1 "):][:3])
	length := 0
	for {
		header, err := answers.ReadSlice('\n')
		if err != nil {
			return "", err
		}
		if text, ok := bytes.CutPrefix(header, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(text))); err != nil {
				return "", err
			}
		}
		if len(header) <= len("\r\n") {
			_, err = answers.Discard(length)
			return status, err
		}
	}
}
