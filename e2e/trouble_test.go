package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// noticed is how long it may take until an engine is known not to answer, or to be back.
const noticed = 45 * time.Second

// trouble is a time in which the second engine does not answer.
type trouble struct {
	*testServer
	engine     *engine
	begin, end func()
	serves     bool // its awake apps answer all the same

	over   chan struct{}
	coming sync.WaitGroup
}

// pass goes through it: visitors of the first engine's apps notice nothing, those of the second
// one's are told, and what was awake there is awake afterwards.
func (x *trouble) pass() {
	x.t.Helper()
	near, other, awake := x.visit(), x.visit(), programTo("far-awake.test", "awake")
	other.reach(awake, time.Minute)
	for _, name := range []string{"front", "filed"} {
		x.engine.awaitAsleep("far/"+across+"-"+name+"-1", time.Minute)
	}
	time.Sleep(3 * time.Second) // Paastis has heard of it, too
	x.over = make(chan struct{})
	x.come(near, personTo("near-web.test", "near-web"))
	x.come(near, postTo("near-web.test", "near-web"))
	began := time.Now()
	x.begin()
	if x.serves {
		x.come(other, awake, fromApp)
		x.come(near, programTo("near-front.test", "near-front")) // it needs an app there
	}
	x.saysSo(other)
	x.end()
	back := time.Now()
	x.t.Logf("the second engine was away for %s", time.Since(began).Round(time.Second))
	x.await("the second engine to be followed again", noticed, func() bool { return x.connected("far") })
	x.come(other, awake, fromApp)
	other.reach(personTo("far-front.test", "far-front"), time.Minute)
	other.reach(programTo("filed.test", "filed"), time.Minute)
	x.t.Logf("its apps woke again within %s", time.Since(back).Round(time.Second))
	close(x.over)
	x.coming.Wait()
	if died := x.engine.of("far/"+across+"-awake-1", "die", began); len(died) > 0 {
		x.t.Errorf("an app that was used within its idle time was stopped: %v", died)
	}
	for whose, v := range map[string]*visitors{"the first": near, "the second": other} {
		n, kinds := v.answers()
		x.t.Logf("%d answers of apps of %s engine: %s", n, whose, kinds)
		v.judge()
	}
}

// come makes a call again and again until the trouble is over. None of the answers may be wrong,
// and all are of one of the classes, if some are named.
func (x *trouble) come(v *visitors, c call, want ...class) {
	x.coming.Go(func() {
		for {
			select {
			case <-x.over:
				return
			case <-time.After(200 * time.Millisecond):
			}
			if k, a := v.ask(c); k != wrong && len(want) > 0 && k != want[0] {
				v.blame(mishap{began: time.Now().Add(-a.took), ended: time.Now(), call: c, got: a, why: "it was awake"})
			}
		}
	})
}

// saysSo waits until those are told why they are not served who come to sleeping apps of the
// second engine, and the owner of all.
func (x *trouble) saysSo(v *visitors) {
	x.t.Helper()
	for _, c := range []call{personTo("far-front.test", "far-front"), programTo("filed.test", "filed")} {
		x.await(c.host+" to say why it does not wake", noticed, func() bool {
			k, a := v.ask(c)
			return (k == page || k == problem) && strings.Contains(a.body, "its provider cannot be reached")
		})
	}
	x.await("an owner to be told", noticed, func() bool { return !x.connected("far") })
}

// connected tells what the admin API says of a provider; false as well if it says nothing.
func (s *testServer) connected(provider string) bool {
	s.t.Helper()
	address := strings.TrimSpace(docker(s.t, "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", s.name+"-paastis"))
	req, err := http.NewRequest("GET", "http://"+address+":8091/api/v1/health", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer correct-horse-battery-staple")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var health struct {
		Providers []struct {
			Name      string
			Connected bool
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&health); err != nil {
		s.t.Fatal(err)
	}
	for _, p := range health.Providers {
		if p.Name == provider {
			return p.Connected
		}
	}
	return false
}
