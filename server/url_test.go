package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/server/problem"
)

// authority is one that the tests' process trusts.
var authority = registrytest.NewAuthority()

func TestMain(m *testing.M) { os.Exit(authority.RunTrusting(m)) }

// hosted is an app, shop.test, of a platform that has it by a name, with a certificate of an
// authority. It is asleep, and boots in 100 ms.
func hosted(t *testing.T, by *registrytest.Authority, name string, h http.HandlerFunc) *registrytest.App {
	t.Helper()
	a := service("shop").Found("shop.test")
	a.Boot = 100 * time.Millisecond
	a.URL = strings.Replace(by.Serve(t, name, h).URL, "127.0.0.1", "localhost", 1)
	return a
}

func TestARequestThatFindsAnAppOfAURLAsleepGetsThereByItsHost(t *testing.T) {
	app := hosted(t, authority, "localhost", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s\n", r.Proto, r.TLS.ServerName, r.Host)
		echoing(w, r)
		_, _ = io.Copy(w, r.Body)
	})
	s := onSockets(t, app)
	host := strings.TrimPrefix(app.URL, "https://")
	for forwarded, want := range map[string]string{"X-Forwarded-Host: shop.test": "shop.test", "X-Forwarded-Host: shop.test:8443": "shop.test:8443", "X-Unknown: 1": "shop.test"} {
		got := read(t, do(t, s.to("POST", "/a?b=c", strings.NewReader("hello"), forwarded, "User-Agent: test/1")).Body)
		if wanted := "HTTP/2.0 localhost " + host + "\nPOST /a?b=c " + host + "\nX-Forwarded-Host: " + want + "\nX-Forwarded-Proto: http\nUser-Agent: test/1\nhello"; got != wanted {
			t.Errorf("with %s it arrives as\n%s\nwant\n%s", forwarded, got, wanted)
		}
	}
}

func TestAWebSocketGetsToAnAppOfAURL(t *testing.T) {
	app := hosted(t, authority, "localhost", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer c.CloseNow()
		_ = c.Write(r.Context(), websocket.MessageText, []byte(r.Host))
		_, _, _ = c.Read(r.Context())
	})
	s := onSockets(t, app)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, s.url+"/.paastis/"+registrytest.Mark("shop")+"/chat", &websocket.DialOptions{Host: "shop.test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if _, said, err := c.Read(ctx); err != nil || "https://"+string(said) != app.URL {
		t.Errorf("it says %q: %v", said, err)
	}
	_ = c.Close(websocket.StatusNormalClosure, "")
	soon(t, "nothing is on its way", func() bool { return s.using("shop") == 0 })
}

func TestNoRequestGetsToAnAppOfAURLWhoseCertificateIsNotTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		by   *registrytest.Authority
		name string
	}{
		"of an authority that nobody knows": {registrytest.NewAuthority(), "localhost"},
		"of another name":                   {authority, "shop.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			var came atomic.Int32
			s := onSockets(t, hosted(t, c.by, c.name, func(http.ResponseWriter, *http.Request) { came.Add(1) }))
			resp := do(t, s.to("POST", "/", strings.NewReader("secret")))
			if body := read(t, resp.Body); resp.StatusCode != http.StatusBadGateway || resp.Header.Get(problem.StateHeader) != registry.Ready.String() || !strings.Contains(body, "its certificate is not trusted") {
				t.Errorf("%d: %s", resp.StatusCode, body)
			}
			if came.Load() > 0 {
				t.Error("it has got the request")
			}
			if s.log.count("failed to verify certificate") == 0 {
				t.Error("the log does not say why")
			}
		})
	}
}

func TestTheProxyConnectsToTheURLOfAnAppAtThePortOfItsScheme(t *testing.T) {
	for raw, want := range map[string]string{
		"https://shop.example.com": "shop.example.com:443", "http://shop.example.com": "shop.example.com:80",
		"https://shop.example.com:8443": "shop.example.com:8443", "https://[::1]": "[::1]:443",
	} {
		app := service("shop").Found("shop.test").Awake()
		app.URL = raw
		s := begin(t, app)
		soon(t, "it is ready", func() bool { return s.view("shop").State == registry.Ready })
		if got := s.registry.Publisher().Target(s.registry.Inventory().Routes["shop"]); got == nil || got.Address() != want {
			t.Errorf("%s: %v", raw, got)
		}
	}
}
