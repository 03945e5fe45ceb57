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
	moved, unseen := counters{}, f.uncounted(c)
	if unseen == "" && len(s.Networks) == 0 && !f.networkOwner(c).isolated() {
		unseen = noCounters
	}
	if unseen == "" {
		moved = countersOf(s.Networks)
	}
	return idle.Usage{
		Bytes: moved.bytes, Packets: moved.packets, Sent: moved.sent,
		CPU:         time.Duration(s.CPUStats.CPUUsage.TotalUsage),
		Connections: idle.UnknownConnections,
		Memory:      workingSet(s.MemoryStats),
		Unseen:      unseen,
	}, nil
}

// countersOf are those of all networks of a container.
func countersOf(networks map[string]api.NetworkStats) counters {
	var total counters
	for _, n := range networks {
		total.add(counters{bytes: n.RxBytes + n.TxBytes, packets: n.RxPackets + n.TxPackets, sent: n.TxPackets})
	}
	return total
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
