package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// socketTo is a program that wants a WebSocket.
func socketTo(host, app string) call {
	return call{method: "GET", host: host, path: "/ws", app: app, header: []string{"Sec-WebSocket-Key: x"}}
}

// socket opens a WebSocket. It follows a 307 by hand, and comes again when it is told
// to. Nil if there was none in time; that is counted as wrong.
func (v *visitors) socket(host, app string, limit time.Duration) *websocket.Conn {
	c, began := socketTo(host, app), time.Now()
	for time.Since(began) < limit {
		asked := time.Now()
		conn, resp, err := websocket.Dial(context.Background(), c.url(), &websocket.DialOptions{HTTPClient: v.patient()})
		if err == nil {
			v.count(fromApp)
			return conn
		}
		a := answer{took: time.Since(asked)}
		if resp != nil {
			body := make([]byte, 4096)
			n, _ := resp.Body.Read(body)
			a, err = answer{status: resp.StatusCode, header: resp.Header, body: string(body[:n]), took: a.took}, nil
		}
		switch k := c.classify(a, err); k {
		case again:
			v.count(k)
		case problem:
			v.count(k)
			time.Sleep(time.Second)
		default:
			v.blame(mishap{began: asked, ended: time.Now(), call: c, got: a, err: err})
			time.Sleep(time.Second)
		}
	}
	v.blame(mishap{began: began, ended: time.Now(), call: c, why: "no WebSocket ever opened"})
	return nil
}

// patient is the visitors' client without a limit to what it waits for.
func (v *visitors) patient() *http.Client {
	c := *v.client
	c.Timeout = 0
	return &c
}

// converse sends messages over a WebSocket, one each interval, until it has done so for
// a time, and then once more; each has to come back. Any cut is counted as wrong.
func (v *visitors) converse(host, app string, interval, how time.Duration) {
	conn := v.socket(host, app, time.Minute)
	if conn == nil {
		return
	}
	defer conn.CloseNow()
	began := time.Now()
	for n := 0; ; n++ {
		if err := echoed(conn, fmt.Sprintf("message %d", n)); err != nil {
			v.blame(mishap{began: began, ended: time.Now(), call: socketTo(host, app), err: err,
				why: fmt.Sprintf("the WebSocket was cut after %s", time.Since(began))})
			return
		}
		left := how - time.Since(began)
		if left <= 0 {
			break
		}
		time.Sleep(min(interval, left))
	}
	_ = conn.Close(websocket.StatusNormalClosure, "")
}

// echoed sends a message and wants it back.
func echoed(conn *websocket.Conn, said string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, []byte(said)); err != nil {
		return err
	}
	_, heard, err := conn.Read(ctx)
	if err == nil && string(heard) != said {
		err = fmt.Errorf("of %q came back %q", said, heard)
	}
	return err
}

// listen reads an event stream for a time. Any cut, and any event that is missing, is
// counted as wrong.
func (v *visitors) listen(host, app string, how time.Duration) {
	c := call{method: "GET", host: host, path: "/stream", app: app, header: []string{"Accept: text/event-stream"}}
	ctx, leave := context.WithTimeout(context.Background(), how)
	defer leave()
	req, err := http.NewRequestWithContext(ctx, c.method, c.url(), nil)
	if err != nil {
		v.site.t.Error(err)
		return
	}
	req.Header.Set("Accept", "text/event-stream")
	began := time.Now()
	resp, err := v.patient().Do(req)
	if err != nil {
		v.blame(mishap{began: began, ended: time.Now(), call: c, err: err})
		return
	}
	defer resp.Body.Close()
	next := 0
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if lines.Text() == fmt.Sprintf("data: %d", next) {
			next++
		} else if lines.Text() != "" {
			v.blame(mishap{began: began, ended: time.Now(), call: c, got: answer{status: resp.StatusCode, header: resp.Header},
				why: fmt.Sprintf("got %q instead of event %d", lines.Text(), next)})
			return
		}
	}
	if ctx.Err() == nil || next < int(how/time.Second)-1 {
		v.blame(mishap{began: began, ended: time.Now(), call: c, err: lines.Err(),
			why: fmt.Sprintf("the stream ended after %d events", next)})
		return
	}
	v.count(fromApp)
}

// download is a program's slow download.
func download(host, app string, seconds, rate int) call {
	return call{method: "GET", host: host, path: fmt.Sprintf("/slow?seconds=%d&rate=%d", seconds, rate), app: app,
		header: []string{"Accept: */*"}, bytes: seconds * 10 * (rate / 10)}
}

// isWhole tells that a download came to its end.
func (c call) isWhole(a answer) bool {
	return len(a.body) == c.bytes && strings.Trim(a.body, "\x00") == ""
}
