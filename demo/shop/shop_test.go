package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/paastis/paastis/demo/app"
)

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

func TestAShopWithALoginLetsOnlyThoseInWhoHaveIt(t *testing.T) {
	guarded := guard("ada:lovelace", app.New("login", "", nil))
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
	if got := get(guard("", app.New("front", "", nil))); got.Code != http.StatusOK {
		t.Errorf("without a login to give, a visitor gets %d", got.Code)
	}
}

func TestAWorkerListensNowhereAndAsksTheNextAppByItselfUntilItIsStopped(t *testing.T) {
	asked := make(chan struct{}, 100)
	queue := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		fmt.Fprintln(w, `{"name":"queue"}`)
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
