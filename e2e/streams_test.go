package e2e

import (
	"os"
	"sync"
	"testing"
	"time"
)

// A use of an app that is longer than its max_idle_time of 10 s, and within which no
// new request comes.
type use struct {
	name string // of the app
	do   func(v *visitors, host, app string)
}

// long tells that tests may take as long as what they show does in life.
func long() bool { return os.Getenv("LONG") == "1" }

// either is one thing for LONG=1 and another for all days.
func either[T any](inLife, short T) T {
	if long() {
		return inLife
	}
	return short
}

func talking(v *visitors, host, app string) {
	v.converse(host, app, 20*time.Second, either(2*time.Minute, 41*time.Second))
}

func chatting(v *visitors, host, app string) {
	v.converse(host, app, time.Second, 40*time.Second)
}

func silent(v *visitors, host, app string) {
	how := either(5*time.Minute, 40*time.Second)
	v.converse(host, app, how, how)
}

func listening(v *visitors, host, app string) {
	v.reach(programTo(host, app), time.Minute)
	v.listen(host, app, either(2*time.Minute, 40*time.Second))
}

func downloading(v *visitors, host, app string) {
	v.reach(download(host, app, int(either(time.Minute, 30*time.Second)/time.Second), 50_000), 2*time.Minute)
}

// Where Paastis sees the host's /proc, it counts connections. Traefik keeps those of a
// download for the next request, for 90 s if it is not told otherwise as here, and as
// long the app would be awake.
func TestWhatIsInUseStaysAwakeAndThenSleeps(t *testing.T) {
	t.Parallel() // it waits, most of the time
	inUse(t, "e2e-streams", true, 15*time.Second, use{"talking", talking}, use{"silent", silent}, use{"listening", listening}, use{"downloading", downloading})
}

// Elsewhere it sees their bytes alone. A stream counts as gone once there were too few
// for 90 s, which is looked at each 30 s; on all days it is told to be quicker.
func TestWhatIsInUseStaysAwakeWithoutTheHostsProc(t *testing.T) {
	t.Parallel()
	quiet := either(90*time.Second, 15*time.Second)
	inUse(t, "e2e-streams-noproc", false, quiet+quiet/3+10*time.Second,
		use{"talking", either(talking, chatting)}, use{"listening", listening}, use{"downloading", downloading})
}

// inUse uses apps side by side. None may end before its use does, and each has to be
// asleep within a limit after that.
func inUse(t *testing.T, name string, hostPID bool, limit time.Duration, uses ...use) {
	s := newTestServer(t, name)
	s.hostPID = hostPID
	s.traefikFlags = []string{dropIdle}
	var apps []app
	for _, u := range uses {
		apps = append(apps, app{name: u.name, host: u.name + ".streams.test", static: true})
	}
	s.stack(name+"-apps", true, apps...)
	engine := s.followEngine()
	s.serve("", "PAASTIS_MAX_IDLE_TIME=10s", "PAASTIS_STREAM_QUIET_TIME="+either("90s", "15s"))
	v := s.visit()
	var all sync.WaitGroup
	for _, u := range uses {
		all.Go(func() {
			began := time.Now()
			u.do(v, u.name+".streams.test", u.name)
			over, container := time.Now(), name+"-apps-"+u.name+"-1"
			if ends := engine.of(container, "die", began); len(ends) > 0 {
				t.Errorf("%s: the app ended %s into its use", u.name, ends[0].at.Sub(began))
			}
			if !engine.awaitAsleep(container, limit) {
				t.Errorf("%s: awake %s after its use", u.name, limit)
				return
			}
			_, at := engine.asleep(container)
			t.Logf("%s: used for %s, asleep %s later", u.name, over.Sub(began).Round(time.Second), at.Sub(over).Round(100*time.Millisecond))
		})
	}
	all.Wait()
	v.judge()
}
