package e2e

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// platform is a Scalingo that is played, with all its names, in the network of a site: of each pull
// request it has a front that needs its back for each answer, and all sleep.
type platform struct {
	*testServer
	prefix       string // of the names of its apps
	pullRequests int
	boot, down   string
	dashboard    string // where a person looks at it: 127.0.0.1:PORT
}

// name is that of an app of a pull request.
func (p *platform) name(pr int, part string) string {
	return fmt.Sprintf("%s%d-%s", p.prefix, pr, part)
}

// host is where it is visited.
func (p *platform) host(pr int, part string) string { return p.name(pr, part) + ".apps.test" }

// services are the lines of the platform's service, and of a Paastis that trusts it.
func (p *platform) services(paastis string) string {
	aliases := []string{"auth.scalingo.com", "api.osc-fr1.scalingo.com"}
	for pr := 1; pr <= p.pullRequests; pr++ {
		for _, part := range []string{"front", "back"} {
			aliases = append(aliases, p.name(pr, part)+".osc-fr1.scalingo.io")
		}
	}
	return fmt.Sprintf(`
  platform:
    image: paastis/demo-platform
    container_name: %[1]s-platform
    labels: {e2e: %[1]s}
    environment: {PREFIX: %[2]s, PULL_REQUESTS: "%[3]d", BOOT: %[4]s, DOWN: %[5]s, PER_MINUTE: "100000", IN_FLIGHT: "100", AUTHORITY: /config/ca.pem}
    volumes: [%[6]s:/config]
    ports: ["127.0.0.1::8080"]
    networks: {default: {aliases: [%[7]s]}}
  paastis:
    image: paastis/paastis
    container_name: %[1]s-paastis
    command: ["--config", "/config/paastis.yml"]
    labels: {e2e: %[1]s}
    depends_on: {platform: {condition: service_healthy}}
    volumes: [%[6]s:/config, /var/run/docker.sock:/var/run/docker.sock]
    environment: [%[8]s]
%[9]s`, p.testServer.name, p.prefix, p.pullRequests, p.boot, p.down, p.dir, quoted(aliases), paastis, p.pid())
}

// servePlatform starts a platform, a Paastis and a Traefik that trust it, and waits until all its
// apps are known.
func servePlatform(t *testing.T, name string, p platform, paastisYML string, env ...string) *platform {
	t.Helper()
	p.testServer = newTestServer(t, name)
	p.traefikFlags = append(p.traefikFlags, dropIdle, "--providers.http.endpoint=http://"+name+"-paastis:3000/traefik/config", "--providers.http.pollInterval=1s",
		"--providers.file.filename=/config/dynamic.yml")
	p.direct, p.hostPID = true, true
	p.traefikMore = "environment: {SSL_CERT_FILE: /config/ca.pem}\ndepends_on: {platform: {condition: service_healthy}}\n"
	p.prefix, p.boot, p.down = cmp.Or(p.prefix, "e2e-app-review-pr"), cmp.Or(p.boot, "500ms"), cmp.Or(p.down, "200ms")
	p.write("paastis.yml", paastisYML)
	p.write("dynamic.yml", dynamicFor(&p))
	settings := p.settings(append([]string{"SSL_CERT_FILE=/config/ca.pem", "PAASTIS_WAKE_LIMIT=0", "PAASTIS_LOG_LEVEL=info"}, env...))
	p.upWithTraefik(name+"-paastis:3000", p.services(quoted(settings)))
	p.dashboard = strings.TrimSpace(docker(t, "port", name+"-platform", "8080"))
	return &p
}

// dynamicFor is Traefik's own configuration of the first pull request in ForwardAuth, as somebody
// writes it who does not have its routes published: by the name under which the platform has it.
func dynamicFor(p *platform) string {
	var b strings.Builder
	b.WriteString("http:\n  routers:\n")
	for _, part := range []string{"front", "back"} {
		fmt.Fprintf(&b, "    %[1]s: {rule: 'Host(`%[1]s.file.test`)', service: %[1]s, middlewares: [%[1]s-auth]}\n", p.name(1, part))
	}
	b.WriteString("  middlewares:\n")
	for _, part := range []string{"front", "back"} {
		fmt.Fprintf(&b, "    %[1]s-auth: {forwardAuth: {address: 'http://%[2]s-paastis:3000/auth?app=%[1]s'}}\n", p.name(1, part), p.testServer.name)
	}
	b.WriteString("  services:\n")
	for _, part := range []string{"front", "back"} {
		fmt.Fprintf(&b, "    %[1]s: {loadBalancer: {passHostHeader: false, servers: [{url: 'https://%[1]s.osc-fr1.scalingo.io'}]}}\n", p.name(1, part))
	}
	return b.String()
}

// told is what the platform's dashboard says.
func (p *platform) told(path string) string {
	resp, err := http.Get("http://" + p.dashboard + path)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return strings.TrimSpace(string(text))
}

// status is an app's at the platform, and what it is scaled to: "stopped web:0:M".
func (p *platform) status(app string) string { return p.told("/apps/" + app) }

// isAsleep reports whether the platform runs nothing of a pull request.
func (p *platform) isAsleep(pr int) bool {
	return strings.HasPrefix(p.status(p.name(pr, "front")), "stopped") && strings.HasPrefix(p.status(p.name(pr, "back")), "stopped")
}

// calls is the table of the calls that the platform got.
func (p *platform) calls() string { return p.told("/calls") }

// reviewApps is the one rule that they need.
const reviewApps = `
rules:
  - pattern: '^e2e-app-review-pr(\d+)-(front|back)$'
    host: '{name}.apps.test'
    linked_apps: ['e2e-app-review-pr$1-front', 'e2e-app-review-pr$1-back']
    max_idle_time: 3s
`

const scalingo = "provider: scalingo\nscalingo: {token: tk-us-of-the-demo, calls_per_minute: '100000'}\n"

// Each wrong answer would be one of the platform's router, which answers 503 while an app sleeps, or
// of a front whose back is not up.
func TestCyclesOfReviewAppsOnAPlatformAreWithoutOneWrongAnswer(t *testing.T) {
	p := servePlatform(t, "e2e-platform", platform{pullRequests: 8}, scalingo+reviewApps)
	c := &reviewCycles{platform: p, visitors: p.visit()}
	total := number(t, "CYCLES", 14)
	c.left.Store(int64(total))
	began := time.Now()
	var all sync.WaitGroup
	for pr := 2; pr <= p.pullRequests; pr++ {
		all.Go(func() {
			for c.left.Add(-1) >= 0 && c.cycle(pr) {
				c.done.Add(1)
			}
		})
	}
	all.Wait()
	n, kinds := c.answers()
	t.Logf("%d cycles in %s; %d answers: %s\n%s", c.done.Load(), time.Since(began).Round(time.Second), n, kinds, p.calls())
	c.judge()
	if c.done.Load() < int64(total) {
		t.Errorf("only %d of %d cycles came to their end", c.done.Load(), total)
	}
}

// reviewCycles is a run of them.
type reviewCycles struct {
	*platform
	*visitors
	left, done atomic.Int64
}

// cycle wakes a pull request out of its sleep by a burst of all kinds of visitors to both halves,
// and in every other case comes once more just when it is about to fall asleep.
func (c *reviewCycles) cycle(pr int) bool {
	asleep := false
	for end := time.Now().Add(2 * time.Minute); !asleep && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		asleep = c.isAsleep(pr)
	}
	if !asleep {
		c.t.Errorf("pull request %d was not asleep within two minutes: %s, %s", pr, c.status(c.name(pr, "front")), c.status(c.name(pr, "back")))
		return false
	}
	pause(0, 300*time.Millisecond)
	var burst sync.WaitGroup
	for _, to := range wakes {
		burst.Go(func() {
			pause(0, 100*time.Millisecond)
			part := c.anyPart()
			c.reach(to(c.host(pr, part), c.name(pr, part)), time.Minute)
		})
	}
	c.stream(pr, &burst)
	burst.Wait()
	if rand.IntN(2) == 0 {
		pause(2500*time.Millisecond, 4*time.Second)
		part := c.anyPart()
		c.reach(wakes[rand.IntN(len(wakes))](c.host(pr, part), c.name(pr, part)), time.Minute)
	}
	if rand.IntN(3) == 0 {
		pause(2500*time.Millisecond, 6*time.Second)
		var late sync.WaitGroup
		c.stream(pr, &late)
		late.Wait()
	}
	return true
}

func (c *reviewCycles) anyPart() string { return []string{"front", "back"}[rand.IntN(2)] }

// stream opens what goes on for some seconds: none of it may be cut.
func (c *reviewCycles) stream(pr int, all *sync.WaitGroup) {
	part := c.anyPart()
	host, name := c.host(pr, part), c.name(pr, part)
	all.Go(func() { c.converse(host, name, 500*time.Millisecond, time.Second+rand.N(2*time.Second)) })
	all.Go(func() { c.reach(download(host, name, 1+rand.IntN(2), 20_000), time.Minute) })
}

func TestAnAppOfAPlatformIsReachedByAFileOfTraefiksToo(t *testing.T) {
	p := servePlatform(t, "e2e-platform-file", platform{pullRequests: 2}, scalingo+reviewApps)
	v := p.visit()
	for range 3 {
		p.await("the pull request to sleep", time.Minute, func() bool { return p.isAsleep(1) })
		for _, to := range wakes {
			v.reach(to(p.name(1, "front")+".file.test", p.name(1, "front")), time.Minute)
		}
		if p.isAsleep(1) || !p.isAsleep(2) {
			t.Errorf("pull request 1: %s, and 2: %s", p.status(p.name(1, "back")), p.status(p.name(2, "back")))
		}
	}
	v.judge()
}

// A front in a container beside Paastis needs a back on the platform.
func TestAContainerAndAnAppOfAPlatformWakeTogetherAndSleepInOrder(t *testing.T) {
	p := servePlatform(t, "e2e-platform-linked", platform{pullRequests: 2}, `
providers:
  - {name: docker, type: docker}
  - {name: scalingo, type: scalingo, token: tk-us-of-the-demo, calls_per_minute: '100000'}
rules:
  - pattern: '^e2e-app-review-pr1-back$'
    host: '{name}.apps.test'
    max_idle_time: 3s
  - pattern: '^e2e-platform-linked-shop-front$'
    enable: true
    linked_apps: ['scalingo/e2e-app-review-pr1-back']
    max_idle_time: 3s
`)
	front := app{name: "front", host: "front.test", bare: true, next: "https://e2e-app-review-pr1-back.osc-fr1.scalingo.io/",
		env: []string{"SSL_CERT_FILE=/config/ca.pem"}, more: "volumes: [\"" + p.dir + ":/config\"]\n"}
	p.stack("e2e-platform-linked-shop", true, front)
	const container = "e2e-platform-linked-shop-front-1"
	p.await("Traefik to have the front's route", 30*time.Second, func() bool { return strings.Contains(p.api("/api/http/routers"), "front.test") })
	for range 2 {
		p.await("both to sleep", time.Minute, func() bool {
			return !p.runs(container) && strings.HasPrefix(p.status(p.name(1, "back")), "stopped")
		})
		v := p.visit()
		v.reach(personTo("front.test", "front"), time.Minute)
		v.judge()
		p.await("the front to sleep", time.Minute, func() bool {
			if strings.HasPrefix(p.status(p.name(1, "back")), "stopped") && p.runs(container) {
				t.Error("the back stopped before the front that needs it")
			}
			return !p.runs(container)
		})
	}
}

// runs reports whether a container runs.
func (s *testServer) runs(container string) bool {
	return strings.TrimSpace(docker(s.t, "inspect", "--format", "{{.State.Running}}", container)) == "true"
}
