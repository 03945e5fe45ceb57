package registry

import (
	"context"
	"log/slog"
	"time"
)

// mostLines is how many lines wait for a log that is stuck. What is said beyond them is lost.
const mostLines = 10_000

// logLine is a line of the log that was said with the lock held.
type logLine struct{ slog.Record }

// say logs a line once the lock is released. Called with the lock held.
func (r *Registry) say(level slog.Level, message string, attrs ...any) {
	if !r.log.Enabled(context.Background(), level) {
		return
	}
	if len(r.lines) >= mostLines {
		r.lostLines++
		return
	}
	line := logLine{slog.NewRecord(time.Now(), level, message, 0)}
	line.Add(attrs...)
	r.lines = append(r.lines, line)
}

// unlock releases the lock, and writes what was said with it held: a log that is slow, or
// stuck, holds up whoever said something, and nobody else.
func (r *Registry) unlock() {
	said := len(r.lines) > 0
	r.mu.Unlock()
	for said && r.writing.TryLock() { // else somebody writes, and goes on with these
		r.writeLines()
		r.writing.Unlock()
		r.mu.Lock()
		said = len(r.lines) > 0
		r.mu.Unlock()
	}
}

// writeLines writes what was said so far. Called with the right to write, without the lock.
func (r *Registry) writeLines() {
	r.mu.Lock()
	lines, lost := r.lines, r.lostLines
	r.lines, r.lostLines = nil, 0
	r.mu.Unlock()
	for _, line := range lines {
		_ = r.log.Handler().Handle(context.Background(), line.Record) // as slog does
	}
	if lost > 0 {
		r.log.Warn("the log was stuck: lines are missing here", "lines", lost)
	}
}
