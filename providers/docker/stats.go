package docker

import (
	"context"
	"encoding/json"
	"time"

	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/paastis/paastis/registry/idle"
)

// stats measures a container by what the engine counts.
func (e *connection) stats(ctx context.Context, f *snapshot, c *container) (idle.Usage, error) {
	s, err := e.sample(ctx, c.instance.ID)
	if err != nil {
		return idle.Usage{}, err
	}
	usage := idle.Usage{
		CPU:         time.Duration(s.CPUStats.CPUUsage.TotalUsage),
		Connections: idle.UnknownConnections,
		Memory:      workingSet(s.MemoryStats),
	}
	if usage.Unseen = f.uncounted(c); usage.Unseen != "" {
		return usage, nil
	}
	for _, network := range s.Networks {
		usage.Bytes += network.RxBytes + network.TxBytes
		usage.Packets += network.RxPackets + network.TxPackets
		usage.Sent += network.TxPackets
	}
	if len(s.Networks) == 0 && !f.networkOwner(c).isolated() {
		usage.Unseen = noCounters
	}
	return usage, nil
}

// workingSet is what `docker stats` shows: without the files that are cached and that
// nobody has asked for lately, as either version of control groups calls them.
func workingSet(m api.MemoryStats) uint64 {
	for _, name := range []string{"total_inactive_file", "inactive_file"} {
		if cached, told := m.Stats[name]; told {
			return m.Usage - min(cached, m.Usage)
		}
	}
	return m.Usage
}

// sample asks for one sample. The engine answers for a container that does not run,
// too: with one that was never taken.
func (e *connection) sample(ctx context.Context, id string) (api.StatsResponse, error) {
	var s api.StatsResponse
	err := e.ask(ctx, callTimeout, func(ctx context.Context) error {
		answer, err := e.client.ContainerStats(ctx, id, client.ContainerStatsOptions{})
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		return json.NewDecoder(answer.Body).Decode(&s)
	})
	if err == nil && s.Read.IsZero() {
		err = ErrNotRunning
	}
	return s, err
}
