package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestTheFrontsAnswerProvesThatItReachedBackAndDatabase(t *testing.T) {
	db := httptest.NewServer(New("db", "", nil))
	defer db.Close()
	back := httptest.NewServer(New("back", db.URL, nil))
	defer back.Close()
	if got := get(New("front", back.URL, nil)); got.Code != http.StatusOK ||
		strings.TrimSpace(got.Body.String()) != `{"name":"front","answers":1,"next":{"name":"back","answers":1,"next":{"name":"db","answers":1}}}` {
		t.Errorf("answer: %d %s", got.Code, got.Body)
	}
	db.Close()
	if got := get(New("front", back.URL, nil)); got.Code != http.StatusBadGateway {
		t.Errorf("without its database the front answers %d %s", got.Code, got.Body)
	}
}

func TestEchoTellsWhatArrived(t *testing.T) {
	w := httptest.NewRecorder()
	New("front", "", nil).ServeHTTP(w, httptest.NewRequest("POST", "/echo", strings.NewReader("hello")))
	body, _ := io.ReadAll(w.Body)
	if !strings.Contains(string(body), `"length":5`) || !strings.Contains(string(body), "2cf24dba5fb0a30e") {
		t.Errorf("echo: %s", body)
	}
}

func TestAnAppTellsWhenItHadBooted(t *testing.T) {
	before := time.Now()
	w := httptest.NewRecorder()
	New("front", "", nil).ServeHTTP(w, httptest.NewRequest("GET", "/since", nil))
	told, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(w.Body.String()))
	if err != nil || told.Before(before) || told.After(time.Now()) {
		t.Errorf("booted %q, which is not between %s and now: %v", w.Body, before, err)
	}
}

func TestAWebSocketSendsBackWhatItGets(t *testing.T) {
	server := httptest.NewServer(New("front", "", nil))
	defer server.Close()
	conn, _, err := websocket.Dial(t.Context(), server.URL+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	for _, said := range []string{"hello", "still there?"} {
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(said)); err != nil {
			t.Fatal(err)
		}
		if _, heard, err := conn.Read(t.Context()); err != nil || string(heard) != said {
			t.Errorf("of %q came back %q, %v", said, heard, err)
		}
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}

func get(h http.Handler) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w
}
