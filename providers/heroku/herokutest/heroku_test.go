package herokutest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/providers/heroku/herokutest"
)

// ask makes a call of the API, and returns its status, its header and its body. The header given
// is "Name: value" each.
func ask(t *testing.T, h *herokutest.Heroku, call, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	method, path, _ := strings.Cut(call, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, "https://api.heroku.com"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/vnd.heroku+json; version=3")
	r.Header.Set("Authorization", "Bearer "+herokutest.Token)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	answer, err := h.APITransport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(text)
}

// visit asks for an app at the router.
func visit(t *testing.T, h *herokutest.Heroku, address string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := h.RouterTransport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestAListIsCutAt200AppsUnlessMoreAreAskedFor(t *testing.T) {
	t.Parallel()
	h := herokutest.New()
	for n := range 450 {
		h.Create(herokutest.App{Name: fmt.Sprintf("app-%03d", n)})
	}
	count := func(text string) int {
		var all []any
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	sizes, header := []int{}, ""
	for first := true; first || header != ""; first = false {
		status, answered, body := ask(t, h, "GET /apps", "", "Range: "+header)
		if header = answered.Get("Next-Range"); (status == http.StatusPartialContent) != (header != "") {
			t.Errorf("%d, and it goes on at %q", status, header)
		}
		sizes = append(sizes, count(body))
	}
	if got := fmt.Sprint(sizes); got != "[200 200 50]" {
		t.Errorf("its pages have %s", got)
	}
	if status, _, body := ask(t, h, "GET /apps", "", "Range: id ..; max=1000"); status != 200 || count(body) != 450 {
		t.Errorf("with a maximum there are %d: %d", count(body), status)
	}
	for _, wrong := range []string{"id ..; max=1001", "color ..; max=10", "bytes=0-10"} {
		if status, _, _ := ask(t, h, "GET /apps", "", "Range: "+wrong); status != http.StatusRequestedRangeNotSatisfiable {
			t.Errorf("%s: %d", wrong, status)
		}
	}
}

func TestWhoMayNotCallIsToldSo(t *testing.T) {
	t.Parallel()
	h := herokutest.New()
	h.Create(herokutest.App{Name: "shop"})
	h.Create(herokutest.App{Name: "theirs", ReadOnly: true})
	h.Create(herokutest.App{Name: "unpaid", Delinquent: true})
	h.Create(herokutest.App{Name: "hobby", Formation: []herokutest.Type{{Name: "web", Quantity: 1, Size: "Eco"}}})
	h.Create(herokutest.App{Name: "abusive", Suspended: true})
	h.Issue("old")
	h.Expire("old")
	up := func(kind string, quantity int) string {
		return fmt.Sprintf(`{"updates":[{"type":%q,"quantity":%d}]}`, kind, quantity)
	}
	for _, c := range []struct {
		call, body, header string
		status             int
		says               string
	}{
		{"GET /apps", "", "Accept: application/json", 406, "not_acceptable"},
		{"GET /apps", "", "Authorization: Bearer wrong", 401, "unauthorized"},
		{"GET /apps", "", "Authorization: Bearer old", 401, "expired"},
		{"GET /apps/nobody", "", "", 404, "not_found"},
		{"PATCH /apps/theirs/formation", up("web", 1), "", 403, "forbidden"},
		{"PATCH /apps/unpaid/formation", up("web", 1), "", 402, "delinquent"},
		{"PATCH /apps/hobby/formation", up("web", 2), "", 422, "more than 1 Eco size dynos"},
		{"PATCH /apps/shop/formation", up("worker", 1), "", 404, "process type (worker)"},
		{"PATCH /apps/shop/formation", "{}", "", 400, "bad_request"},
		{"GET /apps/abusive/dynos", "", "", 403, "suspended"},
		{"GET /accounts/0000acc0-0000-4000-8000-000000000000/actions/get-quota", "", "", 404, "not_found"},
		{"GET /accounts/0000acc0-0000-4000-8000-000000000000/actions/get-quota", "", "Accept: application/vnd.heroku+json; version=3.account-quotas", 200, `"account_quota":3600000`},
	} {
		status, _, body := ask(t, h, c.call, c.body, c.header)
		if status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s, want %d %s", c.call, status, body, c.status, c.says)
		}
	}
}

func TestAnAccountHasSoManyCallsAndGetsThemBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		if _, header, _ := ask(t, h, "GET /apps", ""); header.Get("RateLimit-Remaining") != "4499" {
			t.Errorf("%s are left", header.Get("RateLimit-Remaining"))
		}
		h.Spend(5000)
		if status, header, body := ask(t, h, "GET /apps", ""); status != 429 || !strings.Contains(body, "rate_limit") || header.Get("RateLimit-Remaining") != "0" {
			t.Errorf("%d %s", status, body)
		}
		if status, _, _ := ask(t, h, "GET /account/rate-limits", ""); status != 200 {
			t.Errorf("how many are left is told with %d", status)
		}
		time.Sleep(2 * time.Minute)
		if left := h.Remaining(); left != 150 {
			t.Errorf("two minutes later %d are left", left)
		}
	})
}

func TestADynoStartsAndIsReachedByItsOwnName(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(herokutest.App{Name: "shop", Boot: 10 * time.Second, Linger: 30 * time.Second})
		address := h.URL("shop")
		if status, body := visit(t, h, address); status != 503 || !strings.Contains(body, "H14") {
			t.Errorf("scaled to none: %d %s", status, body)
		}
		ask(t, h, "PATCH /apps/shop/formation", `{"updates":[{"type":"web","quantity":1}]}`)
		if _, _, body := ask(t, h, "GET /apps/shop/dynos", ""); !strings.Contains(body, `"starting"`) {
			t.Errorf("at once: %s", body)
		}
		began := time.Now()
		if status, body := visit(t, h, address+"cart"); status != 200 || !strings.Contains(body, `"path":"/cart"`) || time.Since(began) < 9*time.Second {
			t.Errorf("after %s: %d %s", time.Since(began), status, body)
		}
		h.Rename("shop", "store")
		if status, _ := visit(t, h, address); status != 404 {
			t.Errorf("by its old name: %d", status)
		}
		h.Alter("store", func(a *herokutest.App) { a.Maintenance = true })
		if status, body := visit(t, h, h.URL("store")); status != 503 || !strings.Contains(body, "Maintenance") {
			t.Errorf("in maintenance: %d %s", status, body)
		}
		h.Scale("store", "web", 0)
		if _, _, body := ask(t, h, "GET /apps/store/dynos", ""); !strings.Contains(body, `"up"`) {
			t.Errorf("that which ends is not listed: %s", body)
		}
		time.Sleep(31 * time.Second)
		if _, _, body := ask(t, h, "GET /apps/store/dynos", ""); body != "[]" {
			t.Errorf("at the end there is %s", body)
		}
	})
}

func TestAnEcoDynoIsIdleAfterHalfAnHourAndAVisitWakesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(herokutest.App{Name: "hobby", Formation: []herokutest.Type{{Name: "web", Quantity: 1, Size: "Eco"}, {Name: "worker", Quantity: 1, Size: "Eco"}}})
		time.Sleep(20 * time.Minute)
		visit(t, h, h.URL("hobby"))
		time.Sleep(20 * time.Minute)
		if h.State("hobby") != "up" {
			t.Errorf("20 minutes after a visit it is %s", h.State("hobby"))
		}
		time.Sleep(11 * time.Minute)
		if _, _, body := ask(t, h, "GET /apps/hobby/dynos", ""); strings.Count(body, `"idle"`) != 2 {
			t.Errorf("after half an hour: %s", body)
		}
		if status, _ := visit(t, h, h.URL("hobby")); status != 200 || h.State("hobby") != "up" {
			t.Errorf("a visitor gets %d", status)
		}
		h.UseUpEco()
		if status, body := visit(t, h, h.URL("hobby")); status != 503 || !strings.Contains(body, "H82") {
			t.Errorf("with no hours left: %d %s", status, body)
		}
	})
}

func TestACrashedDynoIsStartedAgainLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := herokutest.New()
		h.Create(herokutest.App{Name: "shop", Formation: []herokutest.Type{{Name: "web", Quantity: 1}}})
		time.Sleep(time.Minute)
		h.Crash("shop", "web")
		if status, body := visit(t, h, h.URL("shop")); status != 503 || !strings.Contains(body, "H10") {
			t.Errorf("crashed: %d %s", status, body)
		}
		time.Sleep(21 * time.Minute)
		if h.State("shop") != "up" {
			t.Errorf("later it is %s", h.State("shop"))
		}
	})
}
