package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// shop is the stack of the demo: front asks back, back asks db.
func shop() []app {
	return []app{
		{name: "front", next: "http://back:8080/", needs: []string{"back"}, host: "shop.test", static: true},
		{name: "back", next: "http://db:8080/", needs: []string{"db"}},
		{name: "db"},
	}
}

func TestAStackSleepsWakesInOrderAndSleepsAgain(t *testing.T) {
	s := newTestServer(t, "e2e-shop-site")
	s.stack("e2e-shop", false, shop()...)
	s.serve("", "PAASTIS_MODE=forwardauth") // else it waits whether Traefik comes for its routes
	s.awaitAsleep(4*idle, "e2e-shop")

	asked := time.Now()
	page := s.browse("shop.test")
	if page.status != http.StatusServiceUnavailable || !strings.Contains(page.body, "e2e-shop-front") {
		t.Errorf("the first visitor got %s", page)
	}
	if page.took > 100*time.Millisecond {
		t.Errorf("the waiting page took %s", page.took)
	}
	if len(page.body) > 4096 {
		t.Errorf("the waiting page has %d bytes", len(page.body))
	}
	awake := s.browseUntilAwake("shop.test", 30*time.Second)
	for _, name := range []string{"front", "back", "db"} {
		if !strings.Contains(awake.body, name) {
			t.Errorf("the answer lacks %s: %s", name, awake.body)
		}
	}
	t.Logf("waiting page after %s, app after %s", page.took.Round(time.Millisecond), time.Since(asked).Round(time.Millisecond))
	want := []string{"start e2e-shop-db-1", "start e2e-shop-back-1", "start e2e-shop-front-1"}
	if got := s.events(asked, "e2e-shop", "start"); !slices.Equal(got, want) {
		t.Errorf("starts: %q, want %q", got, want)
	}

	used := time.Now()
	s.awaitAsleep(4*idle, "e2e-shop")
	t.Logf("asleep %s after the last request", time.Since(used).Round(time.Millisecond))
	want = []string{"die e2e-shop-front-1", "die e2e-shop-back-1", "die e2e-shop-db-1"}
	if got := s.events(used, "e2e-shop", "die"); !slices.Equal(got, want) {
		t.Errorf("ends: %q, want %q", got, want)
	}
}

func TestASecondStackKeepsTheSharedDatabaseAwake(t *testing.T) {
	s := newTestServer(t, "e2e-shared-site")
	s.stack("e2e-shop", true, shop()...)
	s.stack("e2e-blog", true, app{
		name: "web", next: "http://e2e-shop-db-1:8080/", host: "blog.test", static: true,
		labels: []string{"paastis.linked_apps=e2e-shop-db"},
	})
	s.serve("")
	s.browseUntilAwake("shop.test", 30*time.Second)
	for end := time.Now().Add(3 * idle); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		s.browseUntilAwake("blog.test", 30*time.Second)
	}
	if got := running("e2e-shop"); !slices.Equal(got, []string{"e2e-shop-db-1"}) {
		t.Errorf("of shop run %q, want its database alone", got)
	}
	last := time.Now()
	s.awaitAsleep(4*idle, "e2e-blog", "e2e-shop")
	blog, db := s.events(last, "e2e-blog", "die"), s.events(last, "e2e-shop", "die")
	if len(blog) != 1 || len(db) != 1 {
		t.Errorf("ends: %q and %q", blog, db)
	}
}

func TestReviewAppsLinkedToEachOtherWakeTogetherAndTouchNoOther(t *testing.T) {
	s := newTestServer(t, "e2e-review-site")
	for _, pr := range []string{"1", "2"} {
		project := "pix-app-review-pr" + pr
		s.stack(project, true,
			app{name: "front", next: "http://" + project + "-back-1:8080/", host: "front" + pr + ".test", static: true},
			app{name: "back", host: "back" + pr + ".test", static: true})
	}
	s.serve(`
rules:
  - pattern: 'pix-app-review-pr(\d+)-(back|front)'
    linked_apps:
      - 'pix-app-review-pr$1-front'
      - 'pix-app-review-pr$1-back'
`)
	for _, entry := range []string{"front", "back"} {
		asked := time.Now()
		s.browseUntilAwake(entry+"1.test", 30*time.Second)
		got := s.events(asked, "pix-app-review-pr1", "start")
		slices.Sort(got)
		if want := []string{"start pix-app-review-pr1-back-1", "start pix-app-review-pr1-front-1"}; !slices.Equal(got, want) {
			t.Errorf("a request to %s made %q, want each once", entry, got)
		}
		if got := s.events(asked, "pix-app-review-pr2"); len(got) > 0 {
			t.Errorf("a request to %s of pr1 touched pr2: %q", entry, got)
		}
		s.awaitAsleep(4*idle, "pix-app-review-pr1")
	}
}

func TestAProgramsPostToASleepingAppArrivesWhole(t *testing.T) {
	s := newTestServer(t, "e2e-program-site")
	s.stack("e2e-shop", true, shop()...)
	s.serve("")
	body := strings.Repeat("0123456789abcdef", 64*1024) // 1 MiB
	got, err := s.send("POST", "shop.test", "/echo", strings.NewReader(body), "Accept: application/json", "Content-Type: text/plain")
	if err != nil {
		t.Fatal(err)
	}
	var echo struct {
		Length int    `json:"length"`
		SHA256 string `json:"sha256"`
	}
	if err := json.Unmarshal([]byte(got.body), &echo); err != nil || got.status != http.StatusOK {
		t.Fatalf("the program got %s", got)
	}
	if echo.Length != len(body) || echo.SHA256 != sum(body) {
		t.Errorf("of %d bytes arrived %+v", len(body), echo)
	}
	t.Logf("held for %s", got.took.Round(time.Millisecond))
}

func TestAProgramGetsAProblemDocumentWhenTheAppTakesTooLong(t *testing.T) {
	s := newTestServer(t, "e2e-slow-site")
	s.stack("e2e-slow", true, app{name: "web", boot: "1h", host: "slow.test", static: true})
	s.serve("", "PAASTIS_HOLD_TIMEOUT=2s")
	got, err := s.send("GET", "slow.test", "/", nil, "Accept: application/json")
	if err != nil {
		t.Fatal(err)
	}
	if got.status != http.StatusServiceUnavailable || got.header.Get("Content-Type") != "application/problem+json" ||
		got.header.Get("Retry-After") == "" || got.header.Get("X-Paastis-State") != "starting" {
		t.Errorf("the program got %s with %v", got, got.header)
	}
	if got.took < 2*time.Second || got.took > 4*time.Second {
		t.Errorf("held for %s, want 2 s", got.took)
	}
}

func TestAProgramIsSentAgainWhereTraefikHasToFindTheServer(t *testing.T) {
	s := newTestServer(t, "e2e-found-site")
	s.stack("e2e-found", true, app{name: "web", host: "found.test"})
	s.serve("")
	got, err := s.send("POST", "found.test", "/echo", strings.NewReader("hello"), "Accept: application/json")
	if err != nil {
		t.Fatal(err)
	}
	if got.status != http.StatusOK || !strings.Contains(got.body, sum("hello")) {
		t.Errorf("the program got %s", got)
	}
}

func TestAMonitorWakesNothing(t *testing.T) {
	s := newTestServer(t, "e2e-monitor-site")
	s.stack("e2e-shop", true, shop()...)
	s.serve("")
	got, err := s.send("GET", "shop.test", "/", nil, "User-Agent: Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)")
	if err != nil {
		t.Fatal(err)
	}
	if got.status != http.StatusServiceUnavailable || got.header.Get("X-Paastis-State") != "asleep" {
		t.Errorf("the monitor got %s", got)
	}
	time.Sleep(time.Second)
	if got := running("e2e-shop"); len(got) > 0 {
		t.Errorf("the monitor woke %q", got)
	}
}

func TestAThousandFirstRequestsMakeOneStartPerContainer(t *testing.T) {
	s := newTestServer(t, "e2e-storm-site")
	s.stack("e2e-shop", true, shop()...)
	s.serve("")
	asked := time.Now()
	var wg sync.WaitGroup
	var mu sync.Mutex
	kinds := map[string]int{}
	for i := range 1000 {
		wg.Go(func() {
			accept := "Accept: application/json"
			if i%2 == 0 {
				accept = "Accept: text/html"
			}
			got, err := s.send("GET", "shop.test", "/", nil, accept)
			kind := fmt.Sprintf("%d %s", got.status, got.header.Get("X-Paastis-State"))
			if err != nil {
				kind = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			kinds[kind]++
		})
	}
	wg.Wait()
	t.Logf("answers: %v", kinds)
	for kind := range kinds {
		if kind != "200 " && kind != "503 starting" {
			t.Errorf("%d visitors got %s", kinds[kind], kind)
		}
	}
	if kinds["200 "] < 500 {
		t.Errorf("only %d of 500 programs got the app's answer", kinds["200 "])
	}
	got := s.events(asked, "e2e-shop", "start")
	want := []string{"start e2e-shop-db-1", "start e2e-shop-back-1", "start e2e-shop-front-1"}
	if !slices.Equal(got, want) {
		t.Errorf("starts: %q, want %q", got, want)
	}
}
