package admin

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// follower follows a room: what it was told so far.
type follower struct {
	http.ResponseWriter
	text  logged
	limit atomic.Int64 // of the write that is under way, in Unix nanoseconds; that of the zero time: none
	done  chan struct{}
	end   func() // leaves
}

// over reports whether the stream has ended.
func (f *follower) over() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

func (f *follower) Write(p []byte) (int, error) { return f.text.Write(p) }
func (f *follower) Flush()                      {}

func (f *follower) SetWriteDeadline(t time.Time) error {
	f.limit.Store(t.UnixNano())
	return nil
}

// told are the events of a kind so far: their data.
func (f *follower) told(kind string) []string {
	synctest.Wait()
	var all []string
	for part := range strings.SplitSeq(f.text.String(), "\n\n") {
		if _, data, ok := strings.Cut(part, "event: "+kind+"\ndata: "); ok {
			all = append(all, data)
		}
	}
	return all
}

// follows begins to follow a room, with the token.
func (r *room) follows(t *testing.T, target string, lines ...string) *follower {
	return r.followsAs(t, target, append(lines, bearer)...)
}

// followsAs begins to follow a room, as who the lines say.
func (r *room) followsAs(t *testing.T, target string, lines ...string) *follower {
	ctx, cancel := context.WithCancel(t.Context())
	f := &follower{ResponseWriter: httptest.NewRecorder(), done: make(chan struct{})}
	go func() {
		defer close(f.done)
		r.ServeHTTP(f, request("GET", target, append(lines, "Accept: text/event-stream")...).WithContext(ctx))
	}()
	f.end = func() { cancel(); <-f.done }
	t.Cleanup(f.end)
	synctest.Wait()
	return f
}

// wakesOnce wakes an app and lets it become ready, which makes two events.
func (r *room) wakesOnce(name string) {
	r.order("POST", "/api/v1/apps/"+name+"/wake")
	time.Sleep(20 * time.Second)
	synctest.Wait()
}

// before is the ID before the first in a bubble: IDs go on from the time when Paastis began.
const before = 946684800000

// id is that of the nth event in a bubble.
func id(n int) string { return strconv.Itoa(before + n) }

// states are the events' sides, in short.
func states(t *testing.T, events []eventDocument) string {
	t.Helper()
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprintf("%d:%s:%s>%s", e.ID-before, e.App, e.Was, e.State))
	}
	return strings.Join(all, " ")
}

func TestEventsAreListedAfterAnIDOfOneAppAndNoMoreThanAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"), asleep("blog"))
		r.wakesOnce("shop")
		r.wakesOnce("blog")
		for target, want := range map[string]string{
			"":                         "1:shop:asleep>starting 2:shop:starting>ready 3:blog:asleep>starting 4:blog:starting>ready",
			"?after=" + id(2):          "3:blog:asleep>starting 4:blog:starting>ready",
			"?app=shop":                "1:shop:asleep>starting 2:shop:starting>ready",
			"?limit=1":                 "4:blog:starting>ready",
			"?app=shop&after=" + id(1): "2:shop:starting>ready",
			"?after=" + id(4):          "",
			"?app=nobody":              "",
		} {
			var got struct{ Events []eventDocument }
			decode(t, r.order("GET", "/api/v1/events"+target), &got)
			if s := states(t, got.Events); s != want || got.Events == nil {
				t.Errorf("%s: got %s\nwant %s", target, s, want)
			}
		}
	})
}

func TestAStreamBeginsWithWhatWasMissedAndGoesOnLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"), asleep("blog"))
		r.wakesOnce("shop")
		all, after := r.follows(t, "/api/v1/events"), r.follows(t, "/api/v1/events?after=0", "Last-Event-ID: "+id(1))
		for f, want := range map[*follower]string{all: "1:shop:asleep>starting 2:shop:starting>ready", after: "2:shop:starting>ready"} {
			if got := parse(t, f); got != want {
				t.Errorf("missed: got %s, want %s", got, want)
			}
		}
		only := r.follows(t, "/api/v1/events?app=blog")
		r.wakesOnce("blog")
		r.wakesOnce("shop")
		if got, want := parse(t, after), "2:shop:starting>ready 3:blog:asleep>starting 4:blog:starting>ready"; got != want {
			t.Errorf("live: got %s, want %s", got, want)
		}
		if got, want := parse(t, only), "3:blog:asleep>starting 4:blog:starting>ready"; got != want {
			t.Errorf("of one app: got %s, want %s", got, want)
		}
		if !strings.Contains(after.text.String(), "id: "+id(4)+"\nevent: event\n") {
			t.Errorf("no id to go on with:\n%s", after.text.String())
		}
		pictures := strings.Join(only.told("app"), "\n")
		if !strings.Contains(pictures, `"name":"blog"`) || !strings.Contains(pictures, `"state":"ready"`) || strings.Contains(pictures, `"name":"shop"`) || strings.Contains(pictures, `"wakes"`) {
			t.Errorf("pictures of one app:\n%s", pictures)
		}
	})
}

// parse are the events that a follower was told.
func parse(t *testing.T, f *follower) string {
	t.Helper()
	w := httptest.NewRecorder()
	fmt.Fprintf(w, `{"events":[%s]}`, strings.Join(f.told("event"), ","))
	var got struct{ Events []eventDocument }
	decode(t, w, &got)
	return states(t, got.Events)
}

func TestAStreamTellsOfAnAppThatIsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		f := r.follows(t, "/api/v1/events")
		r.Remove("shop")
		time.Sleep(2 * time.Second)
		if got := strings.Join(f.told("gone"), ""); got != `{"name":"shop"}` {
			t.Errorf("got %q in\n%s", got, f.text.String())
		}
	})
}

func TestAStreamTellsTheTotalsEachFiveSecondsAtMostAndThatItLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		f := r.follows(t, "/api/v1/events")
		if got := f.told("totals"); len(got) != 1 || !strings.HasPrefix(got[0], `{"apps":1,"awake":0,"failed":0,`) {
			t.Errorf("at the beginning: %s", got)
		}
		time.Sleep(time.Minute)
		if n := len(f.told("totals")); n < 10 || n > 13 {
			t.Errorf("totals were told %d times in a minute", n)
		}
		if n := strings.Count(f.text.String(), ": \n\n"); n != 5 {
			t.Errorf("%d signs of life in a minute", n)
		}
	})
}

func TestBetweenItsWritesAStreamHasNoTimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		f := r.follows(t, "/api/v1/events")
		if f.limit.Load() != (time.Time{}).UnixNano() {
			t.Error("HTTP/2 ends a stream whose limit passes, though nothing is to be written")
		}
	})
}

func TestAStreamWithABadIDIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		if w := r.order("GET", "/api/v1/events", "Accept: text/event-stream", "Last-Event-ID: x"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "Last-Event-ID must be a number") {
			t.Errorf("got %s", told(w))
		}
	})
}

// pipes is a listener without sockets: they stand still in a bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

// overAPipe serves the room on a connection, and gives the end of it: it blocks until Serve
// has returned.
func (r *room) overAPipe(t *testing.T) (conn net.Conn, end func()) {
	t.Helper()
	ln := newPipes()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- r.Serve(ctx, ln) }()
	conn = ln.dial()
	t.Cleanup(func() { conn.Close() })
	return conn, func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve returned %v", err)
		}
	}
}

func TestAStreamOutlivesTheTimeLimitOfAnswersAndEndsWithPaastis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		conn, end := r.overAPipe(t)
		go fmt.Fprintf(conn, "GET /api/v1/events?app=shop HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n%s\r\n\r\n", bearer)
		lines := make(chan string, 10_000)
		go func() {
			defer close(lines)
			for in := bufio.NewScanner(conn); in.Scan(); {
				lines <- in.Text()
			}
		}()
		time.Sleep(10 * time.Minute)
		r.order("POST", "/api/v1/apps/shop/wake")
		time.Sleep(time.Minute)
		began := time.Now()
		end()
		if took := time.Since(began); took > time.Second {
			t.Errorf("the stream held up the end for %s", took)
		}
		var all strings.Builder
		for line := range lines {
			all.WriteString(line + "\n")
		}
		if !strings.HasPrefix(all.String(), "HTTP/1.1 200 OK\n") || !strings.Contains(all.String(), `"state":"ready"`) || !strings.Contains(all.String(), "\n0\n") {
			t.Errorf("the stream:\n%s", all.String())
		}
	})
}

func TestAQuestionAboutTheServerAsAWholeIsRefusedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t)
		for who, want := range map[string]string{"X-Nothing: at all": "HTTP/1.1 401 Unauthorized\r\n", bearer: "HTTP/1.1 404 Not Found\r\n"} {
			conn, end := r.overAPipe(t)
			fmt.Fprintf(conn, "OPTIONS * HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", who)
			if got, err := bufio.NewReader(conn).ReadString('\n'); got != want {
				t.Errorf("as %q: %q, %v", who, got, err)
			}
			end()
		}
	})
}

func TestAClientThatReadsNothingIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop"))
		conn, end := r.overAPipe(t)
		fmt.Fprintf(conn, "GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n%s\r\n\r\n", bearer)
		for in := bufio.NewScanner(conn); in.Scan() && in.Text() != ": "; {
		}
		time.Sleep(heartbeat + writeLimit + time.Second)
		if _, err := fmt.Fprint(conn, "x"); err == nil {
			t.Error("the connection is still open")
		}
		end()
	})
}
