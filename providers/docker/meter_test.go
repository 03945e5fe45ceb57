package docker

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	api "github.com/moby/moby/api/types/container"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/provider"
)

// What testdata/stats.json tells.
const (
	statsBytes = 1636 + 182
	statsCPU   = 1272557135 * time.Nanosecond
	// statsMemory is what `docker stats` makes of it.
	statsMemory = 2363392
)

// proc is a /proc with these processes.
func proc(t *testing.T, processes map[int]fstest.MapFS) func(*Config) {
	t.Helper()
	root := t.TempDir()
	for pid, process := range processes {
		if err := os.CopyFS(filepath.Join(root, strconv.Itoa(pid)), process); err != nil {
			t.Fatal(err)
		}
	}
	return func(c *Config) { c.Proc = root }
}

// blind is a /proc that shows nothing.
func blind(t *testing.T) func(*Config) { return proc(t, nil) }

// procUsage is what processIn tells, with so many connections.
func procUsage(connections int) idle.Usage {
	return idle.Usage{Bytes: 1434 + 116, Packets: 17 + 2, Sent: 2, Connections: connections}
}

func processed(pid int) func(*api.InspectResponse) {
	return func(c *api.InspectResponse) { c.State.Pid = pid }
}

func measured(t *testing.T, p *Provider, name string, want provider.Want) idle.Usage {
	t.Helper()
	usage, err := p.Measure(t.Context(), name, want)
	if err != nil {
		t.Fatal(err)
	}
	return usage
}

// statsOf are the calls for stats.
func statsOf(calls []string) []string {
	var all []string
	for _, call := range calls {
		if len(call) > 5 && call[:5] == "stats" {
			all = append(all, call)
		}
	}
	return sorted(all)
}

func TestAppIsMeasuredByTheHostsProcWhereItShows(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	web := another(t, "web", "tty", processed(41))
	e.add(web)
	p := e.provider(proc(t, map[int]fstest.MapFS{41: processIn(web.ID)}))
	equal(t, "usage", measured(t, p, "web", provider.Want{Ports: []uint16{8080}}), procUsage(2))
	equal(t, "any port", measured(t, p, "web", provider.Want{}).Connections, 2)
	equal(t, "stats", statsOf(e.made()), []string(nil))
	equal(t, "with CPU", measured(t, p, "web", provider.Want{Ports: []uint16{8080}, CPU: true}),
		idle.Usage{Bytes: 1434 + 116, Packets: 17 + 2, Sent: 2, CPU: statsCPU, Connections: 2, Memory: statsMemory})
	equal(t, "stats", statsOf(e.made()), []string{"stats web"})
}

func TestAppIsMeasuredByTheEngineWhereProcDoesNotShow(t *testing.T) {
	t.Parallel()
	unreadable := processIn(another(t, "web", "tty").ID)
	unreadable["net/tcp"] = file("?: ? ? ?\n")
	for name, processes := range map[string]map[int]fstest.MapFS{
		"no process of that number":      {42: processIn(another(t, "web", "tty").ID)},
		"the process of another":         {41: processIn(ownID)},
		"a process on the host":          {41: {"mountinfo": file("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"), "net/dev": file(netDev)}},
		"a process that cannot be read":  {41: unreadable},
		"a process that shows no mounts": {41: {"net/dev": file(netDev), "net/tcp": file(netTCP)}},
	} {
		e := newEngine(t)
		e.add(another(t, "web", "tty", processed(41)))
		equal(t, name, measured(t, e.provider(proc(t, processes)), "web", provider.Want{Ports: []uint16{8080}}),
			idle.Usage{Bytes: statsBytes, Packets: 20 + 3, Sent: 3, CPU: statsCPU, Connections: idle.UnknownConnections, Memory: statsMemory})
		equal(t, name, statsOf(e.made()), []string{"stats web"})
	}
}

func TestEngineOf1903IsAskedForStatsAsWell(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.transport.RegisterResponder("GET", "/v1.40/containers/json", e.list)
	e.transport.RegisterResponder("GET", `=~^/v1\.40/containers/\w+/json$`, e.inspect)
	e.add(another(t, "web", "tty"))
	p := e.provider(blind(t), func(c *Config) { c.APIVersion = "1.40" })
	equal(t, "bytes", measured(t, p, "web", provider.Want{}).Bytes, uint64(statsBytes))
}

func TestRunningContainersOfAnAppAreAddedUp(t *testing.T) {
	t.Parallel()
	e := shop(t) // of which one runs
	e.change("web-1", processed(41))
	e.change("web-2", runs, processed(42))
	processes := map[int]fstest.MapFS{41: processIn(e.id("web-1")), 42: processIn(e.id("web-2"))}
	got := measured(t, e.provider(proc(t, processes)), "shop-web", provider.Want{Ports: []uint16{8080}, CPU: true})
	equal(t, "usage", got, idle.Usage{Bytes: 2 * (1434 + 116), Packets: 2 * 19, Sent: 2 * 2, CPU: 2 * statsCPU, Connections: 4, Memory: 2 * statsMemory})
	equal(t, "stats", statsOf(e.made()), []string{"stats web-1", "stats web-2"})
}

func TestConnectionsOfWhichSomeAreUnseen(t *testing.T) {
	t.Parallel()
	const unknown = idle.UnknownConnections
	for _, c := range []struct {
		of   []int
		want int
	}{
		{[]int{1, 2}, 3},
		{[]int{0, 0}, 0},
		{[]int{unknown, 2, unknown, 1}, 3},
		{[]int{0, unknown}, unknown},
		{[]int{unknown, unknown}, unknown},
	} {
		var usages []idle.Usage
		for _, n := range c.of {
			usages = append(usages, idle.Usage{Connections: n})
		}
		equal(t, "sum", idle.Sum(usages), idle.Usage{Connections: c.want})
	}
}

func TestContainersAreMeasuredInParallel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := shop(t)
		e.change("web-2", runs)
		p := e.provider(blind(t))
		release := []func(){e.hold("stats web-1"), e.hold("stats web-2")}
		done := make(chan struct{})
		go func() {
			defer close(done)
			measured(t, p, "shop-web", provider.Want{})
		}()
		synctest.Wait()
		equal(t, "under way", len(statsOf(e.made())), 2)
		for _, r := range release {
			r()
		}
		<-done
	})
}

func TestContainerOnTheHostsNetworkHasNoTrafficOfItsOwn(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	host := another(t, "web", "tty", onNetwork("host"), exposing(), processed(41))
	e.add(host)
	e.add(another(t, "joined", "tty", onNetwork("container:web"), exposing(), processed(42)))
	seeing := e.provider(proc(t, map[int]fstest.MapFS{41: processIn(host.ID), 42: processIn(host.ID)}))
	for _, app := range []string{"web", "joined"} {
		equal(t, app, measured(t, seeing, app, provider.Want{Ports: []uint16{8081}}), idle.Usage{Connections: 1})
		equal(t, app+", port unknown", measured(t, seeing, app, provider.Want{}), idle.Usage{Connections: idle.UnknownConnections, Unseen: portUnknown})
		got := measured(t, e.provider(blind(t)), app, provider.Want{Ports: []uint16{8081}})
		equal(t, app+", by the engine", got.Bytes, uint64(0))
		equal(t, app+", by the engine", got.Connections, idle.UnknownConnections)
		equal(t, app+", by the engine", got.Unseen, procHidden)
	}
}

func TestAnAppOnTheHostsNetworkIsSeenOnlyByItsPortsInTheHostsProc(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	host := another(t, "hub", "tty", onNetwork("host"), exposing(), processed(41))
	e.add(host)
	e.add(another(t, "exposed", "tty", onNetwork("host"), exposing("8123/tcp"), processed(42)))
	e.add(another(t, "web", "tty", processed(43)))
	seeing := e.provider(proc(t, map[int]fstest.MapFS{41: processIn(host.ID)}))
	blind := e.provider(blind(t))
	for _, p := range []*Provider{seeing, blind} {
		if _, err := p.List(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		by    *Provider
		app   string
		ports []uint16
		want  string
	}{
		{seeing, "hub", []uint16{8081}, ""},
		{seeing, "hub", nil, portUnknown},
		{seeing, "exposed", nil, ""},
		{blind, "hub", []uint16{8081}, procHidden},
		{blind, "web", nil, ""}, // by its traffic
	} {
		equal(t, c.app, c.by.Unseen(c.app, c.ports), c.want)
	}
}

func TestEveryPortOfAContainerCountsButNotThoseOfOthersInItsNetwork(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	vpn := another(t, "vpn", "tty", processed(41))
	e.add(vpn)
	e.add(another(t, "hub", "tty", onNetwork("container:"+vpn.ID), exposing("8081/tcp"), processed(42)))
	e.add(another(t, "silent", "tty", onNetwork("container:"+vpn.ID), exposing("9000/tcp"), processed(43)))
	e.add(another(t, "unknown", "tty", onNetwork("container:"+vpn.ID), exposing(), processed(44)))
	in := processIn(vpn.ID)
	p := e.provider(proc(t, map[int]fstest.MapFS{41: in, 42: in, 43: in, 44: in}))
	for app, want := range map[string]int{"vpn": 2, "hub": 1, "silent": 0, "unknown": 2} {
		equal(t, app, measured(t, p, app, provider.Want{}).Connections, want)
	}
	equal(t, "a port of its router", measured(t, p, "silent", provider.Want{Ports: []uint16{8080}}).Connections, 1)
}

func TestConnectionsOfLinkedAppsDoNotCount(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	web := another(t, "web", "tty", processed(41))
	e.add(web)
	p := e.provider(proc(t, map[int]fstest.MapFS{41: processIn(web.ID)}))
	front := netip.MustParseAddr("172.17.0.1")
	equal(t, "connections", measured(t, p, "web", provider.Want{Linked: []netip.Addr{front}}).Connections, 1)
}

// TestAConnectionThatIsKeptForGoodDoesNotTellOfUse: a proxy's, to a server that speaks h2c.
func TestAConnectionThatIsKeptForGoodDoesNotTellOfUse(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	web := another(t, "web", "tty", processed(41))
	e.add(web)
	p := e.provider(proc(t, map[int]fstest.MapFS{41: processIn(web.ID)}))
	for name, c := range map[string]struct {
		multiplexed []uint16
		linked      []netip.Addr
		want        int
	}{
		"beside another connection":      {[]uint16{8080}, nil, 1},
		"alone":                          {[]uint16{8080, 8081}, nil, idle.UnknownConnections},
		"to a port that nobody comes to": {[]uint16{9090}, nil, 2},
		"where all others are of apps that keep it awake": {[]uint16{8080}, []netip.Addr{netip.MustParseAddr("fd00::1")}, idle.UnknownConnections},
		"of an app that keeps it awake":                   {[]uint16{8080, 8081}, []netip.Addr{netip.MustParseAddr("172.17.0.1"), netip.MustParseAddr("fd00::1")}, 0},
	} {
		got := measured(t, p, "web", provider.Want{Multiplexed: c.multiplexed, Linked: c.linked})
		equal(t, name, got.Connections, c.want)
		equal(t, name+", bytes", got.Bytes, procUsage(0).Bytes)
	}
}

func TestAContainerOfWhichTheEngineCountsNothingIsUnseen(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.add(another(t, "web", "tty"))
	e.add(another(t, "alone", "tty", attachedTo("none")))
	e.transport.RegisterResponder("GET", `=~^/v1\.4[01]/containers/\w+/stats$`,
		httpmock.NewStringResponder(200, `{"read":"2026-11-24T19:26:52Z","networks":{}}`))
	p := e.provider(blind(t))
	equal(t, "web", measured(t, p, "web", provider.Want{}).Unseen, noCounters)
	equal(t, "without a network", measured(t, p, "alone", provider.Want{}).Unseen, "")
}

func TestContainerOnTheNetworkOfAnotherHasItsTraffic(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	vpn := another(t, "vpn", "tty")
	web := another(t, "web", "tty", onNetwork("container:"+vpn.ID), exposing(), processed(41))
	e.add(vpn)
	e.add(web)
	for engine, id := range map[string]string{"mounts the other's files": vpn.ID, "mounts its own files": web.ID} {
		p := e.provider(proc(t, map[int]fstest.MapFS{41: processIn(id)}))
		equal(t, engine, measured(t, p, "web", provider.Want{Ports: []uint16{8081}}), procUsage(1))
	}
}

func TestMemoryIsAskedForOnlyWhereItIsWantedAndNeverAnError(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	web := another(t, "web", "tty", processed(41))
	e.add(web)
	p := e.provider(proc(t, map[int]fstest.MapFS{41: processIn(web.ID)}))
	equal(t, "not wanted", measured(t, p, "web", provider.Want{}).Memory, uint64(0))
	equal(t, "stats", statsOf(e.made()), []string(nil))
	equal(t, "wanted", measured(t, p, "web", provider.Want{Ports: []uint16{8080}, Memory: true}),
		idle.Usage{Bytes: 1434 + 116, Packets: 19, Sent: 2, Connections: 2, Memory: statsMemory})
	e.refuse("stats web", 403, "not by this proxy")
	equal(t, "refused", measured(t, p, "web", provider.Want{Ports: []uint16{8080}, Memory: true}), procUsage(2))
}

func TestMemoryIsWhatDockerStatsShows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		of   api.MemoryStats
		want uint64
	}{
		"control groups 1":         {api.MemoryStats{Usage: 100, Stats: map[string]uint64{"total_inactive_file": 30, "inactive_file": 7}}, 70},
		"control groups 2":         {api.MemoryStats{Usage: 100, Stats: map[string]uint64{"inactive_file": 30}}, 70},
		"more cached than in use":  {api.MemoryStats{Usage: 100, Stats: map[string]uint64{"inactive_file": 130}}, 0},
		"nothing said of the rest": {api.MemoryStats{Usage: 100}, 100},
	} {
		equal(t, name, workingSet(c.of), c.want)
	}
	half := idle.Sum([]idle.Usage{{Memory: 5}, {}})
	equal(t, "of one container it is not known", half.Memory, uint64(0))
}

func TestAppThatDoesNotRunCannotBeMeasured(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "shop-back-1", "shop-db-1", "crash")
	p := e.provider(blind(t))
	for app, what := range map[string]string{"shop-back": "exited", "shop-db": "paused", "crash": "between two restarts"} {
		_, err := p.Measure(t.Context(), app, provider.Want{})
		failed(t, err, `docker: measure "`+app+`": does not run`)
		if !errors.Is(err, ErrNotRunning) {
			t.Errorf("%s: %v is of the wrong kind", what, err)
		}
	}
	_, err := p.Measure(t.Context(), "nobody", provider.Want{})
	failed(t, err, `docker: measure "nobody": no such app`)
}

func TestOneContainerThatCannotBeMeasuredFailsTheWhole(t *testing.T) {
	t.Parallel()
	e := shop(t)
	e.change("web-2", runs)
	e.refuse("stats web-2", 403, "not by this proxy")
	_, err := e.provider(blind(t)).Measure(t.Context(), "shop-web", provider.Want{})
	failed(t, err, `docker: measure "shop-web": container "web-2": not by this proxy`)
}

func TestContainerThatEndsBeforeItIsMeasuredIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, "tty")
		p := e.provider(blind(t))
		release := e.hold("inspect tty")
		errs := make(chan error)
		go func() {
			_, err := p.Measure(t.Context(), "tty", provider.Want{})
			errs <- err
		}()
		synctest.Wait()
		e.change("tty", exits(0))
		release()
		err := <-errs
		failed(t, err, `docker: measure "tty": container "tty": does not run`)
		if !errors.Is(err, ErrNotRunning) {
			t.Errorf("%v is of the wrong kind", err)
		}
	})
}
