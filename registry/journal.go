package registry

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// mostLines is how many lines wait for a log that is stuck. What is said beyond them is lost.
const mostLines = 10_000

// journal is what is said with the registry's lock held, and written without it: a log that
// is slow, or stuck, holds up whoever writes, and nobody else. It may be used by several at
// once.
type journal struct {
	log     *slog.Logger
	writing sync.Mutex // held by who writes lines, never with the registry's lock

	mu    sync.Mutex    // guards what follows
	lines []slog.Record // said, and not written so far
	lost  int           // how many of them were one too many
}

// say notes a line, which write writes. It does not block.
func (j *journal) say(level slog.Level, message string, attrs ...any) {
	if !j.log.Enabled(context.Background(), level) {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.lines) >= mostLines {
		j.lost++
		return
	}
	line := slog.NewRecord(time.Now(), level, message, 0)
	line.Add(attrs...)
	j.lines = append(j.lines, line)
}

// write writes what was said. It blocks as long as the log does, but not for somebody else
// who writes already, and goes on with these. Called without the registry's lock.
func (j *journal) write() {
	for j.pending() && j.writing.TryLock() {
		j.writeLines()
		j.writing.Unlock()
	}
}

func (j *journal) pending() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.lines) > 0
}

// writeLines writes what was said so far. Called with the right to write.
func (j *journal) writeLines() {
	j.mu.Lock()
	lines, lost := j.lines, j.lost
	j.lines, j.lost = nil, 0
	j.mu.Unlock()
	for _, line := range lines {
		_ = j.log.Handler().Handle(context.Background(), line) // as slog does
	}
	if lost > 0 {
		j.log.Warn("the log was stuck: lines are missing here", "lines", lost)
	}
}
