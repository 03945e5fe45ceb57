package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"
)

var stormSize = flag.Int("storm.size", 10_000, "storm: how many ask at once")

// stormGates are the Traefiks that share a storm: a request that waits takes two files of
// its Traefik, and one process may not be allowed so many.
var stormGates = []string{"traefik", "traefik2"}

// storm lets very many ask for one sleeping app in the same moment.
func storm(ctx context.Context, r *Results) error {
	return onSite(ctx, "bench-storm", func(s *site) error {
		for _, gate := range stormGates {
			s.addTraefikAs(gate, s.byLabels()...)
		}
		s.addPaastis(engineSocket, "PAASTIS_MAX_IDLE_TIME=1h")
		s.addApp("app", "1s", s.routed("app", true)...)
		if err := s.up(ctx, append(stormGates, "paastis")...); err != nil {
			return err
		}
		if err := s.asleep(ctx, "app", time.Minute); err != nil {
			return err
		}
		began := time.Now()
		waits, wrong, err := crowded{s}.allAtOnce(ctx, "app", *stormSize)
		if err != nil {
			return err
		}
		starts, err := crowded{s}.starts(ctx, "app", began)
		if err != nil {
			return err
		}
		r.Set("storm.starts", float64(starts))
		r.Set("storm.ok", float64(len(waits)))
		r.Set("storm.wrong", float64(wrong))
		r.Set("storm.last_ms", percentile(waits, 100))
		r.Samples("storm.percentiles_ms.samples", percentiles(waits))
		return nil
	})
}

// crowded is a site that many ask at once.
type crowded struct{ *site }

// allAtOnce opens so many connections, asks for an app over all of them in one moment,
// and returns how many milliseconds those waited who got its answer, and how many got
// anything else.
func (s crowded) allAtOnce(ctx context.Context, app string, size int) (waits []float64, wrong int, err error) {
	conns, err := s.dialGates(ctx, size)
	defer closeAll(conns)
	if err != nil {
		return nil, 0, fmt.Errorf("open %d connections (see ulimit -n): %w", size, err)
	}
	request := askFor("", s.host(app), "/", size).request
	var all sync.WaitGroup
	var mu sync.Mutex
	reasons := map[string]int{}
	began := time.Now()
	for _, c := range conns {
		all.Go(func() {
			reason := wants(c, request, app)
			waited := ms(time.Since(began))
			mu.Lock()
			defer mu.Unlock()
			if reason != "" {
				reasons[reason]++
				wrong++
				return
			}
			waits = append(waits, waited)
		})
	}
	all.Wait()
	for reason, n := range reasons {
		fmt.Printf("  %d got %s\n", n, reason)
	}
	return waits, wrong, nil
}

// dialGates opens connections to all gates, the same number to each.
func (s crowded) dialGates(ctx context.Context, size int) (all []net.Conn, err error) {
	for _, gate := range stormGates {
		address, err := s.address(ctx, gate, "80")
		if err != nil {
			return all, err
		}
		conns, err := crowd{address: address, connections: size / len(stormGates)}.dial(ctx)
		all = append(all, conns...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// wants asks once and wants the app's own answer. It returns what came instead.
func wants(c net.Conn, request, app string) string {
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, request); err != nil {
		return err.Error()
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(c, 1024), nil)
	if err != nil {
		return err.Error()
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), `"name":"`+app+`"`) {
		return fmt.Sprintf("%s %.100q", resp.Status, body)
	}
	return ""
}

// percentiles are the 1st to the 100th.
func percentiles(samples []float64) []float64 {
	var all []float64
	for p := range 100 {
		all = append(all, percentile(samples, float64(p+1)))
	}
	return all
}

// starts is how often the engine has started a service's container since then.
func (s crowded) starts(ctx context.Context, service string, since time.Time) (int, error) {
	stream := s.engine.Events(ctx, client.EventsListOptions{
		Since:   moment(since),
		Until:   moment(time.Now()),
		Filters: make(client.Filters).Add("container", s.container(service)).Add("event", "start"),
	})
	for n := 0; ; {
		select {
		case <-stream.Messages:
			n++
		case err := <-stream.Err:
			if err == io.EOF {
				return n, nil
			}
			return n, err
		}
	}
}

// moment is a time as the engine wants it.
func moment(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }
