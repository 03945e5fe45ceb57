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

// crowd is many connections that ask for the same thing over and over, each as soon as it
// is answered. It costs little, for what it loads runs on the same cores.
type crowd struct {
	address     string // who is asked, host:port
	request     string // as it goes over the wire
	connections int
}

// askFor is a crowd that sends GETs. header are further lines.
func askFor(address, host, path string, connections int, header ...string) crowd {
	request := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n"
	for _, line := range header {
		request += line + "\r\n"
	}
	return crowd{address, request + "\r\n", connections}
}

// run asks for a time and returns how many answers came in a second. It is an error if
// one of them was not 200.
func (c crowd) run(ctx context.Context, d time.Duration) (float64, error) {
	conns, err := c.dial(ctx)
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
	for _, conn := range conns {
		askers.Go(func() { errs <- c.ask(ctx, conn, &answers) })
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
func (c crowd) dial(ctx context.Context) ([]net.Conn, error) {
	var conns []net.Conn
	for range c.connections {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.address)
		if err != nil {
			return conns, err
		}
		conns = append(conns, conn)
	}
	return conns, nil
}

// ask asks over one connection until ctx is done, and counts the answers.
func (c crowd) ask(ctx context.Context, conn net.Conn, answers *atomic.Int64) error {
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	in := bufio.NewReader(conn)
	for ctx.Err() == nil {
		if _, err := io.WriteString(conn, c.request); err != nil {
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
