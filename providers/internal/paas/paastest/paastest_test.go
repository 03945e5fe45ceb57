package paastest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// platform is a handler with all of the package before it.
func platform(routes map[string]http.HandlerFunc) (http.RoundTripper, *Faults, *Calls) {
	mux := http.NewServeMux()
	for pattern, handler := range routes {
		mux.Handle(pattern, handler)
	}
	faults := NewFaults(mux)
	calls := NewCalls(faults, mux)
	return InProcess(calls), faults, calls
}

func app(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"apps":[{"name":"`+r.PathValue("name")+`","status":"running","amount":2}]}`)
}

// get returns what a call got, and how it ended.
func get(ctx context.Context, t http.RoundTripper, url string) (*http.Response, string, error) {
	request, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return nil, "", err
	}
	answer, err := t.RoundTrip(request)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, string(body), err
}

func TestHandlerIsCalledWithoutASocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("X-Seen", r.Host+" "+r.RequestURI+" "+r.Header.Get("Authorization")+" "+string(body))
			w.WriteHeader(http.StatusAccepted)
		}))
		request, _ := http.NewRequest("POST", "https://api.example.com/v1/x?y=1", strings.NewReader("amount=2"))
		request.Header.Set("Authorization", "Bearer t")
		answer, err := transport.RoundTrip(request)
		if err != nil || answer.StatusCode != 202 || answer.Header.Get("X-Seen") != "api.example.com /v1/x?y=1 Bearer t amount=2" {
			t.Fatalf("%+v, %v", answer, err)
		}
		if date, err := http.ParseTime(answer.Header.Get("Date")); err != nil || time.Since(date) > time.Second {
			t.Errorf("date %q is not the bubble's", answer.Header.Get("Date"))
		}
		answer.Body.Close()
	})
}

func TestAnswerStreamsAndEndsWithItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		transport := InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "first\n")
			<-r.Context().Done()
			ended = true
		}))
		request, _ := http.NewRequest("GET", "http://x/", nil)
		answer, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 6)
		if _, err := io.ReadFull(answer.Body, line); err != nil || string(line) != "first\n" {
			t.Fatalf("%q, %v", line, err)
		}
		answer.Body.Close()
		synctest.Wait()
		if !ended {
			t.Error("the handler was not told that nobody reads any more")
		}
	})
}

func TestCallEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, faults, _ := platform(map[string]http.HandlerFunc{"GET /{name}": app})
		faults.Add(Fault{Hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		_, _, err := get(ctx, transport, "http://x/shop")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

func TestFaultsAreOfTheirRouteAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, faults, calls := platform(map[string]http.HandlerFunc{"GET /apps/{name}": app, "GET /events": app})
		status := func(path string) int {
			answer, _, err := get(t.Context(), transport, "http://x"+path)
			if err != nil {
				return 0
			}
			return answer.StatusCode
		}
		faults.Add(Fault{Route: "GET /apps/{name}", Times: 2, Status: 429, Body: "Retry later"})
		for i, want := range []int{429, 429, 200} {
			if got := status("/apps/shop"); got != want {
				t.Errorf("call %d: %d, not %d", i, got, want)
			}
		}
		faults.Add(Fault{For: time.Minute, Down: true})
		if _, _, err := get(t.Context(), transport, "http://x/events"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("down: %v", err)
		}
		time.Sleep(time.Minute)
		if got := status("/events"); got != 200 {
			t.Errorf("after the minute: %d", got)
		}
		remove := faults.Add(Fault{Status: 503})
		if got := status("/events"); got != 503 {
			t.Errorf("while it lasts: %d", got)
		}
		remove()
		if got := status("/events"); got != 200 {
			t.Errorf("once it is removed: %d", got)
		}
		if calls.Of("GET /apps/{name}") != 3 || calls.Of() != 7 || calls.Peak() != 4 || len(calls.Minutes()) != 2 {
			t.Errorf("counted %d, %d, at most %d, in %d minutes", calls.Of("GET /apps/{name}"), calls.Of(), calls.Peak(), len(calls.Minutes()))
		}
		if log := calls.Log(); log[0].Status != 429 || log[3].Status != 0 || log[6].Status != 200 {
			t.Errorf("%+v", log)
		}
	})
}

func TestOrderIsCarriedOutThoughItsAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := 0
		transport, faults, _ := platform(map[string]http.HandlerFunc{"GET /{name}": func(w http.ResponseWriter, r *http.Request) {
			done++
			app(w, r)
		}})
		faults.Add(Fault{Times: 1, Lost: true})
		faults.Add(Fault{Times: 1, Cut: true})
		faults.Add(Fault{Times: 1, Late: time.Hour})
		if _, _, err := get(t.Context(), transport, "http://x/shop"); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("lost: %v", err)
		}
		if _, body, err := get(t.Context(), transport, "http://x/shop"); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(body, `{"apps":[`) {
			t.Errorf("cut: %q, %v", body, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := get(ctx, transport, "http://x/shop"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("late: %v", err)
		}
		if done != 3 {
			t.Errorf("carried out %d times", done)
		}
	})
}

func TestAnswersAreChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, faults, _ := platform(map[string]http.HandlerFunc{"GET /{name}": app})
		for want, change := range map[string]func(any) any{
			`{"amount":9,"apps":[{"amount":2,"name":"shop","new":1,"status":"running"}],"new":1}`: AddFields(map[string]any{"new": 1, "amount": 9}),
			`{"apps":[{"amount":"changed","name":"shop","status":"running"}]}`:                    Retype("amount"),
			`{"apps":[{"amount":2,"name":{"value":"shop"},"status":"running"}]}`:                  Retype("name"),
			`{"apps":"changed"}`:                                          Retype("apps"),
			`{"apps":[{"amount":2,"name":"shop"}]}`:                       Drop("status"),
			`{"apps":[{"amount":2,"name":"shop","status":"hibernated"}]}`: Replace("status", "hibernated"),
		} {
			remove := faults.Add(Fault{Change: change, ContentType: "text/html", Skew: time.Hour})
			answer, body, err := get(t.Context(), transport, "http://x/shop")
			if got := canonical(body); err != nil || got != want {
				t.Errorf("%s, not %s (%v)", got, want, err)
			}
			date, _ := http.ParseTime(answer.Header.Get("Date"))
			if answer.Header.Get("Content-Type") != "text/html" || time.Until(date) < 59*time.Minute {
				t.Errorf("header %v", answer.Header)
			}
			remove()
		}
	})
}

func canonical(body string) string {
	var value any
	_ = json.Unmarshal([]byte(body), &value)
	text, _ := json.Marshal(value)
	return string(text)
}

func TestWebSocketsWorkInProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, _, calls := platform(map[string]http.HandlerFunc{"GET /events": func(w http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			_, said, err := conn.Read(r.Context())
			if err != nil {
				t.Error(err)
			}
			_ = conn.Write(r.Context(), websocket.MessageText, append([]byte("heard "), said...))
			_ = conn.Close(websocket.StatusNormalClosure, "")
		}})
		conn, _, err := websocket.Dial(t.Context(), "ws://x/events", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, heard, err := conn.Read(t.Context()); err != nil || string(heard) != "heard hello" {
			t.Errorf("%q, %v", heard, err)
		}
		_, _, err = conn.Read(t.Context())
		if websocket.CloseStatus(err) != websocket.StatusNormalClosure {
			t.Errorf("the end: %v", err)
		}
		synctest.Wait() // for the handler, whose end it is that is noted
		if log := calls.Log(); log[0].Status != 101 {
			t.Errorf("%+v", log)
		}
	})
}
