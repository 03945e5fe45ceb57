package e2e

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// person does something at the platform's dashboard.
func (p *platform) person(method, path string) {
	p.t.Helper()
	req, err := http.NewRequest(method, "http://"+p.dashboard+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		p.t.Fatalf("%s %s: %s", method, path, resp.Status)
	}
}

var scalesOf = regexp.MustCompile(`(?m)^\s*(\d+)\s+\d+\s+POST /v1/apps/\{app\}/scale$`)

// scales is how often the platform was told to scale.
func (p *platform) scales() int {
	found := scalesOf.FindStringSubmatch(p.calls())
	if found == nil {
		return 0
	}
	n, _ := strconv.Atoi(found[1]) // digits
	return n
}

// A platform forgets how an app was scaled once it is scaled to none: a Paastis that is killed at
// the worst moment must not have it come back otherwise.
func TestAnAppOfAPlatformComesBackAsItWasScaledWhenPaastisIsKilled(t *testing.T) {
	const name, app, want = "e2e-platform-kill", "e2e-app-review-pr1-back", "running web:2:L worker:1:M, 1 autoscalers"
	p := servePlatform(t, name, platform{pullRequests: 1}, scalingo+`
rules:
  - pattern: '-back$'
    host: '{name}.apps.test'
    max_idle_time: 3s
`, "PAASTIS_STATE_FILE=/config/state.json")
	scale := "&route=" + url.QueryEscape("POST /v1/apps/{app}/scale")
	v := p.visit()
	v.reach(personTo(app+".apps.test", app), time.Minute)
	p.person(http.MethodPut, "/apps/"+app+"?web=2:L&worker=1:M")
	p.person(http.MethodPost, "/apps/"+app+"/autoscalers/web")
	for when, hold := range map[string]string{"before the order is carried out": "/hold?before=20s", "before it is answered": "/hold?after=20s"} {
		t.Run(when, func(t *testing.T) {
			if got := p.status(app); got != want {
				t.Fatalf("it begins as %s", got)
			}
			p.person(http.MethodPut, hold+scale)
			ordered := p.scales()
			p.await("the order to sleep", time.Minute, func() bool { return p.scales() > ordered })
			docker(t, "kill", "--signal", "KILL", name+"-paastis")
			p.person(http.MethodDelete, "/hold")
			docker(t, "start", name+"-paastis")
			p.await("the app to sleep", time.Minute, func() bool { return strings.HasPrefix(p.status(app), "stopped") })
			v.reach(personTo(app+".apps.test", app), time.Minute)
			p.await("its scale", 30*time.Second, func() bool { return p.status(app) == want })
		})
	}
}
