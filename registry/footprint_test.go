package registry

import (
	"fmt"
	"log/slog"
	"runtime"
	"testing"

	"github.com/paastis/paastis/registry/provider"
)

// Paastis is for many apps that sleep: what it knows of each stays small. Of what this counts,
// its keeper is a third.
func TestAThousandSleepingAppsTakeLittleMemory(t *testing.T) {
	const apps, most = 1_000, 4_600 // bytes for each
	all := make([]*fakeApp, 0, apps)
	for i := range apps {
		all = append(all, service(fmt.Sprintf("shop-%d", i), "front").routed(fmt.Sprintf("shop-%d.test", i)))
	}
	r := New(Options{Providers: []provider.Provider{newFake(all...)}, Settings: settingsFor(t, ""), Log: slog.New(slog.DiscardHandler)})
	before := heap()
	if err := r.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	each := (heap() - before) / apps
	if each > most {
		t.Errorf("%d bytes for each app, want at most %d", each, most)
	}
	runtime.KeepAlive(all)
	runtime.KeepAlive(r)
}

// heap is how many bytes are in use, once all garbage is collected.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what is pooled outlives one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
