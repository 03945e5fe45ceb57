package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// load is many connections that ask for the same thing over and over, each as soon as it
// is answered. It costs little, for what it loads runs on the same cores.
type load struct {
	address     string // who is asked, host:port
	request     string // as it goes over the wire
	connections int
}

// askFor is a load of GETs. header are further lines.
func askFor(address, host, path string, connections int, header ...string) load {
	request := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n"
	for _, line := range header {
		request += line + "\r\n"
	}
	return load{address, request + "\r\n", connections}
}

// run asks for a time and returns how many answers came in a second. It is an error if
// one of them was not 200.
func (l load) run(ctx context.Context, d time.Duration) (float64, error) {
	conns, err := l.dial(ctx)
	defer closeAll(conns)
	if err != nil {
		return 0, err
	}
	var answers atomic.Int64
	var askers sync.WaitGroup
	errs := make(chan error, len(conns))
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	began := time.Now()
	for _, c := range conns {
		askers.Go(func() { errs <- l.ask(ctx, c, &answers) })
	}
	askers.Wait()
	took := time.Since(began)
	for range conns {
		if err := <-errs; err != nil {
			return 0, err
		}
	}
	return float64(answers.Load()) / took.Seconds(), nil
}

// dial opens the connections. Those that it could open are returned beside an error.
func (l load) dial(ctx context.Context) ([]net.Conn, error) {
	var conns []net.Conn
	for range l.connections {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", l.address)
		if err != nil {
			return conns, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}

// ask asks over one connection until ctx is done, and counts the answers.
func (l load) ask(ctx context.Context, c net.Conn, answers *atomic.Int64) error {
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	in := bufio.NewReader(c)
	for ctx.Err() == nil {
		if _, err := io.WriteString(c, l.request); err != nil {
			return err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("one of the answers was %s", resp.Status)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		answers.Add(1)
	}
	return nil
}

func closeAll(conns []net.Conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}
