package e2e

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// visitors are all who come to a site in a test. They follow no redirect by themselves,
// and every answer that they get is classed and counted.
type visitors struct {
	site   *testServer
	client *http.Client
	// excuse explains an answer that is wrong by a fault that the test made; empty: it
	// cannot. Nil: no answer is explained.
	excuse func(m mishap) string

	mu        sync.Mutex
	counts    map[class]int
	wrong     []mishap
	explained map[string]int
}

// mishap is a wrong answer, word for word.
type mishap struct {
	began, ended time.Time
	call         call
	got          answer
	err          error
	why          string // why it is wrong, where the answer does not show it
}

func (m mishap) String() string {
	return fmt.Sprintf("%s to %s: %s\n  got %s %v\n  error %v %s", m.began.Format("15:04:05.000"), m.ended.Format("15:04:05.000"),
		m.call, m.got, m.got.header, m.err, m.why)
}

// visit makes visitors for a site that serves.
func (s *testServer) visit() *visitors {
	return &visitors{site: s, counts: map[class]int{}, explained: map[string]int{}, client: &http.Client{
		Timeout:       2 * time.Minute, // a download of a minute, and its wake
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, s.traefik)
			},
			MaxIdleConnsPerHost: 8,
		},
	}}
}

// ask makes one call and counts its answer.
func (v *visitors) ask(c call) (class, answer) {
	began := time.Now()
	a, err := v.send(c)
	k := c.classify(a, err)
	if k == wrong {
		v.blame(mishap{began: began, ended: time.Now(), call: c, got: a, err: err})
		return k, a
	}
	v.count(k)
	return k, a
}

func (v *visitors) send(c call) (answer, error) {
	var body io.Reader
	if c.body != "" {
		body = strings.NewReader(c.body)
	}
	req, err := http.NewRequest(c.method, c.url(), body)
	if err != nil {
		return answer{}, err
	}
	for _, h := range c.header {
		key, value, _ := strings.Cut(h, ": ")
		req.Header.Set(key, value)
	}
	began := time.Now()
	resp, err := v.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(got), time.Since(began)}, err
}

// reach makes a call until the app itself answers it: a person comes back after a
// while, a program follows a 307 at once and otherwise asks again when it is told to.
// It returns the app's answer; false if there was none in time.
func (v *visitors) reach(c call, limit time.Duration) (answer, bool) {
	began := time.Now()
	for time.Since(began) < limit {
		k, a := v.ask(c)
		switch k {
		case fromApp:
			return a, true
		case page:
			time.Sleep(300 * time.Millisecond)
		case problem, wrong:
			time.Sleep(time.Second)
		}
	}
	v.blame(mishap{began: began, ended: time.Now(), call: c, why: "the app never answered"})
	return answer{}, false
}

func (v *visitors) count(k class) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.counts[k]++
}

// blame counts a wrong answer, as explained if it is.
func (v *visitors) blame(m mishap) {
	why := ""
	if v.excuse != nil {
		why = v.excuse(m)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if why != "" {
		v.explained[why]++
		return
	}
	v.counts[wrong]++
	v.wrong = append(v.wrong, m)
}

// answers is how many there were, and of which classes.
func (v *visitors) answers() (int, string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	total := 0
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(v.counts)) {
		total += v.counts[k]
		parts = append(parts, fmt.Sprintf("%s %d", k, v.counts[k]))
	}
	for _, why := range slices.Sorted(maps.Keys(v.explained)) {
		total += v.explained[why]
		parts = append(parts, fmt.Sprintf("explained by %s %d", why, v.explained[why]))
	}
	return total, strings.Join(parts, ", ")
}

// judge fails the test if a single answer was wrong, and shows what the site said
// around the first ones.
func (v *visitors) judge() {
	v.site.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, m := range v.wrong {
		v.site.t.Errorf("wrong answer %d of %d: %s", i+1, len(v.wrong), m)
		if i < 3 {
			v.site.t.Log(v.site.logAround(m.began.Add(-3*time.Second), m.ended.Add(time.Second)))
		}
		if i == 20 {
			break
		}
	}
}

// logAround is what Paastis and Traefik said in a stretch of time.
func (s *testServer) logAround(since, until time.Time) string {
	var b strings.Builder
	for _, who := range []string{"-paastis", "-traefik"} {
		out, _ := exec.Command("docker", "logs", "--since", stamp(since), "--until", stamp(until), s.name+who).CombinedOutput()
		fmt.Fprintf(&b, "%s said around that:\n%s", s.name+who, out)
	}
	return cmp.Or(b.String(), "nothing was said")
}
