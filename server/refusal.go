package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/paastis/paastis/server/problem"
)

// refusals answers who does not get what was asked for, and says so in the log.
type refusals struct {
	log  *slog.Logger
	told *problem.SourceLimit // by whom a refusal was logged lately
}

func newRefusals(log *slog.Logger) *refusals {
	const linesPerMinute = 1
	return &refusals{log: log, told: problem.PerMinute(linesPerMinute)}
}

// sendBack answers who is to come again in a moment: a browser does so by itself.
func (s *refusals) sendBack(w http.ResponseWriter, r *http.Request, p problem.Document) {
	p.Status = http.StatusServiceUnavailable
	if r.Method == http.MethodGet {
		w.Header().Set("Refresh", problem.Seconds(0))
	}
	s.send(w, r, p)
}

// send answers with a problem.
func (s *refusals) send(w http.ResponseWriter, r *http.Request, p problem.Document) {
	s.logUnsent(tell(w, r, p))
}

// logUnsent notes how sending an answer went.
func (s *refusals) logUnsent(err error) {
	if err != nil {
		s.log.Debug("answer not sent", "error", err)
	}
}

// warnSeldom logs that an address was refused, by the key that it has in the line. Where it
// was warned of in the last minute, only who debugs is told.
func (s *refusals) warnSeldom(of netip.Addr, refusal, key string, more ...any) {
	level := slog.LevelDebug
	if s.told.Allows(of, time.Now()) {
		level = slog.LevelWarn
	}
	s.log.Log(context.Background(), level, refusal, append([]any{key, of.String()}, more...)...)
}
