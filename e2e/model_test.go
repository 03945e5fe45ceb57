package e2e

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// model is what Compose makes of a compose file.
type model struct {
	Services map[string]struct {
		DependsOn map[string]struct {
			Condition string
			Required  bool
		} `json:"depends_on"`
	}
}

func readModel(t *testing.T, config *exec.Cmd) model {
	t.Helper()
	out, err := config.Output()
	if err != nil {
		t.Fatalf("docker compose config: %v\n%s", err, out)
	}
	var m model
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// happening is what the engine tells of a container: that it was started, healthy, or ended.
type happening struct {
	at                    time.Time
	Action, service, code string
}

func (e happening) String() string { return strings.TrimSpace(e.Action+" "+e.service) + e.code }

// chronicle is what happens to a stack, in order. The engine remembers its last 256 events
// alone, and each health check makes three: so it is listened to all the time.
type chronicle struct {
	mu  sync.Mutex
	all []happening
}

// since is what has happened since a time.
func (c *chronicle) since(t time.Time) []happening {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.all), func(e happening) bool { return e.at.Before(t) })
}

// listen begins a stack's chronicle, which ends with the test.
func (h *household) listen() {
	h.t.Helper()
	cmd := exec.Command("docker", "events", "--since", stamp(h.began), "--filter", "label=com.docker.compose.project="+h.project,
		"--filter", "event=start", "--filter", "event=die", "--filter", "event=health_status", "--format",
		`{{.TimeNano}};{{.Action}};{{index .Actor.Attributes "com.docker.compose.service"}};{{index .Actor.Attributes "exitCode"}}`)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		h.t.Fatalf("docker events: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			part := strings.Split(lines.Text(), ";")
			nanoseconds, _ := strconv.ParseInt(part[0], 10, 64)
			h.chronicle.mu.Lock()
			h.chronicle.all = append(h.chronicle.all, happening{time.Unix(0, nanoseconds), part[1], part[2], part[3]})
			h.chronicle.mu.Unlock()
		}
	}()
	h.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
	})
}

// findOrder looks whether all that was started since a time was started after what it depends on
// had come as far as it asks for, and whether all that ended did so before that.
func (h *household) findOrder(since time.Time) {
	h.t.Helper()
	happened := h.chronicle.since(h.began)
	was := map[string]happening{} // :: service → what happened to it last
	for _, e := range happened {
		if !e.at.Before(since) {
			h.findTurn(e, was, happened)
		}
		was[e.service] = e
	}
}

// findTurn looks whether something happened in its turn.
func (h *household) findTurn(e happening, was map[string]happening, happened []happening) {
	h.t.Helper()
	for name, d := range h.model.Services[e.service].DependsOn {
		if e.Action == "start" && d.Required && !was[name].is(d.Condition) {
			h.t.Errorf("%s was started when %s was %q: %v", e.service, name, was[name].Action, happened)
		}
	}
	if e.Action != "die" || h.job(e.service) {
		return
	}
	for name, s := range h.model.Services {
		if d, depends := s.DependsOn[e.service]; depends && d.Required && was[name].runs() && !h.job(name) {
			h.t.Errorf("%s ended before %s, which depends on it: %v", e.service, name, happened)
		}
	}
}

func (e happening) runs() bool {
	return e.Action == "start" || strings.HasPrefix(e.Action, "health_status")
}

// is tells that a service is as far as a condition of Compose's asks for.
func (e happening) is(condition string) bool {
	switch condition {
	case "service_completed_successfully":
		return e.Action == "die" && e.code == "0"
	case "service_healthy":
		return e.Action == "health_status: healthy"
	default:
		return e.runs()
	}
}

// job tells that a service ends by itself.
func (h *household) job(name string) bool {
	return slices.Contains(h.jobs, name)
}
