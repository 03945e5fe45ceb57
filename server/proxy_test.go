package server

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/server/problem"
)

// echoing is an app that tells how a request came.
func echoing(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s %s\n", r.Method, r.RequestURI, r.Host)
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server", "X-Real-Ip", "Forwarded", "User-Agent", "Accept-Encoding", "Cookie", "Te"} {
		for _, value := range r.Header[name] {
			fmt.Fprintf(w, "%s: %s\n", name, value)
		}
	}
}

func TestRequestReachesTheAppAsTheVisitorSentIt(t *testing.T) {
	s := onSockets(t, behind(t, echoing).Awake())
	for _, path := range []string{
		"/", "/a/b", "/a/b/", "//", "//a//b", "/a%2Fb", "/a%2fb%20c", "/%7Euser/~user", "/a/../b/./c", "/%2e%2e/b",
		"/?", "/?a", "/?a=b&c=d", "/?a;b=c;d", "/?q=%zz&r=%", "/?q=a+b%20c", "/a;v=1/b?x", "/[a]/(b)!$&'*,=:@",
		"/.paastis/shop/", "/%C3%A4?%C3%A4", "/.paastis/shop*",
	} {
		got := read(t, do(t, s.to("GET", path, nil)).Body)
		if line, _, _ := strings.Cut(got, "\n"); line != "GET "+path+" shop.test" {
			t.Errorf("%s arrives as %q", path, line)
		}
	}
	headers := []string{
		"X-Forwarded-For: 203.0.113.7, 10.0.0.9", "X-Forwarded-Host: shop.test", "X-Forwarded-Proto: https", "X-Forwarded-Port: 443",
		"X-Forwarded-Server: traefik", "X-Real-Ip: 203.0.113.7", "Forwarded: for=203.0.113.7", "User-Agent: test/1", "Accept-Encoding: zstd",
		"Cookie: a=b; c=d", "Te: trailers",
	}
	got := read(t, do(t, s.to("PATCH", "/x", nil, headers...)).Body)
	if want := "PATCH /x shop.test\n" + strings.Join(headers, "\n") + "\n"; got != want {
		t.Errorf("arrives as\n%swant\n%s", got, want)
	}
	if got := read(t, do(t, s.to("GET", "/", nil, "User-Agent: ")).Body); got != "GET / shop.test\n" {
		t.Errorf("a bare request arrives as\n%s", got)
	}
	if got := read(t, do(t, s.to("OPTIONS", "*", nil, "User-Agent: ")).Body); got != "OPTIONS * shop.test\n" {
		t.Errorf("OPTIONS * arrives as\n%s", got)
	}
}

func TestAnswerReachesTheVisitorAsTheAppSentIt(t *testing.T) {
	s := onSockets(t, behind(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Date"], h["Content-Type"] = nil, nil
		h.Add("Set-Cookie", "a=b")
		h.Add("Set-Cookie", "c=d")
		h.Set("Location", "/elsewhere")
		h.Set("Link", "</style.css>")
		w.WriteHeader(http.StatusEarlyHints)
		h.Set("X-App", "1")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "<html>tea")
	}).Awake())
	resp := do(t, s.to("GET", "/", nil))
	if resp.StatusCode != http.StatusTeapot || read(t, resp.Body) != "<html>tea" {
		t.Errorf("%d", resp.StatusCode)
	}
	h := resp.Header
	if h["Date"] != nil || h["Content-Type"] != nil || len(h["Set-Cookie"]) != 2 || h.Get("Location") != "/elsewhere" || h.Get("X-App") != "1" {
		t.Errorf("headers %v", h)
	}
	if h.Get(problem.StateHeader) != "" || h.Get("Cache-Control") != "" {
		t.Errorf("it is the app's answer: %v", h)
	}
}

// chatting answers each line at once, while more come.
func chatting(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	_ = rc.EnableFullDuplex()
	w.WriteHeader(http.StatusOK)
	_ = rc.Flush()
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		fmt.Fprintf(w, "you said %s\n", lines.Text())
		_ = rc.Flush()
	}
}

func TestBothSidesStreamAtTheSameTime(t *testing.T) {
	s := onSockets(t, behind(t, chatting))
	body, mouth := io.Pipe()
	resp := do(t, s.to("POST", "/chat", body))
	for i := range 100 {
		word := fmt.Sprintf("%d %s", i, strings.Repeat("x", i*100))
		if _, err := io.WriteString(mouth, word+"\n"); err != nil {
			t.Fatal(err)
		}
		if got := readLine(t, resp.Body); got != "you said "+word {
			t.Fatalf("got %q to %q", got, word)
		}
	}
	if s.using("shop") != 1 {
		t.Errorf("%d requests on their way", s.using("shop"))
	}
	mouth.Close()
	if got := read(t, resp.Body); got != "" {
		t.Errorf("and %q", got)
	}
	soon(t, "nothing is on its way", func() bool { return s.using("shop") == 0 })
}

// summing answers with what it got.
func summing(w http.ResponseWriter, r *http.Request) {
	h := sha256.New()
	n, err := io.Copy(h, r.Body)
	fmt.Fprintf(w, "%d %v %x", n, err, h.Sum(nil))
}

func TestHeldBodyArrivesWholeAndIsKeptNowhere(t *testing.T) {
	app := behind(t, summing)
	app.Boot = 500 * time.Millisecond
	s := onSockets(t, app)
	const size = 50 << 20
	for _, length := range []int64{-1, size} {
		sum := sha256.New()
		r := s.to("POST", "/upload", io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{1}), size), sum))
		r.ContentLength = length
		most := watchMemory(t)
		got := read(t, do(t, r).Body)
		if want := fmt.Sprintf("%d <nil> %x", size, sum.Sum(nil)); got != want {
			t.Errorf("the app got %s, want %s", got, want)
		}
		if mb := most() >> 20; mb > 30 {
			t.Errorf("%d MB more in memory", mb)
		}
	}
}

// watchMemory begins to look at how much is allocated; the result ends it and tells how
// many bytes that grew at most.
func watchMemory(t *testing.T) func() int64 {
	t.Helper()
	runtime.GC()
	allocated := func() int64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapInuse)
	}
	began, most := allocated(), make(chan int64)
	ctx, end := context.WithCancel(t.Context())
	go func() {
		var grew int64
		for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
			grew = max(grew, allocated()-began)
		}
		most <- grew
	}()
	return func() int64 { end(); return <-most }
}

func TestBodyIsAskedForOnlyOnceTheAppIsReady(t *testing.T) {
	t.Parallel()
	app := behind(t, summing)
	app.Boot = 300 * time.Millisecond
	s := onSockets(t, app)
	var asked atomic.Bool
	body := readerFunc(func(p []byte) (int, error) {
		if !asked.Swap(true) && s.view("shop").State != registry.Ready {
			t.Errorf("asked for while the app is %s", s.view("shop").State)
		}
		return 0, io.EOF
	})
	r := s.to("POST", "/", io.MultiReader(body, strings.NewReader("hello")), "Expect: 100-continue")
	if got, want := read(t, do(t, r).Body), fmt.Sprintf("5 <nil> %x", sha256.Sum256([]byte("hello"))); got != want {
		t.Errorf("the app got %s", got)
	}
	if !asked.Load() {
		t.Error("never asked for")
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestBodyThatTheAppDoesNotWantIsNeverSent(t *testing.T) {
	s := onSockets(t, behind(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	}).Awake())
	body := readerFunc(func([]byte) (int, error) { t.Error("asked for"); return 0, io.EOF })
	if resp := do(t, s.to("POST", "/", body, "Expect: 100-continue")); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", resp.StatusCode)
	}
}

func TestAnswerBeforeTheEndOfABodyHarmsNoLaterRequest(t *testing.T) {
	t.Parallel()
	s := onSockets(t, behind(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 10 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		summing(w, r)
	}).Awake())
	client := &http.Client{Transport: &http.Transport{}} // it keeps connections, as Traefik does
	defer client.CloseIdleConnections()
	for i := range 50 {
		for _, body := range []string{strings.Repeat("x", i*20_000+11), "short"} {
			resp, err := client.Do(s.to("POST", "/", strings.NewReader(body)))
			if err != nil {
				if len(body) > 10 && i > 0 {
					continue // it was told 401 while it still sent
				}
				t.Fatalf("after %d rounds, %d bytes: %v", i, len(body), err)
			}
			if want := map[bool]int{true: 401, false: 200}[len(body) > 10]; resp.StatusCode != want {
				t.Errorf("%d bytes: %d", len(body), resp.StatusCode)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}
}

func TestTrailersGoBothWays(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "h2c"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			s := onSockets(t, speaking(t, scheme, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Trailer", "X-Announced")
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(w, "body")
				w.Header().Set("X-Announced", r.Trailer.Get("X-Sum"))
				w.Header().Set(http.TrailerPrefix+"X-Late", "late")
			}))
			r := s.to("POST", "/", nil, "Te: trailers")
			r.Trailer = http.Header{"X-Sum": nil}
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("body"), readerFunc(func([]byte) (int, error) {
				r.Trailer.Set("X-Sum", "1234")
				return 0, io.EOF
			})))
			r.ContentLength = -1
			resp := do(t, r)
			if got := read(t, resp.Body); got != "body" {
				t.Errorf("body %q", got)
			}
			if got := resp.Trailer; got.Get("X-Announced") != "1234" || got.Get("X-Late") != "late" {
				t.Errorf("trailers %v", got)
			}
		})
	}
}

// speaking is an app that speaks http, https or h2c.
func speaking(t *testing.T, scheme string, h http.HandlerFunc) *registrytest.App {
	t.Helper()
	app := httptest.NewUnstartedServer(h)
	app.Config.ErrorLog = nil
	t.Cleanup(app.Close)
	switch scheme {
	case "https":
		app.EnableHTTP2 = true
		app.StartTLS()
	case "h2c":
		app.Config.Protocols = new(http.Protocols)
		app.Config.Protocols.SetUnencryptedHTTP2(true)
		app.Start()
	default:
		app.Start()
	}
	return speaks(at(app.Listener.Addr()), scheme)
}

func TestAppsAreSpokenToAsTheirLabelsSay(t *testing.T) {
	t.Parallel()
	tell := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %t %s %s", r.Proto, r.TLS != nil, r.Host, r.RequestURI)
	}
	for scheme, want := range map[string]string{
		"http":  "HTTP/1.1 false shop.test /a//b?c;d",
		"https": "HTTP/2.0 true shop.test /a//b?c;d",
		"h2c":   "HTTP/2.0 false shop.test /a//b?c;d",
	} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			s := onSockets(t, speaking(t, scheme, tell))
			for range 3 {
				if got := read(t, do(t, s.to("GET", "/a//b?c;d", nil)).Body); got != want {
					t.Errorf("got %q", got)
				}
			}
		})
	}
}

func TestTraefikMaySpeakHTTP2WithoutTLS(t *testing.T) {
	t.Parallel()
	app := speaking(t, "h2c", chatting)
	app.Boot = 300 * time.Millisecond
	s := onSockets(t, app)
	var two http.Protocols
	two.SetUnencryptedHTTP2(true)
	traefik := &http.Client{Transport: &http.Transport{Protocols: &two}}
	defer traefik.CloseIdleConnections()
	body, mouth := io.Pipe()
	r := s.to("POST", "/chat", body)
	r.URL.Opaque, r.URL.Path = "", "/.paastis/"+registrytest.Mark("shop")+"/chat"
	resp, err := traefik.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Fprintln(mouth, "hello")
	if got := readLine(t, resp.Body); got != "you said hello" || resp.ProtoMajor != 2 {
		t.Errorf("%s: %q", resp.Proto, got)
	}
	mouth.Close()
	read(t, resp.Body)
}

func TestWebSocketIsHeldUntilItsAppIsReady(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			gone := newFlag()
			app := speaking(t, scheme, func(w http.ResponseWriter, r *http.Request) {
				defer gone.raise()
				c, err := websocket.Accept(w, r, nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = c.CloseNow() }()
				for {
					kind, text, err := c.Read(context.Background())
					if err != nil {
						return
					}
					_ = c.Write(context.Background(), kind, append([]byte("you said "), text...))
				}
			})
			app.Boot = 300 * time.Millisecond
			s := onSockets(t, app)
			c, resp, err := websocket.Dial(t.Context(), s.url+"/.paastis/"+registrytest.Mark("shop")+"/chat", &websocket.DialOptions{Host: "shop.test"})
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != http.StatusSwitchingProtocols {
				t.Errorf("%d", resp.StatusCode)
			}
			for _, word := range []string{"hello", "there"} {
				if err := c.Write(t.Context(), websocket.MessageText, []byte(word)); err != nil {
					t.Fatal(err)
				}
				if _, text, err := c.Read(t.Context()); err != nil || string(text) != "you said "+word {
					t.Errorf("%q, %v", text, err)
				}
			}
			if n := s.using("shop"); n != 1 {
				t.Errorf("%d requests on their way", n)
			}
			_ = c.CloseNow()
			gone.is(t, "the app has seen that the visitor left")
			soon(t, "nothing is on its way", func() bool { return s.using("shop") == 0 })
		})
	}
}

func TestWebSocketEndsWithItsVisitorThoughTheAppDoesNotNotice(t *testing.T) {
	t.Parallel()
	leave := newFlag()
	of := begin(t, behind(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err == nil {
			defer func() { _ = c.CloseNow() }()
			<-leave.raised // it never reads
		}
	}))
	of.direct.proxy.farewell = 200 * time.Millisecond
	s := serving(t, of)
	t.Cleanup(leave.raise)
	c, _, err := websocket.Dial(t.Context(), s.url+"/.paastis/"+registrytest.Mark("shop")+"/chat", &websocket.DialOptions{Host: "shop.test"})
	if err != nil {
		t.Fatal(err)
	}
	if n := s.using("shop"); n != 1 {
		t.Errorf("%d requests on their way", n)
	}
	_ = c.CloseNow()
	soon(t, "nothing is on its way", func() bool { return s.using("shop") == 0 })
}

func TestVisitorWhoLeavesIsSeenByTheApp(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{"a download": nil, "events": {"Accept: text/event-stream"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gone := newFlag()
			s := onSockets(t, behind(t, func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintln(w, "first")
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
				gone.raise()
			}))
			ctx, leave := context.WithCancel(t.Context())
			resp := do(t, s.to("GET", "/", nil, lines...).WithContext(ctx))
			if got := readLine(t, resp.Body); got != "first" {
				t.Errorf("got %q", got)
			}
			leave()
			gone.is(t, "the app has seen that the visitor left")
			soon(t, "nothing is on its way", func() bool { return s.using("shop") == 0 })
		})
	}
}

func TestVisitorWhoLeavesBeforeTheAnswerIsSeenByTheApp(t *testing.T) {
	t.Parallel()
	came, gone := newFlag(), newFlag()
	s := onSockets(t, behind(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		came.raise()
		<-r.Context().Done()
		gone.raise()
	}))
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		came.is(t, "the app has the request")
		leave()
	}()
	if _, err := visitor().Do(s.to("POST", "/", strings.NewReader("body")).WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("the visitor got %v", err)
	}
	gone.is(t, "the app has seen that the visitor left")
	soon(t, "nothing is on its way", func() bool { return s.using("shop") == 0 })
}

// later is an address at which nobody listens until open is called. It is on an IP address where
// no other test is given a port meanwhile, if the machine has one.
func later(t *testing.T, h http.HandlerFunc) (address net.Addr, open func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		ln, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	address = ln.Addr()
	ln.Close()
	return address, func() {
		ln, err := net.Listen("tcp", address.String())
		if err != nil {
			t.Error(err)
			return
		}
		app := &httptest.Server{Listener: ln, Config: &http.Server{Handler: h}}
		app.Start()
		t.Cleanup(app.Close)
	}
}

func TestVisitorsDoNotSeeThatAReadyAppDoesNotListenYet(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{"a person": {browser}, "a program": {"Content-Type: text/plain"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, open := later(t, summing)
			s := onSockets(t, at(address).Awake())
			time.AfterFunc(500*time.Millisecond, open)
			method := map[bool]string{true: "GET", false: "POST"}[lines[0] == browser]
			resp := do(t, s.to(method, "/", strings.NewReader("hello"), lines...))
			if got, want := read(t, resp.Body), fmt.Sprintf("5 <nil> %x", sha256.Sum256([]byte("hello"))); got != want {
				t.Errorf("%d %s", resp.StatusCode, got)
			}
		})
	}
}

func TestRequestThatFoundItsAppGoneIsHeldAgain(t *testing.T) {
	t.Parallel()
	address, open := later(t, summing)
	s := onSockets(t, at(address).Awake())
	time.AfterFunc(300*time.Millisecond, func() { // somebody stops it
		s.Become("shop", inventory.Instance{})
		open()
	})
	resp := do(t, s.to("POST", "/", strings.NewReader("hello")))
	if got, want := read(t, resp.Body), fmt.Sprintf("5 <nil> %x", sha256.Sum256([]byte("hello"))); got != want {
		t.Errorf("%d %s", resp.StatusCode, got)
	}
	if got := s.Took(); got != "start shop" {
		t.Errorf("orders %s", got)
	}
}

func TestAppThatAcceptsNoConnectionIsSaidTo(t *testing.T) {
	t.Parallel()
	address, _ := later(t, summing)
	s := onSockets(t, at(address).Awake().Label("paastis.direct_hold_timeout", "300ms"))
	for kind, lines := range map[string][]string{"a program": nil, "a monitor": {"User-Agent: Pingdom"}} {
		resp := do(t, s.to("GET", "/", nil, lines...))
		if got := read(t, resp.Body); resp.StatusCode != 502 || !strings.Contains(got, "does not accept connections") || strings.Contains(got, "127.0.0.") {
			t.Errorf("%s gets %d: %s", kind, resp.StatusCode, got)
		}
		if h := resp.Header; h.Get(problem.StateHeader) != "ready" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", h)
		}
	}
}

func TestAppThatBreaksOffIsSaidToOrSeen(t *testing.T) {
	t.Parallel()
	s := onSockets(t, behind(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/half" {
			fmt.Fprintln(w, "half")
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	}))
	resp := do(t, s.to("POST", "/", strings.NewReader("hello")))
	if got := read(t, resp.Body); resp.StatusCode != 502 || !strings.Contains(got, "broke off") {
		t.Errorf("%d: %s", resp.StatusCode, got)
	}
	if h := resp.Header; h.Get(problem.StateHeader) != "ready" || h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/problem+json" || h.Get("Date") == "" {
		t.Errorf("headers %v", h)
	}
	resp = do(t, s.to("GET", "/half", nil))
	if text, err := io.ReadAll(resp.Body); err == nil || string(text) != "half\n" {
		t.Errorf("%q looks whole", text)
	}
	soon(t, "nothing is on its way", func() bool { return s.using("shop") == 0 })
	if s.log.count("panic") != 0 {
		t.Error("that is no mistake of Paastis's")
	}
}

func TestNoLimitOfForwardAuthsCutsALongAnswer(t *testing.T) {
	t.Parallel()
	app := behind(t, func(w http.ResponseWriter, r *http.Request) {
		for i := range 8 {
			fmt.Fprintln(w, i)
			_ = http.NewResponseController(w).Flush()
			time.Sleep(50 * time.Millisecond)
		}
	})
	app.Boot = 400 * time.Millisecond
	of := begin(t, app)
	of.writeLimit = 100 * time.Millisecond
	s := serving(t, of)
	poll := read(t, do(t, s.to("GET", "/", nil, "X-Paastis-Poll: 1")).Body)
	shows := regexp.MustCompile(`data-poll="(.*?)"`).FindStringSubmatch(poll)[1]
	if got := do(t, s.to("GET", "/", nil, "X-Paastis-Poll: "+shows)).Header.Get(problem.StateHeader); got != "ready" {
		t.Errorf("the held poll got %q", got)
	}
	if got := strings.Fields(read(t, do(t, s.to("GET", "/", nil)).Body)); len(got) != 8 {
		t.Errorf("got %q", got)
	}
}

func TestEndOfTheServerWaitsForAnswersAndCutsWhatGoesOn(t *testing.T) {
	app := behind(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			c, err := websocket.Accept(w, r, nil)
			if err == nil {
				_, _, _ = c.Read(context.Background())
				_ = c.CloseNow()
			}
			return
		}
		fmt.Fprintln(w, "first")
		_ = http.NewResponseController(w).Flush()
		if r.URL.Path == "/short" {
			time.Sleep(200 * time.Millisecond)
			fmt.Fprintln(w, "last")
			return
		}
		<-r.Context().Done()
	})
	of := begin(t, app)
	of.drainLimit = 500 * time.Millisecond
	s := serving(t, of)
	short, long := do(t, s.to("GET", "/short", nil)), do(t, s.to("GET", "/long", nil))
	c, _, err := websocket.Dial(t.Context(), s.url+"/.paastis/"+registrytest.Mark("shop")+"/chat", &websocket.DialOptions{Host: "shop.test"})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	go s.end()
	if got := read(t, short.Body); got != "first\nlast\n" {
		t.Errorf("the short answer is %q", got)
	}
	if _, err := io.ReadAll(long.Body); err == nil {
		t.Error("the long answer looks whole")
	}
	if _, _, err := c.Read(t.Context()); err == nil {
		t.Error("the WebSocket goes on")
	}
	s.end()
	if took := time.Since(began); took < 400*time.Millisecond || took > 3*time.Second {
		t.Errorf("the server ended after %s", took)
	}
	if n := s.using("shop"); n != 0 {
		t.Errorf("%d requests on their way", n)
	}
	soon(t, "nothing of it runs any more", func() bool {
		stacks := make([]byte, 1<<20)
		running := string(stacks[:runtime.Stack(stacks, true)])
		return !strings.Contains(running, "server.(*Server)") && !strings.Contains(running, "httputil.")
	})
}

func TestOnlookersByAPublishedRouteGetThroughAndKeepNothingAwake(t *testing.T) {
	s := onSockets(t, behind(t, echoing).Awake())
	if resp := do(t, s.to("GET", "/", nil, "User-Agent: Pingdom")); resp.StatusCode != 200 {
		t.Errorf("%d", resp.StatusCode)
	}
	synctest.Test(t, func(t *testing.T) {
		for kind, cases := range visitors {
			for visitor, lines := range cases {
				s := routedInState(t, "awake")
				time.Sleep(idleTime - time.Minute)
				s.answer(visitBy(lines))
				time.Sleep(2 * time.Minute)
				if got, want := s.Took(), inTheEnd(kind); got != want {
					t.Errorf("%s: orders %s, want %s", visitor, got, want)
				}
			}
		}
	})
}

func TestNoConnectionIsClosedUnderARequestWhenTheServerEnds(t *testing.T) {
	of := begin(t, behind(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "app") }).Awake())
	s := serving(t, of)
	client := &http.Client{}
	t.Cleanup(client.CloseIdleConnections)
	get := func() *http.Response {
		t.Helper()
		resp, err := client.Do(s.to("GET", "/", nil))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if got := read(t, resp.Body); got != "app" {
			t.Errorf("the answer is %d %s", resp.StatusCode, got)
		}
		return resp
	}
	if get().Close {
		t.Error("while it serves, connections are closed")
	}
	go s.end()
	soon(t, "the server leaves", s.leaving.Load)
	if !get().Close {
		t.Error("when it is about to end, a connection is kept for another request")
	}
	s.end()
}
