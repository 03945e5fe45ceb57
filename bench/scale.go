package main

import (
	"context"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/paastis/paastis/registry"
)

const (
	// many is how many apps the registry has to carry.
	many = 100_000
	// sweeps is how often it is made to look at them all.
	sweeps = 20
	// idleTime is how long it is watched while nothing happens: as long as it takes to
	// look at the provider once.
	idleTime = time.Minute
)

// scale measures the registry alone, with many apps of a provider that is simulated.
// What that takes to list them is in the CPU time; a real one takes more.
func scale(ctx context.Context, r *Results) error {
	if err := loadFleet(ctx, r); err != nil {
		return err
	}
	for _, c := range []struct {
		key   string
		awake func(int) bool
		pause time.Duration // a sweep is to be over by then
	}{
		{"scale.idle_sweep_ms", allAsleep, 50 * time.Millisecond},
		{"scale.sweep_1pct_awake_ms", func(i int) bool { return i%100 == 0 }, 50 * time.Millisecond},
		{"scale.sweep_all_awake_ms", allAwake, 2 * time.Second},
	} {
		reg, err := newRegistry(ctx, &fleet{size: many, awake: c.awake}, 1)
		if err != nil {
			return err
		}
		err = running(ctx, reg, func() {
			r.Set(c.key, sweep(reg, c.pause))
			if c.key == "scale.idle_sweep_ms" {
				r.Set("scale.idle_cpu_percent", idleCPU(ctx))
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// loadFleet measures the way up to a registry that knows all, and what that keeps.
func loadFleet(ctx context.Context, r *Results) error {
	var ms, bytes []float64
	for range 3 {
		before := heap()
		started := time.Now()
		reg, err := newRegistry(ctx, &fleet{size: many, awake: allAsleep}, 1)
		if err != nil {
			return err
		}
		ms = append(ms, milliseconds(time.Since(started)))
		bytes = append(bytes, float64(heap()-before)/many)
		runtime.KeepAlive(reg)
	}
	r.Samples("scale.startup_samples", ms)
	r.Set("scale.startup_ms", median(ms))
	r.Set("scale.bytes_per_app", median(bytes))
	return nil
}

// running runs a registry while something is measured.
func running(ctx context.Context, reg *registry.Registry, measure func()) error {
	ctx, stop := context.WithCancel(ctx)
	var run sync.WaitGroup
	run.Go(func() { reg.Run(ctx) })
	time.Sleep(5 * time.Second) // it looks at the provider once more
	runtime.GC()
	measure()
	err := ctx.Err()
	stop()
	run.Wait()
	return err
}

// sweep is the CPU time of a look at all apps, in milliseconds.
func sweep(reg *registry.Registry, pause time.Duration) float64 {
	k := reg.Named(appName(0))
	before := cpuTime()
	for range sweeps {
		reg.Pin(k, time.Time{}) // changes nothing, but something did happen
		time.Sleep(pause)
	}
	return milliseconds(cpuTime()-before) / sweeps
}

// idleCPU is the part of a core that is taken while nothing happens, in percent.
func idleCPU(ctx context.Context) float64 {
	before := cpuTime()
	select {
	case <-ctx.Done():
	case <-time.After(idleTime):
	}
	return 100 * (cpuTime() - before).Seconds() / idleTime.Seconds()
}

// cpuTime is what this process has taken so far.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // only for a wrong first argument
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// heap is what is reachable, in bytes.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
