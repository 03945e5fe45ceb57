package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// published is a stack that people run, in a folder of stacks/: the services, links, health
// checks, networks and volumes that the app's documentation publishes, with the demo's image in
// place of its own, and with the labels that ours leads to.
type published struct {
	folder string
	visits []visit
	// profiles that are asked for, beside those without one.
	profiles string
	// jobs end by themselves; none of them may run when all is awake.
	jobs []string
	// warned are parts of what `paastis check` has to say of it: what is in the user's hands.
	warned []string
}

// visit is what somebody opens.
type visit struct {
	call
	// wakes are the services that have to run by then; nil: all of them, but for jobs.
	wakes []string
}

// opens is a person's visit to an app.
func opens(host, app string) visit { return visit{call: personTo(host, app)} }

// below is the same call at another path.
func (c call) below(path string) call {
	c.path = path
	return c
}

// unreached is what check tells of services without a health check on a network that Paastis is
// not on: it depends on the engine whether anybody sees them listen.
var unreached = []string{"they share no network, so its probe cannot reach it"}

// stacks are those of the folder, and what is right with each of them.
var stacks = []published{
	{folder: "airflow", visits: []visit{opens("airflow.test", "apiserver")}, jobs: []string{"airflow-init"}},
	{folder: "authentik", visits: []visit{opens("authentik.test", "server"), {call: programTo("authentik.test", "server")}}},
	{folder: "ghost", visits: []visit{opens("ghost.test", "ghost")}, profiles: "activitypub", jobs: []string{"activitypub-migrate"}, warned: unreached},
	{folder: "gitea", visits: []visit{opens("gitea.test", "gitea"), {call: programTo("gitea.test", "gitea")}}, warned: unreached},
	{folder: "gluetun", visits: []visit{opens("qbittorrent.test", "qbittorrent"), opens("sonarr.test", "sonarr")}},
	{folder: "immich", visits: []visit{opens("immich.test", "immich-server"), {call: postTo("immich.test", "immich-server")}}},
	{folder: "mastodon", visits: []visit{
		opens("mastodon.test", "web"),
		{programTo("mastodon.test", "streaming").below("/api/v1/streaming"), []string{"streaming", "db", "redis"}},
	}},
	{folder: "n8n", visits: []visit{opens("n8n.test", "n8n"), {call: programTo("n8n.test", "n8n")}}, warned: unreached},
	{folder: "nextcloud", visits: []visit{opens("nextcloud.test", "app"), {call: programTo("nextcloud.test", "app")}}, warned: unreached},
	{folder: "paperless", visits: []visit{opens("paperless.test", "webserver")}, warned: unreached},
	{folder: "signoz", visits: []visit{opens("signoz.test", "signoz")}, jobs: []string{"init-clickhouse", "signoz-telemetrystore-migrator"}, warned: unreached},
	{folder: "supabase", visits: []visit{opens("supabase.test", "kong")}, warned: unreached},
	{folder: "vaultwarden", visits: []visit{opens("vaultwarden.test", "vaultwarden"), {call: programTo("vaultwarden.test", "vaultwarden").below("/notifications/hub")}}},
	{folder: "zammad", visits: []visit{opens("zammad.test", "nginx")}, jobs: []string{"zammad-init"}, warned: unreached},
	{folder: "zitadel", visits: []visit{
		opens("zitadel.test", "login"),
		{programTo("zitadel.test", "zitadel").below("/api/x"), []string{"zitadel-api", "postgres"}},
		{personTo("zitadel.test", "zitadel").below("/ui/console"), []string{"zitadel-api", "postgres"}},
	}},
}

// stacksAtOnce is how many of the stacks are brought up at once.
const stacksAtOnce = 5

// Each stack lives in one of the modes, and in both with LONG=1 (make stacks): the registry's
// tests play all of them in both each time.
func TestStacksThatPeopleRunSleepAndWake(t *testing.T) {
	for turn, mode := range []string{"forwardauth", "direct"} {
		t.Run(mode, func(t *testing.T) {
			s := newTestServer(t, "e2e-stacks")
			s.hostPID, s.traefikFlags = true, []string{dropIdle}
			env := []string{"PAASTIS_MAX_IDLE_TIME=6s"}
			if mode == "direct" { // there is no route to wait for so far
				env = append(env, "PAASTIS_TRAEFIK_API_URL=http://"+s.name+"-traefik:8080")
				s.traefikFlags = append(s.traefikFlags, "--providers.http.endpoint=http://"+s.name+"-paastis:3000/traefik/config", "--providers.http.pollInterval=1s")
			} else {
				env = append(env, "PAASTIS_MODE=forwardauth")
			}
			s.serve("", env...)
			var all sync.WaitGroup
			defer all.Wait()
			turns := make(chan struct{}, stacksAtOnce)
			for i, p := range stacks {
				if !long() && i%2 != turn {
					continue
				}
				turns <- struct{}{}
				all.Go(func() {
					defer func() { <-turns }()
					t.Run(p.folder, func(t *testing.T) { s.of(t).bring(p).live() })
				})
			}
		})
	}
}

func TestEveryPublishedStackIsTested(t *testing.T) {
	folders, err := filepath.Glob("stacks/*")
	if err != nil {
		t.Fatal(err)
	}
	for i, folder := range folders {
		folders[i] = filepath.Base(folder)
	}
	var tested []string
	for _, p := range stacks {
		tested = append(tested, p.folder)
	}
	if !slices.Equal(folders, tested) {
		t.Errorf("in stacks/ are %q, tested are %q", folders, tested)
	}
}

// of is the site for a test that shares it.
func (s *testServer) of(t *testing.T) *testServer {
	shared := *s
	shared.t = t
	return &shared
}

// household is a published stack at a site.
type household struct {
	*testServer
	published
	project string
	model   model
	began   time.Time
	// chronicle is what has happened to it so far.
	chronicle chronicle
}

// bring brings a stack up as its compose file is. Beside that file a second one adds what is
// this site's alone: its network, and the label by which its Traefik knows its own.
func (s *testServer) bring(p published) *household {
	s.t.Helper()
	file := filepath.Join("stacks", p.folder, "compose.yml")
	h := &household{testServer: s, published: p, project: "e2e-" + p.folder, began: time.Now()}
	own := "networks: {web: {name: " + s.name + ", external: true}}\nservices:\n"
	h.model = readModel(s.t, h.command("-f", file, "config", "--format", "json"))
	for name := range h.model.Services {
		own += fmt.Sprintf("  %s: {labels: {e2e: %s}}\n", name, s.name)
	}
	files := []string{"-f", file, "-f", s.write(p.folder+".yml", own)}
	down := append(slices.Clone(files), "down", "-t", "0", "-v", "--remove-orphans")
	_ = h.command(down...).Run() // what an earlier run that was killed may have left
	s.t.Cleanup(func() { _ = h.command(down...).Run() })
	h.listen()
	if out, err := h.command(append(files, "up", "-d")...).CombinedOutput(); err != nil {
		s.t.Fatalf("docker compose up: %v\n%s", err, out)
	}
	return h
}

// command is one of Compose's.
func (h *household) command(args ...string) *exec.Cmd {
	cmd := exec.Command("docker", append([]string{"compose"}, args...)...)
	cmd.Env = append(cmd.Environ(), "MIDDLEWARE="+h.name, "WEB="+h.name, "COMPOSE_PROFILES="+h.profiles)
	return cmd
}

// live is a stack's day: the visits while it is up, a sleep, and a wake by each visit, with a
// sleep after it.
func (h *household) live() {
	h.t.Helper()
	for _, v := range h.visits {
		h.await("Traefik to know the router", 10*time.Second, func() bool {
			got, err := h.send(v.method, v.host, v.path, nil, v.header...)
			return err == nil && got.status != http.StatusNotFound
		})
		h.visit(v)
	}
	h.check()
	h.sleep(time.Now()) // while it was brought up, some may have slept again already
	for _, v := range h.visits {
		asked := time.Now()
		h.visit(v)
		h.findAwake(v)
		h.findOrder(asked)
		h.t.Logf("%s answers after %s", v.host, time.Since(asked).Round(100*time.Millisecond))
		h.sleep(asked)
	}
}

// sleep waits until nothing of the stack runs, and looks whether each stopped before what it
// depends on.
func (h *household) sleep(since time.Time) {
	h.t.Helper()
	awake := time.Now()
	h.awaitAsleep(2*time.Minute, h.project)
	h.findOrder(since)
	h.t.Logf("asleep after %s", time.Since(awake).Round(100*time.Millisecond))
}

// visit asks until the app itself answers. Nothing else may answer than the waiting page, a
// problem document or the request to come again.
func (h *household) visit(v visit) {
	h.t.Helper()
	var last answer
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		got, err := h.send(v.method, v.host, v.path, strings.NewReader(v.body), v.header...)
		last = got
		switch v.classify(got, err) {
		case fromApp:
			return
		case wrong:
			h.t.Fatalf("%s\nis answered %s, %v", v.call, got, err)
		}
		if got.status == http.StatusServiceUnavailable && got.header.Get("X-Paastis-State") == "failed" {
			h.t.Fatalf("%s\nfails: %s", v.call, got)
		}
	}
	h.t.Fatalf("%s\nis not answered by the app within a minute, but %s", v.call, last)
}

// findAwake looks whether all that a visit needs is there as soon as it is answered.
func (h *household) findAwake(v visit) {
	h.t.Helper()
	state := h.states()
	for name := range h.model.Services {
		switch is := state[name]; {
		case slices.Contains(h.jobs, name):
			if is != "exited" && is != "created" {
				h.t.Errorf("the job %s is %s once %s has answered", name, is, v.host)
			}
		case v.wakes != nil && !slices.Contains(v.wakes, name):
			if is != "exited" {
				h.t.Errorf("%s is %s, and %s does not need it", name, is, v.host)
			}
		case is != "running" && is != "healthy":
			h.t.Errorf("%s is %q once %s has answered", name, is, v.host)
		}
	}
}

// states are those of the stack's containers: that of the health check where one runs.
func (h *household) states() map[string]string {
	h.t.Helper()
	states := map[string]string{}
	for line := range strings.Lines(docker(h.t, "ps", "-a", "--filter", "label=com.docker.compose.project="+h.project,
		"--format", `{{.Label "com.docker.compose.service"}};{{.State}};{{.Status}}`)) {
		part := strings.Split(strings.TrimSpace(line), ";")
		states[part[0]] = part[1]
		if _, health, ok := strings.Cut(part[2], "("); ok && part[1] == "running" {
			states[part[0]] = strings.TrimSuffix(health, ")")
		}
	}
	return states
}

// check has Paastis look at the labels, and fails for each warning of this stack that is not
// in the user's hands.
func (h *household) check() {
	h.t.Helper()
	missing := slices.Clone(h.warned)
	for line := range strings.Lines(docker(h.t, "exec", h.name+"-paastis", "/paastis", "--config", "/config/paastis.yml", "check")) {
		if !strings.HasPrefix(line, "warning: ") || !strings.Contains(line, h.project) {
			continue
		}
		told := slices.IndexFunc(h.warned, func(part string) bool { return strings.Contains(line, part) })
		if told < 0 {
			h.t.Errorf("paastis check says: %s", line)
			continue
		}
		missing = slices.DeleteFunc(missing, func(part string) bool { return part == h.warned[told] })
	}
	if len(missing) > 0 {
		h.t.Errorf("paastis check does not tell %q", missing)
	}
}
