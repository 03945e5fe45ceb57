package server

import (
	"bufio"
	"net"
	"net/http"
)

// answer is the ResponseWriter of a request that came by a published route. It knows whether
// the answer has begun.
type answer struct {
	http.ResponseWriter
	begun bool
	left  func() // to be called when the visitor has left a connection that was taken over; nil: nobody asks
}

func (a *answer) WriteHeader(status int) {
	a.begun = a.begun || status >= http.StatusOK
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(p)
}

// Hijack makes the connection the caller's own.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a.begun = true
	conn, buffered, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err == nil && a.left != nil {
		conn = &attended{Conn: conn, left: a.left}
	}
	return conn, buffered, err
}

// attended is a visitor's connection that tells when the visitor has left.
type attended struct {
	net.Conn
	left func()
}

func (a *attended) Read(p []byte) (int, error) {
	n, err := a.Conn.Read(p)
	if err != nil {
		a.left()
	}
	return n, err
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
