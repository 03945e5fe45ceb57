package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"
)

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func TestWhatItsOwnerStopsStaysSoUntilSomebodyWakesIt(t *testing.T) {
	for _, direct := range []bool{false, true} {
		t.Run(map[bool]string{false: "asked", true: "direct"}[direct], func(t *testing.T) {
			s := newTestServer(t, "e2e-hands-site")
			s.direct = direct
			s.stack("e2e-hands", true, app{name: "web", host: "hands.test", static: true})
			s.serve("", append([]string{"PAASTIS_MAX_IDLE_TIME=1h"}, adminSettings[:2]...)...)
			container := "e2e-hands-web-1"
			s.browseUntilAwake("hands.test", 30*time.Second)

			for _, by := range []string{"stop", "kill", "pause"} {
				docker(t, by, container)
				time.Sleep(5 * time.Second)
				if got := s.browse("hands.test"); got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "stopped by hand") {
					t.Errorf("after docker %s a person got %s", by, got)
				}
				program, err := s.send("POST", "hands.test", "/", nil)
				if err != nil || program.status != http.StatusServiceUnavailable || !strings.Contains(program.body, "was stopped by hand") || program.took > 5*time.Second {
					t.Errorf("after docker %s a program got %s, %v", by, program, err)
				}
				if len(running("e2e-hands")) != 0 && by != "pause" {
					t.Errorf("after docker %s a request has started it", by)
				}
				s.told(0, "", "wake", "e2e-hands-web", "--wait")
				s.browseUntilAwake("hands.test", 20*time.Second)
			}

			docker(t, "stop", container)
			docker(t, "start", container)
			s.await("an app that was started by hand to be passed", 20*time.Second, func() bool {
				return s.browse("hands.test").status == http.StatusOK
			})
			docker(t, "restart", "-t", "1", container)
			got, err := s.send("POST", "hands.test", "/", nil)
			for fetched := time.Now().Add(2 * time.Second); direct && err == nil && got.status == http.StatusBadGateway && time.Now().Before(fetched); time.Sleep(50 * time.Millisecond) {
				// Traefik's own word: it fetches only once a second that the app went down.
				got, err = s.send("POST", "hands.test", "/", nil)
			}
			if err != nil || got.status >= http.StatusInternalServerError {
				t.Errorf("after docker restart a program got %s, %v", got, err)
			}
		})
	}
}

func TestASleeperThatIsRemovedIsWarnedOfAndAnUpdateIsWaitedFor(t *testing.T) {
	for _, direct := range []bool{false, true} {
		t.Run(map[bool]string{false: "asked", true: "direct"}[direct], func(t *testing.T) {
			s := newTestServer(t, "e2e-hands-site")
			s.direct = direct
			web := app{name: "web", host: "hands.test", static: true, boot: "4s"}
			s.stack("e2e-hands", true, web)
			s.serve("", "PAASTIS_MAX_IDLE_TIME=1h")
			held := make(chan answer, 1)
			go func() {
				a, err := s.send("POST", "hands.test", "/", nil)
				if err != nil {
					t.Error(err)
				}
				held <- a
			}()
			s.await("the app to start", 10*time.Second, func() bool { return len(running("e2e-hands")) == 1 })
			docker(t, "rm", "-f", "e2e-hands-web-1")
			time.Sleep(time.Second)
			s.stack("e2e-hands", false, web)
			if a := <-held; a.status != http.StatusOK {
				t.Errorf("a program that was held during an update got %s", a)
			}
			if strings.Contains(s.log(), "was removed while it slept") {
				t.Errorf("an update was taken for a prune:\n%s", s.log())
			}

			s.told(0, "", "check")
			docker(t, "rm", "-f", "e2e-hands-web-1")
			s.stack("e2e-hands", true, web)
			time.Sleep(time.Second)
			docker(t, "rm", "e2e-hands-web-1") // as docker container prune does
			time.Sleep(5 * time.Second)
			if log := s.log(); !strings.Contains(log, "was removed while it slept") || !strings.Contains(log, "stop_method: pause") {
				t.Errorf("nothing warns of a sleeper that was removed:\n%s", log)
			}
		})
	}
}

func TestWhatHandsDoToContainersIsFollowed(t *testing.T) {
	s := newTestServer(t, "e2e-hands-site")
	s.stack("e2e-hands", true, app{name: "web", host: "hands.test", static: true})
	s.serve("", "PAASTIS_MAX_IDLE_TIME=1h")
	container := "e2e-hands-web-1"
	s.browseUntilAwake("hands.test", 30*time.Second)

	docker(t, "rm", "-f", container)
	time.Sleep(200 * time.Millisecond) // an event's way
	if got := s.browse("hands.test"); got.header.Get("X-Paastis-State") != "" {
		t.Errorf("a visitor of a removed app got %s", got)
	}
	s.stack("e2e-hands", false, app{name: "web", host: "hands.test", static: true})
	s.await("a recreated app to be passed", 20*time.Second, func() bool {
		return s.browse("hands.test").status == http.StatusOK
	})
}

func TestABrowserComesFromTheWaitingPageToTheAppByItself(t *testing.T) {
	s := newTestServer(t, "e2e-browser-site")
	s.stack("e2e-shop", true, shop()...)
	s.serve("")
	_, port, _ := strings.Cut(s.traefik, ":")
	seen := browserSees(t, "shop.test", "http://shop.test:"+port+"/?deep=link#part", func(text string) bool {
		return strings.Contains(text, `"front"`)
	})
	t.Logf("the browser saw:\n%s", strings.Join(seen, "\n---\n"))
	if !strings.Contains(seen[0], "e2e-shop-front") || !strings.Contains(seen[0], "e2e-shop-db") {
		t.Errorf("the first page names neither the app nor what it needs:\n%s", seen[0])
	}
}
