package command

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// writeUse measures an app for as long as it has to be quiet before it sleeps, and shows its rates beside what Paastis
// takes for use, so that its author can choose a floor. An app that does not run, or
// whose provider has no counters, has nothing to show.
func writeUse(ctx context.Context, cfg config.Loaded, e *inventory.Definition, out io.Writer) {
	if !runs(e) {
		writeUnseen(ctx, cfg, e, out)
		return
	}
	meter, ok := providerOf(cfg, e).(provider.Meter)
	if !ok {
		return
	}
	if past, ok := meter.(provider.Retrospective); ok {
		writePast(ctx, past, e, out)
		return
	}
	fmt.Fprintf(out, "\nuse beyond requests, measuring for %s …\n", idle.Quiet(e.Properties, false))
	use, err := measure(ctx, meter, e)
	if err != nil {
		fmt.Fprintf(out, "  not measured: %v\n", err)
		return
	}
	fmt.Fprintf(out, "  %s\n", strings.Join(use, "\n  "))
}

// writePast shows what the platform of an app tells of its use, which has no rates.
func writePast(ctx context.Context, meter provider.Retrospective, e *inventory.Definition, out io.Writer) {
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	use, err := meter.Measure(ctx, e.App.Name, provider.Want{Ports: e.VisitedPorts()})
	text := "none that its platform tells of"
	switch {
	case err != nil:
		text = fmt.Sprintf("not measured: %v", err)
	case !use.Use.IsZero():
		text = use.Use.String()
	}
	fmt.Fprintf(out, "\nuse beyond requests\n  %s\n", text)
}

// providerOf is the provider of an app. Nil: it cannot be opened, which is told elsewhere.
func providerOf(cfg config.Loaded, e *inventory.Definition) provider.Provider {
	for _, s := range cfg.AllProviders() {
		if s.Name == e.Provider() {
			if p, err := s.Open(slog.New(slog.DiscardHandler)); err == nil {
				return p
			}
		}
	}
	return nil
}

// writeUnseen says of an app that does not run why its use would not be seen.
func writeUnseen(ctx context.Context, cfg config.Loaded, e *inventory.Definition, out io.Writer) {
	if !e.Managed || e.Follows() || !slices.Contains(e.App.Networks, "host") {
		return
	}
	if limited := limitedProvider(ctx, providerOf(cfg, e)); limited != nil {
		if text := unseenText(e, limited.Unseen(e.App.Name, e.VisitedPorts())); text != "" {
			fmt.Fprintf(out, "\nuse beyond requests\n  %s\n", text)
		}
	}
}

// measure looks at an app twice, and says what it saw, a line each.
func measure(ctx context.Context, meter provider.Meter, e *inventory.Definition) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, loadLimit+idle.Quiet(e.Properties, false))
	defer cancel()
	want := provider.Want{Ports: e.VisitedPorts(), Multiplexed: e.MultiplexedPorts(), CPU: true}
	began := time.Now()
	first, err := meter.Measure(ctx, e.App.Name, want)
	if err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(idle.Quiet(e.Properties, false)):
	}
	second := time.Now()
	last, err := meter.Measure(ctx, e.App.Name, want)
	if err != nil {
		return nil, err
	}
	return useText(first, last, second.Sub(began), e), nil
}

// connectionsText says how many connections count, or why nobody knows.
func connectionsText(e *inventory.Definition, counted int) string {
	switch {
	case counted != idle.UnknownConnections:
		return fmt.Sprintf("connections  %d", counted)
	case len(e.MultiplexedPorts()) > 0:
		return "connections  do not tell: Traefik keeps one open to a server of h2c, whatever it carries"
	default:
		return "connections  cannot be counted: the host's /proc is not seen (pid: host, or docker.proc)"
	}
}

func useText(first, last idle.Usage, over time.Duration, e *inventory.Definition) []string {
	p := e.Properties
	rate := float64(last.Bytes-min(first.Bytes, last.Bytes)) / over.Seconds()
	traffic := fmt.Sprintf("traffic      %s/s", humanize.Bytes(uint64(rate)))
	if p.TrafficFloor != rules.Off {
		traffic += fmt.Sprintf("; in use above %s/s (%s in %s), after a WebSocket or an event stream above %s/s (in %s)",
			perSecond(p.TrafficFloor, idle.Quiet(e.Properties, false)), humanize.Bytes(uint64(p.TrafficFloor)), idle.Quiet(e.Properties, false),
			perSecond(p.TrafficFloor, p.StreamQuietTime), p.StreamQuietTime)
	} else {
		traffic += "; it does not count (traffic_floor: off)"
	}
	cpu := fmt.Sprintf("CPU          %.1f%% of a core", 100*float64(last.CPU-min(first.CPU, last.CPU))/float64(over))
	if p.CPUFloor > 0 {
		cpu += fmt.Sprintf("; in use above %g%%", p.CPUFloor)
	}
	all := []string{traffic, connectionsText(e, last.Connections), cpu}
	if text := unseenText(e, last.Unseen); text != "" {
		all = append(all, text)
	}
	return all
}

func perSecond(bytes int64, over time.Duration) string {
	return humanize.Bytes(uint64(float64(bytes) / over.Seconds()))
}
