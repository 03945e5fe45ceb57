package paastest

import (
	"context"
	"errors"
	"io"
	"sync"
)

// errClosed is what a handler gets that writes what nobody reads any more.
var errClosed = errors.New("the caller has gone")

// stream carries the body of an answer. It holds whatever is written until it is read, so a
// handler never waits for its caller.
type stream struct {
	ctx    context.Context // the call's
	cancel func()          // ends the handler's context

	wake chan struct{} // has room for one: there is something new

	mu   sync.Mutex
	data []byte
	err  error // what comes after data; nil: more of it
}

func newStream(ctx context.Context, cancel func()) *stream {
	return &stream{ctx: ctx, cancel: cancel, wake: make(chan struct{}, 1)}
}

// Write is called by the handler.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, errClosed
	}
	s.data = append(s.data, p...)
	s.notify()
	return len(p), nil
}

// end says what comes after all that was written; the first word is the last.
func (s *stream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.notify()
	s.cancel()
}

// notify is called with s.mu held.
func (s *stream) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Read is called by one reader at a time.
func (s *stream) Read(p []byte) (int, error) {
	for {
		if n, err := s.take(p); n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		select {
		case <-s.wake:
		case <-s.ctx.Done():
			return 0, s.ctx.Err()
		}
	}
}

func (s *stream) take(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	if len(s.data) == 0 {
		return 0, s.err
	}
	n := copy(p, s.data)
	s.data = s.data[n:]
	return n, nil
}

// Close ends the call: its handler is told by its context.
func (s *stream) Close() error {
	s.end(io.ErrClosedPipe)
	return nil
}
