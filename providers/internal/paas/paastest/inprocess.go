// Package paastest is what the emulators of platforms share: a way to call them without a
// socket, faults that are switched on and off while they run, and counts of what they were
// asked.
//
//	transport → InProcess → Calls → Faults → the emulator's own handler
//
// All of it goes by the clock of whoever calls, so it works in synctest bubbles as well as
// behind a server on a socket.
package paastest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"
)

// InProcess is a transport that calls a handler instead of a server: a call is a goroutine of
// the handler, which ends with the context of the call, or once the body of its answer is
// closed. It streams, and it gives the handler a connection of its own if that hijacks it, as
// for a WebSocket. A handler that panics with http.ErrAbortHandler cuts the answer where it is.
// Any other panic is not caught.
func InProcess(handler http.Handler) http.RoundTripper { return inProcess{handler} }

type inProcess struct{ handler http.Handler }

// inProcessKey is in the context of a request that comes by no socket.
type inProcessKey struct{}

// refused is what a handler panics with in the name of a server that is not there. It is for
// handlers that are called in process.
type refused struct{}

// errCut is what a caller gets whose connection ends before the answer has begun.
var errCut = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		closeBody(r)
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithValue(r.Context(), inProcessKey{}, true))
	w := &answer{request: r, header: http.Header{}, begun: make(chan struct{}), body: newStream(r.Context(), cancel)}
	go w.run(t.handler, served(ctx, r))
	select {
	case <-w.begun:
	case <-r.Context().Done():
		cancel()
		return nil, r.Context().Err()
	}
	if w.failed != nil {
		cancel()
		return nil, w.failed
	}
	return w.response, nil
}

// served is the request as a server gets it.
func served(ctx context.Context, r *http.Request) *http.Request {
	s := r.Clone(ctx)
	s.RequestURI, s.Proto, s.ProtoMajor, s.ProtoMinor = r.URL.RequestURI(), "HTTP/1.1", 1, 1
	if s.Host == "" {
		s.Host = r.URL.Host
	}
	s.URL.Scheme, s.URL.Host, s.URL.User = "", "", nil
	s.RemoteAddr = "192.0.2.1:40000"
	if s.Body == nil {
		s.Body = http.NoBody
	}
	return s
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}

// answer is what a handler writes to, and what its caller gets of that. Its fields are the
// handler's until begun is closed, and nobody's after.
type answer struct {
	request  *http.Request
	header   http.Header
	body     *stream
	begun    chan struct{}
	sent     bool
	response *http.Response
	failed   error

	left   int64 // of the length that the handler has told; -1: it has told none
	server net.Conn
}

// run calls the handler, and ends the answer as the handler has.
func (w *answer) run(handler http.Handler, r *http.Request) {
	hijacked := false
	defer func() {
		closeBody(r)
		w.body.cancel()
		switch p := recover(); {
		case p == nil && !hijacked:
			w.end()
		case p == nil:
		case p == any(refused{}):
			w.fail(&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)})
		case p == any(http.ErrAbortHandler):
			w.fail(errCut)
		default:
			panic(p)
		}
	}()
	handler.ServeHTTP(w, r)
	hijacked = w.server != nil
}

// end ends an answer that is complete, as far as its handler says.
func (w *answer) end() {
	w.begin(http.StatusOK, nil)
	if w.left > 0 {
		w.body.end(io.ErrUnexpectedEOF)
		return
	}
	w.body.end(io.EOF)
}

// fail ends the answer wherever it is.
func (w *answer) fail(err error) {
	if w.sent {
		w.body.end(io.ErrUnexpectedEOF)
		return
	}
	w.failed, w.sent = err, true
	close(w.begun)
}

func (w *answer) Header() http.Header { return w.header }

func (w *answer) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		return // as those are for whoever asks for them
	}
	w.begin(status, nil)
}

func (w *answer) Write(p []byte) (int, error) {
	w.begin(http.StatusOK, p)
	if w.request.Method == http.MethodHead || !hasBody(w.response.StatusCode) {
		return len(p), nil
	}
	if w.left >= 0 {
		if int64(len(p)) > w.left {
			return 0, http.ErrContentLength
		}
		w.left -= int64(len(p))
	}
	return w.body.Write(p)
}

// Flush sends what there is: all of it has been already, but perhaps the head.
func (w *answer) Flush() { w.begin(http.StatusOK, nil) }

func hasBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// begin sends the head, if it has not been. Start is the body's, as far as it is known.
func (w *answer) begin(status int, start []byte) {
	if w.sent {
		return
	}
	w.sent = true
	header := w.header.Clone()
	if header.Get("Date") == "" {
		header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	if _, told := header["Content-Type"]; !told && len(start) > 0 {
		header.Set("Content-Type", http.DetectContentType(start))
	}
	w.left = lengthOf(header)
	w.response = &http.Response{
		Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: w.body, ContentLength: w.left, Request: w.request,
	}
	if w.request.Method == http.MethodHead || !hasBody(status) {
		w.left = -1
	}
	if status == http.StatusSwitchingProtocols {
		w.upgrade()
	}
	close(w.begun)
}

func lengthOf(header http.Header) int64 {
	n, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// upgrade makes a connection of both sides of the call.
func (w *answer) upgrade() {
	client, server := net.Pipe()
	w.server = server
	stop := context.AfterFunc(w.request.Context(), func() { client.Close() })
	w.response.Body = upgraded{Conn: client, stop: stop}
}

// upgraded is the caller's side of a connection that ends with the context of the call.
type upgraded struct {
	net.Conn
	stop func() bool
}

func (u upgraded) Close() error {
	u.stop()
	return u.Conn.Close()
}

// Hijack gives the handler the connection of a call that it has answered by 101.
func (w *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.server == nil {
		return nil, nil, errors.New("no connection: only what is answered by 101 has one")
	}
	return w.server, bufio.NewReadWriter(bufio.NewReader(w.server), bufio.NewWriter(w.server)), nil
}
