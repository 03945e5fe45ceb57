package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryExampleIsCompleteAndTested(t *testing.T) {
	files, err := filepath.Glob("../examples/*/compose.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("examples: %q, %v", files, err)
	}
	tests, err := os.ReadFile("examples_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		folder := filepath.Dir(file)
		name := filepath.Base(folder)
		if !strings.Contains(string(tests), `newExample(t, "`+name+`")`) {
			t.Errorf("%s has no test", name)
		}
		if steps := readSteps(t, filepath.Join(folder, "README.md")); len(steps) < 3 || !strings.HasSuffix(steps[len(steps)-1].command, "docker compose down") {
			t.Errorf("the README of %s does not tell how to bring it up, use it and take it down: %+v", name, steps)
		}
		for _, file := range composeFiles(folder) {
			cmd := exec.Command("docker", "compose", "-f", file, "config", "-q")
			cmd.Env = append(os.Environ(), "PR=1")
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("Compose says of %s: %v\n%s", file, err, out)
			}
		}
	}
}

// Its apps run at a platform that a test does not have: what is tried of it without is that the
// files are right, and fit together.
func TestExampleScalingoNeedsATokenAndNothingOfThisMachine(t *testing.T) {
	e := newExample(t, "scalingo")
	e.follow("scalingo_token")
	composed := e.shell("docker compose config --format json")
	for _, want := range []string{"http://paastis:3000/traefik/config", "/etc/paastis/paastis.yml", "scalingo_token", "/var/lib/paastis"} {
		if !strings.Contains(composed, want) {
			t.Errorf("lacks %s:\n%s", want, composed)
		}
	}
	if strings.Contains(composed, "docker.sock") {
		t.Error("it has the socket of the engine")
	}
	read := e.shell("cat paastis.yml scalingo_token")
	for _, want := range []string{"/run/secrets/scalingo_token", "/var/lib/paastis/state.json", "tk-us-"} {
		if !strings.Contains(read, want) {
			t.Errorf("lacks %s:\n%s", want, read)
		}
	}
}

func TestExampleLinkedReviewAppsWakesBothOfOnePullRequestAndNothingOfTheOther(t *testing.T) {
	e := newExample(t, "linked-review-apps")
	e.follow("compose up")
	e.follow("PR=1")
	e.follow("PR=2")
	e.awaitAwake()
	e.findNoFault()
	page := e.follow("text/html")
	for _, name := range []string{"review-pr1-front", "review-pr1-back"} {
		if !strings.Contains(page.body, name) {
			t.Errorf("the page does not name %s: %s", name, page)
		}
	}
	if got := e.follow("pr1.localhost"); !strings.Contains(got.body, `"front of 1"`) || !strings.Contains(got.body, `"back of 1"`) {
		t.Errorf("the front answers %s", got)
	}
	e.wantAwake("review-pr1-back", "review-pr1-front")
	if ps := e.follow("docker ps"); !strings.Contains(ps.body, "review-pr1-back-1") || strings.Contains(ps.body, "review-pr2") {
		t.Errorf("docker ps shows\n%s", ps.body)
	}
	e.finish()
}

func TestExampleSharedDatabaseSleepsOnlyAfterItsLastDependent(t *testing.T) {
	e := newExample(t, "shared-database")
	e.follow("compose up")
	e.follow("shop.yml up")
	e.follow("blog.yml up")
	e.awaitAwake()
	e.findNoFault()
	if got := e.follow("shared-shop"); !strings.Contains(got.body, `"db"`) {
		t.Errorf("the shop answers %s", got)
	}
	e.wantAwake("shared-db", "shared-shop-web")
	e.follow("docker ps")
	if got := e.follow("shared-blog"); !strings.Contains(got.body, `"db"`) {
		t.Errorf("the blog answers %s", got)
	}
	var alone time.Time
	e.await("the shop to sleep, and the database to stay for the blog", 40*time.Second, func() bool {
		// It does not ask its database for this one: what keeps it is the link.
		if got := e.curl("curl http://shared-blog.localhost/since"); got.status != http.StatusOK {
			t.Errorf("the blog answers %s", got)
		}
		time.Sleep(500 * time.Millisecond)
		if slept := !slices.Contains(e.awake(), "shared-shop-web"); slept && alone.IsZero() {
			alone = time.Now()
		}
		return !alone.IsZero() && time.Since(alone) > 6*time.Second
	})
	e.wantAwake("shared-blog-web", "shared-db")
	e.await("the blog to sleep", 40*time.Second, func() bool {
		awake := strings.Join(e.awake(), " ")
		if awake == "shared-blog-web" {
			t.Fatal("the database sleeps before the blog")
		}
		return awake == "shared-db" || awake == ""
	})
	e.awaitAwake()
	e.finish()
}

func TestExampleAPIForProgramsHoldsThemAndTellsThemWhenToComeAgain(t *testing.T) {
	e := newExample(t, "api-for-programs")
	e.follow("compose up")
	e.awaitAwake()
	e.findNoFault()
	if got := e.follow("UptimeRobot"); got.header.Get("X-Paastis-State") != "asleep" {
		t.Errorf("a monitor gets %s", got)
	}
	e.wantAwake()
	if got := e.follow("'all of it'"); !strings.Contains(got.body, sum("all of it")) || !strings.Contains(got.body, "POST") {
		t.Errorf("of the body arrived %s", got)
	}
	got := e.follow("report")
	if got.header.Get("Content-Type") != "application/problem+json" || got.header.Get("Retry-After") == "" || !json.Valid([]byte(got.body)) {
		t.Errorf("a program that waits too long gets %s %v", got, got.header)
	}
	if got.took < 1900*time.Millisecond || got.took > 4*time.Second {
		t.Errorf("it was held for %s", got.took)
	}
	if got := e.follow("--retry"); !strings.Contains(got.body, `"report"`) {
		t.Errorf("the report is %s", got)
	}
	e.finish()
}

func TestExampleWebsocketsKeepTheChatAwakeWhileASilentOneIsOpen(t *testing.T) {
	e := newExample(t, "websockets")
	e.follow("compose up")
	e.awaitAwake()
	e.findNoFault()
	e.follow("Upgrade: websocket")
	if ps := e.follow("docker ps"); !strings.Contains(ps.body, "websockets-chat-1") {
		t.Errorf("docker ps shows\n%s", ps.body)
	}
	time.Sleep(7 * time.Second) // twice its max_idle_time
	e.wantAwake("websockets-chat")
	_ = e.open.Close()
	e.awaitAwake()
	e.finish()
}

func TestExampleKeepAwakeWindowsKeepsAwakeByTheClockAndByAFileThatChanges(t *testing.T) {
	e := newExample(t, "keep-awake-windows")
	e.follow("export")
	e.follow("compose up")
	e.awaitAwake("windows-office")
	e.findNoFault()
	if ps := e.follow("docker ps"); !strings.Contains(ps.body, "windows-office-1") || strings.Contains(ps.body, "windows-fair") {
		t.Errorf("docker ps shows\n%s", ps.body)
	}
	e.follow("fair")
	e.follow("sed")
	time.Sleep(7 * time.Second) // twice its max_idle_time
	e.wantAwake("windows-fair", "windows-office")
	e.finish()
}

func TestExampleAuthBeforePaastisLetsOnlyThoseWakeTheShopWhoAreLoggedIn(t *testing.T) {
	e := newExample(t, "auth-before-paastis")
	e.follow("compose up")
	e.awaitAwake("guarded-login")
	e.findNoFault()
	if got := e.follow("shop.localhost"); got.header.Get("Www-Authenticate") == "" || got.header.Get("X-Paastis-State") != "" {
		t.Errorf("who is not logged in gets %s %v", got, got.header)
	}
	e.wantAwake("guarded-login")
	if got := e.follow("-u ada"); !strings.Contains(got.body, `"shop"`) {
		t.Errorf("ada gets %s", got)
	}
	e.wantAwake("guarded-login", "guarded-shop")
	e.finish()
}

func TestExamplePathsUnderOneHostWakesTheAppOfThePath(t *testing.T) {
	e := newExample(t, "paths-under-one-host")
	e.follow("compose up")
	e.awaitAwake()
	e.findNoFault()
	if got := e.follow("/blog/"); !strings.Contains(got.body, `"blog"`) {
		t.Errorf("the blog answers %s", got)
	}
	e.wantAwake("paths-blog")
	if got := e.follow("/shop/admin/"); !strings.Contains(got.body, `"admin"`) {
		t.Errorf("admin answers %s", got)
	}
	e.wantAwake("paths-admin", "paths-blog")
	e.follow("/elsewhere")
	e.finish()
}

func TestExampleTLSRedirectKeepsToHTTPS(t *testing.T) {
	e := newExample(t, "tls-redirect")
	e.follow("compose up")
	e.awaitAwake()
	e.findNoFault()
	if got, want := e.follow("http://").header.Get("Location"), "https://shop.localhost:"+e.https+"/cart"; got != want {
		t.Errorf("the entry point redirects to %s, not to %s", got, want)
	}
	e.wantAwake()
	page := e.follow("text/html")
	if !strings.Contains(page.body, "tls-shop") || strings.Contains(page.body, "http://") {
		t.Errorf("the page is %s", page)
	}
	if got := e.follow("https://shop"); !strings.Contains(got.body, `"shop"`) {
		t.Errorf("the shop answers %s", got)
	}
	if got, want := e.follow("https://plain").header.Get("Location"), "https://plain.localhost/cart?of=ada"; got != want {
		t.Errorf("a held program is sent to %s, not to %s", got, want)
	}
	if got := e.follow("-L"); !strings.Contains(got.body, `"plain"`) {
		t.Errorf("it answers %s", got)
	}
	e.finish()
}

func TestExampleDirectModeAnswersWhilePaastisIsDead(t *testing.T) {
	e := newExample(t, "direct-mode")
	e.idle = "8s" // it has to stay awake until Paastis is dead
	e.follow("compose up")
	e.awaitAwake()
	e.findNoFault()
	e.follow("shop.localhost")
	time.Sleep(3 * time.Second) // "after 3 s": the route has to have turned
	e.follow("kill")
	for range 20 {
		if got := e.curl(e.steps[0].command); got.status != http.StatusOK || !strings.Contains(got.body, `"shop"`) {
			t.Errorf("without Paastis the shop answers %s", got)
		}
	}
	e.follow("shop.localhost")
	e.follow("blog.localhost")
	e.follow("start paastis")
	if got := e.follow("--retry"); !strings.Contains(got.body, `"blog"`) {
		t.Errorf("the blog answers %s", got)
	}
	e.finish()
}
