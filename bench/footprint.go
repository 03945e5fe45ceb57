package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

var requests = flag.Int("requests", 10_000_000, "footprint: how many `requests` are sent to /auth")

const (
	// some is how many apps the footprint is measured with, and awakened how many of them
	// are awake while requests come.
	some, awakened = 1_000, 50
	// settling is how long the program is left alone before it is looked at.
	settling = 30 * time.Second
	// watching is how long it is looked at while nothing happens: two audits long, of 2 min each.
	watching = 4 * time.Minute
	// pipes is on how many connections requests are sent, and batch how many at a time.
	pipes, batch = 4, 100
)

// footprint measures the shipped binary, which runs with a simulated engine of stopped
// containers: what it takes while nothing happens, and after many requests.
func footprint(ctx context.Context, r *Results) error {
	dir, err := os.MkdirTemp("", "paastis-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, socket := filepath.Join(dir, "paastis"), filepath.Join(dir, "engine.sock")
	if err := build(ctx, binary); err != nil {
		return err
	}
	if err := weigh(ctx, binary, r); err != nil {
		return err
	}
	e, err := newEngine(ctx, socket, some)
	if err != nil {
		return err
	}
	defer e.close()
	p, err := e.run(ctx, binary, socket, filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer p.end()
	if err := p.idle(ctx, r); err != nil {
		return err
	}
	return p.load(ctx, r)
}

// weigh tells how large the binary is, and the image if there is one.
func weigh(ctx context.Context, binary string, r *Results) error {
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	r.Set("footprint.binary_mb", megabytes(info.Size()))
	out, err := exec.CommandContext(ctx, "docker", "image", "inspect", "--format", "{{.Size}}", "paastis/paastis").Output()
	if err != nil {
		return nil // no engine here, or no image in it
	}
	size, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	r.Set("footprint.image_mb", megabytes(size))
	return err
}

// idle measures the program while all apps sleep.
func (p *program) idle(ctx context.Context, r *Results) error {
	if err := wait(ctx, settling); err != nil {
		return err
	}
	before, err := p.cpuTime()
	if err != nil {
		return err
	}
	mb, err := p.memory(ctx, watching)
	if err != nil {
		return err
	}
	after, err := p.cpuTime()
	if err != nil {
		return err
	}
	r.Set("footprint.idle_cpu_percent", 100*(after-before).Seconds()/watching.Seconds())
	r.Samples("footprint.rss_idle_samples", mb)
	r.Set("footprint.rss_idle_mb", median(mb))
	return nil
}

// load measures what is left of many requests.
func (p *program) load(ctx context.Context, r *Results) error {
	if err := p.wake(ctx); err != nil {
		return err
	}
	started := time.Now()
	if err := p.flood(ctx, *requests); err != nil {
		return err
	}
	r.Set("footprint.requests", float64(*requests))
	r.Set("footprint.requests_per_second", float64(*requests)/time.Since(started).Seconds())
	last, err := p.resident()
	if err != nil {
		return err
	}
	r.Set("footprint.rss_at_end_of_load_mb", mebibytes(last))
	// What is no longer used is given back after the next look at everything.
	if err := wait(ctx, 2*time.Minute+settling/2); err != nil {
		return err
	}
	mb, err := p.memory(ctx, settling)
	if err != nil {
		return err
	}
	r.Samples("footprint.rss_after_10m_samples", mb)
	r.Set("footprint.rss_after_10m_mb", median(mb))
	return nil
}

// memory is what is resident, looked at each second for so long.
func (p *program) memory(ctx context.Context, long time.Duration) ([]float64, error) {
	var mb []float64
	for until := time.Now().Add(long); time.Now().Before(until); {
		bytes, err := p.resident()
		if err == nil {
			err = wait(ctx, time.Second)
		}
		if err != nil {
			return nil, err
		}
		mb = append(mb, mebibytes(bytes))
	}
	return mb, nil
}

// wake asks for some apps, as programs do, until they are awake.
func (p *program) wake(ctx context.Context) error {
	for app := range awakened {
		q := question(app)
		q.Header.Set("Accept", "application/json")
		q.URL.Host, q.RequestURI = p.address, ""
		resp, err := http.DefaultClient.Do(q.WithContext(ctx))
		if err != nil {
			return err
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s does not wake: %s, %w", host(app), resp.Status, err)
		}
	}
	return nil
}

// flood sends so many requests, as fast as they are answered.
func (p *program) flood(ctx context.Context, count int) error {
	requests := mixed()
	errs := make([]error, pipes)
	var sending sync.WaitGroup
	for i := range pipes {
		sending.Go(func() {
			errs[i] = pump(ctx, p.address, requests, count/pipes)
		})
	}
	sending.Wait()
	return errors.Join(errs...)
}

// mixed is a batch of requests: most are for apps that are awake; some are a monitor's, for
// apps that sleep, and some for hosts that nobody knows.
func mixed() []byte {
	var b bytes.Buffer
	for i := range batch {
		q := question(i % awakened)
		switch i % 25 {
		case 7:
			q = question(awakened + i)
			q.Header.Set("User-Agent", "UptimeRobot/2.0")
		case 19:
			q = question(2 * some)
		}
		b.Write(wire(q))
	}
	return b.Bytes()
}

// pump sends batches of requests on a connection, the next one when all are answered.
func pump(ctx context.Context, address string, requests []byte, count int) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for sent := 0; sent < count && ctx.Err() == nil; sent += batch {
		if _, err := conn.Write(requests); err != nil {
			return err
		}
		for range batch {
			if _, err := skip(answers); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// wait waits, unless ctx ends.
func wait(ctx context.Context, long time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(long):
		return nil
	}
}

// megabytes are 10⁶ bytes each.
func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }

// mebibytes are how memory is counted, by the kernel and by `docker stats`.
func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }
