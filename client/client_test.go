package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// carrier answers in the place of a network.
type carrier func(*http.Request) (*http.Response, error)

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

func answer(code int, kind string, body io.Reader) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(body)}
}

func asking(t *testing.T, c carrier) *Client {
	t.Helper()
	api, err := New("http://paastis.test/admin/", "secret")
	if err != nil {
		t.Fatal(err)
	}
	api.Transport = c
	return api
}

func TestOnlyAPlainURLLeadsToAnAPI(t *testing.T) {
	for _, bad := range []string{"", "paastis:8091", "ftp://x", "http://", "http://a:b@x", "http://x/?a=b", "http://x/#a", "http://x:y"} {
		if _, err := New(bad, ""); !errors.Is(err, ErrBase) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestNamesCannotLeaveTheirPlaceInAPath(t *testing.T) {
	var asked string
	api := asking(t, func(r *http.Request) (*http.Response, error) {
		asked = r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("Authorization")
		return answer(202, "application/json", strings.NewReader(`{}`)), nil
	})
	if _, err := api.Wake(t.Context(), "../x?y#z/ä"); err != nil {
		t.Fatal(err)
	}
	if want := "POST /admin/api/v1/apps/..%2Fx%3Fy%23z%2F%C3%A4/wake Bearer secret"; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
}

func TestAnswersThatAreNoneAreToldApart(t *testing.T) {
	for name, c := range map[string]struct {
		code  int
		kind  string
		body  string
		wants error
	}{
		"a refused token":      {401, "application/problem+json", `{}`, ErrToken},
		"some other page":      {200, "text/html", "<html>", ErrNoAPI},
		"nothing there":        {404, "text/plain", "not found", ErrNoAPI},
		"a redirect":           {302, "text/html", "", ErrNoAPI},
		"something else":       {200, "application/json", `[]`, ErrNoAPI},
		"a proxy without us":   {502, "text/plain", "Bad Gateway", ErrUnreachable},
		"a proxy that is slow": {504, "text/html", "", ErrUnreachable},
	} {
		api := asking(t, func(*http.Request) (*http.Response, error) {
			return answer(c.code, c.kind, strings.NewReader(c.body)), nil
		})
		if _, err := api.Apps(t.Context()); !errors.Is(err, c.wants) {
			t.Errorf("%s: %v, want %v", name, err, c.wants)
		}
	}
}

func TestARefusalIsToldInTheWordsOfTheAPI(t *testing.T) {
	api := asking(t, func(*http.Request) (*http.Response, error) {
		return answer(409, "application/problem+json; charset=utf-8", strings.NewReader(`{"status":409,"detail":"It is needed\u001b[2J by \"x\"."}`)), nil
	})
	_, err := api.Sleep(t.Context(), "db", false)
	var problem *Problem
	if !errors.As(err, &problem) || problem.Status != 409 || err.Error() != `It is needed`+"\uFFFD"+`[2J by "x".` {
		t.Errorf("error: %v", err)
	}
}

func TestWhoDoesNotAnswerIsNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := asking(t, func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		began := time.Now()
		if _, err := api.Apps(t.Context()); !errors.Is(err, ErrUnreachable) || time.Since(began) != answerLimit {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := api.Apps(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: %v", err)
		}
	})
}

func TestTextFromOutsideCannotSteerATerminal(t *testing.T) {
	var text Text
	if err := json.Unmarshal([]byte(`"a\u001b[31m\u009b2J\u007f\nb\tc\u202eä\u00a0🙂"`), &text); err != nil {
		t.Fatal(err)
	}
	if want := Text("a\uFFFD[31m\uFFFD2J\uFFFD b c\uFFFDä 🙂"); text != want {
		t.Errorf("%q, want %q", text, want)
	}
}

// silent is a body that says something, and then nothing until it is given up.
type silent struct {
	io.Reader
	ctx context.Context
}

func (s silent) Read(p []byte) (int, error) {
	if n, err := s.Reader.Read(p); err == nil {
		return n, nil
	}
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func TestAStreamThatIsCutOrSilentGoesOnAfterItsLastEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		began := time.Now()
		api := asking(t, func(r *http.Request) (*http.Response, error) {
			asked = append(asked, fmt.Sprintf("%s %s", r.URL.RawQuery, r.Header.Get("Last-Event-ID")))
			n := len(asked)
			said := fmt.Sprintf(": hello\n\nid: %d\nevent: event\ndata: {\"id\":%d}\n\nevent: totals\ndata: {}\n\nid: 99\nevent: event\ndata: cut", 6+n, 6+n)
			switch n {
			case 2:
				return nil, errors.New("connection refused")
			case 3:
				return answer(200, "text/event-stream", silent{strings.NewReader(said), r.Context()}), nil
			default:
				return answer(200, "text/event-stream", strings.NewReader(said)), nil
			}
		})
		var got []string
		lost := 0
		err := api.Follow(t.Context(), Following{App: "shop", After: 5, Lost: func(error) { lost++ }}, func(m Message) bool {
			got = append(got, m.Kind+string(m.Data))
			return len(got) < 8
		})
		if err != nil {
			t.Fatal(err)
		}
		want := "opened event{\"id\":7} totals{} opened event{\"id\":9} totals{} opened event{\"id\":10}"
		if all := strings.Join(got, " "); !strings.HasPrefix(all, want) {
			t.Errorf("got %s\nwant %s", all, want)
		}
		if all := strings.Join(asked, ","); all != "after=5&app=shop 5,after=7&app=shop 7,after=7&app=shop 7,after=9&app=shop 9" {
			t.Errorf("asked %s", all)
		}
		if lost != 2 {
			t.Errorf("told of %d cuts, want 2", lost)
		}
		if d := time.Since(began); d < quietLimit || d > quietLimit+5*time.Second {
			t.Errorf("it took %s", d)
		}
	})
}

func TestAStreamEndsWithWhoFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := asking(t, func(r *http.Request) (*http.Response, error) {
			return answer(200, "text/event-stream", silent{strings.NewReader(""), r.Context()}), nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := api.Follow(ctx, Following{After: -1}, func(Message) bool { return true }); err != nil {
			t.Errorf("error: %v", err)
		}
	})
}

func TestAStreamIsNotAskedForAgainWithARefusedToken(t *testing.T) {
	api := asking(t, func(*http.Request) (*http.Response, error) {
		return answer(401, "application/problem+json", strings.NewReader(`{}`)), nil
	})
	if err := api.Follow(t.Context(), Following{}, nil); !errors.Is(err, ErrToken) {
		t.Errorf("error: %v", err)
	}
}
