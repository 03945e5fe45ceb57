package e2e

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestEachFaultIsToldInOneLineThatSaysWhereAndWhatToDo(t *testing.T) {
	s := newTestServer(t, "e2e-faults-site")
	s.stack("e2e-faults", true,
		app{name: "typo", host: "typo.test", static: true, labels: []string{"paastis.max_idel_time=5m"}},
		app{name: "rule", host: "rule.test`) && (", static: true},
		app{name: "link", host: "link.test", static: true, labels: []string{"paastis.linked_apps=e2e-faults-nobody"}})
	s.serve("")
	for what, words := range map[string][]string{
		"a label with a typo":            {"max_idel_time", "max_idle_time", "e2e-faults-typo-1"},
		"a rule that does not parse":     {"e2e-faults-rule", "e2e-faults-rule-1", "not recognised"},
		"a linked app that is not there": {"e2e-faults-nobody", "does not exist", "e2e-faults-link-1"},
	} {
		for from, text := range map[string]string{
			"paastis check": docker(t, "exec", s.name+"-paastis", "/paastis", "check", "--config", "/config/paastis.yml"),
			"the log":       s.log(),
		} {
			if !hasLine(text, words) {
				t.Errorf("%s has no line on %s with %q:\n%s", from, what, words, text)
			}
		}
	}
	if got := s.browseUntilAwake("link.test", 10*time.Second); got.status != 200 {
		t.Errorf("a missing linked app held up the wake: %s", got)
	}
}

// log is what this site's Paastis has said.
func (s *testServer) log() string {
	out, err := exec.Command("docker", "logs", s.name+"-paastis").CombinedOutput()
	if err != nil {
		s.t.Fatal(err)
	}
	return string(out)
}

// hasLine tells that one line has all the words.
func hasLine(text string, words []string) bool {
	for line := range strings.Lines(text) {
		found := 0
		for _, w := range words {
			if strings.Contains(line, w) {
				found++
			}
		}
		if found == len(words) {
			return true
		}
	}
	return false
}
