package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
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

func TestAnAppTellsWhenItHadBooted(t *testing.T) {
	before := time.Now()
	w := httptest.NewRecorder()
	newShop("front", "").ServeHTTP(w, httptest.NewRequest("GET", "/since", nil))
	told, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(w.Body.String()))
	if err != nil || told.Before(before) || told.After(time.Now()) {
		t.Errorf("booted %q, which is not between %s and now: %v", w.Body, before, err)
	}
}

func TestAnAppThatIsToldToEndsWithItsCode(t *testing.T) {
	env := map[string]string{"BOOT": "1ms", "EXIT": "3"}
	if code := run(t.Context(), nil, func(k string) string { return env[k] }); code != 3 {
		t.Errorf("exit code %d", code)
	}
}

func TestAnAppRunsOnOnceItsExitFileIsGone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "exit")
	env := map[string]string{"BOOT": "1ms", "EXIT_FILE": file, "PORT": "0"}
	getenv := func(k string) string { return env[k] }
	if err := os.WriteFile(file, []byte("7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), nil, getenv); code != 7 {
		t.Errorf("exit code %d, want the file's", code)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if code, ends := exitCode(getenv); ends {
		t.Errorf("without the file it ends with %d", code)
	}
}

func TestAnAppTakesTheMemoryThatItIsToldTo(t *testing.T) {
	if err := eat("3MB"); err != nil || len(eaten) != 3_000_000 {
		t.Errorf("it took %d bytes: %v", len(eaten), err)
	}
	if eat("much") == nil {
		t.Error("it takes much without asking how much that is")
	}
	eaten = nil
}

func TestAWebSocketSendsBackWhatItGets(t *testing.T) {
	server := httptest.NewServer(newShop("front", ""))
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

func TestAShopWithALoginLetsOnlyThoseInWhoHaveIt(t *testing.T) {
	guarded := guard("ada:lovelace", newShop("login", ""))
	for name, c := range map[string]struct {
		path, user, password string
		want                 int
	}{
		"nobody":         {"/", "", "", http.StatusUnauthorized},
		"ada":            {"/", "ada", "lovelace", http.StatusOK},
		"a guess":        {"/", "ada", "byron", http.StatusUnauthorized},
		"a health check": {"/healthz", "", "", http.StatusOK},
	} {
		r, w := httptest.NewRequest("GET", c.path, nil), httptest.NewRecorder()
		if c.user != "" {
			r.SetBasicAuth(c.user, c.password)
		}
		guarded.ServeHTTP(w, r)
		if asks := w.Header().Get("WWW-Authenticate") != ""; w.Code != c.want || asks != (c.want == http.StatusUnauthorized) {
			t.Errorf("%s gets %d, asked for a login: %v; want %d", name, w.Code, asks, c.want)
		}
	}
	if got := get(guard("", newShop("front", ""))); got.Code != http.StatusOK {
		t.Errorf("without a login to give, a visitor gets %d", got.Code)
	}
}

func TestAWorkerListensNowhereAndAsksTheNextAppByItselfUntilItIsStopped(t *testing.T) {
	asked := make(chan struct{}, 100)
	queue := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		writeJSON(w, answer{Name: "queue"})
	}))
	defer queue.Close()
	env := map[string]string{"BOOT": "1ms", "PORT": "none", "NEXT": queue.URL, "EVERY": "1ms"}
	ctx, stop := context.WithCancel(t.Context())
	code := make(chan int)
	go func() { code <- run(ctx, nil, func(k string) string { return env[k] }) }()
	for range 3 {
		<-asked
	}
	stop()
	if got := <-code; got != 0 {
		t.Errorf("exit code %d", got)
	}
}

func TestAnAppAnswersAtAllItsPorts(t *testing.T) {
	first, second := freePort(t), freePort(t)
	env := map[string]string{"NAME": "vault", "BOOT": "1ms", "PORT": first, "ALSO": second}
	ctx, stop := context.WithCancel(t.Context())
	code := make(chan int)
	go func() { code <- run(ctx, nil, func(k string) string { return env[k] }) }()
	for _, port := range []string{first, second} {
		for healthcheck(t.Context(), port) != 0 {
			time.Sleep(time.Millisecond)
		}
	}
	stop()
	if got := <-code; got != 0 {
		t.Errorf("exit code %d", got)
	}
}

// freePort is a port that nobody listens on.
func freePort(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}

func get(h http.Handler) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w
}
