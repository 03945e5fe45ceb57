package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTheFrontsAnswerProvesThatItReachedBackAndDatabase(t *testing.T) {
	db := httptest.NewServer(newShop("db", ""))
	defer db.Close()
	back := httptest.NewServer(newShop("back", db.URL))
	defer back.Close()
	if got := get(newShop("front", back.URL)); got.Code != http.StatusOK ||
		strings.TrimSpace(got.Body.String()) != `{"name":"front","answers":1,"next":{"name":"back","answers":1,"next":{"name":"db","answers":1}}}` {
		t.Errorf("answer: %d %s", got.Code, got.Body)
	}
	db.Close()
	if got := get(newShop("front", back.URL)); got.Code != http.StatusBadGateway {
		t.Errorf("without its database the front answers %d %s", got.Code, got.Body)
	}
}

func TestEchoTellsWhatArrived(t *testing.T) {
	w := httptest.NewRecorder()
	newShop("front", "").ServeHTTP(w, httptest.NewRequest("POST", "/echo", strings.NewReader("hello")))
	body, _ := io.ReadAll(w.Body)
	if !strings.Contains(string(body), `"length":5`) || !strings.Contains(string(body), "2cf24dba5fb0a30e") {
		t.Errorf("echo: %s", body)
	}
}

func TestAnAppThatIsToldToEndsWithItsCode(t *testing.T) {
	env := map[string]string{"BOOT": "1ms", "EXIT": "3"}
	if code := run(t.Context(), nil, func(k string) string { return env[k] }); code != 3 {
		t.Errorf("exit code %d", code)
	}
}

func get(h http.Handler) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w
}
