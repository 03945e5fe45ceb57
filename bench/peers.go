package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

const (
	peerRounds = 10
	peerWakes  = 10
)

// peer is a program that wakes the app, run as a process of this machine.
type peer struct {
	name    string
	address string
	host    string
	path    string   // asks whether the app's visitor may pass, and waits until then
	header  []string // lines
	process *exec.Cmd
	log     *bytes.Buffer
}

// peers does the same work with Sablier, if the variable SABLIER names its binary: the
// decision on an awake app, a wake until it is said to be ready, and memory.
func peers(ctx context.Context, r *Results) error {
	binary := os.Getenv("SABLIER")
	if binary == "" {
		fmt.Println("  left out: the variable SABLIER names no binary of Sablier's")
		return nil
	}
	return onSite(ctx, "bench-peers", func(s *site) error {
		s.add("app", service{
			Image:       *appImage,
			Environment: []string{"NAME=app", "BOOT=100ms"},
			Labels:      append(s.routed("app", true), "paastis.manual_stop=wake", "sablier.enable=true"),
			Healthcheck: map[string]any{"interval": "100ms", "timeout": "2s", "retries": 30},
		})
		if err := s.up(ctx); err != nil {
			return err
		}
		both, err := compared{s}.startPeers(ctx, binary)
		defer func() {
			for _, p := range both {
				p.stop()
			}
		}()
		if err != nil {
			return err
		}
		return compared{s}.compare(ctx, r, both)
	})
}

// compared is a site with two that wake its app.
type compared struct{ *site }

// startPeers starts both, and returns those that it could start beside an error.
func (s compared) startPeers(ctx context.Context, sablier string) (both []*peer, err error) {
	paastis := filepath.Join(s.dir, "paastis")
	if err := build(ctx, paastis); err != nil {
		return nil, err
	}
	ours, theirs := &peer{name: "paastis", host: "paastis"}, &peer{name: "sablier", host: "sablier"}
	ours.path = "/auth"
	ours.header = []string{
		"X-Forwarded-Method: GET", "X-Forwarded-Proto: http", "X-Forwarded-Host: " + s.host("app"),
		"X-Forwarded-Uri: /", "X-Forwarded-For: 192.0.2.1", "Accept: */*",
	}
	theirs.path = "/api/strategies/blocking?names=" + s.container("app") + "&session_duration=1h&timeout=30s"
	for _, p := range []*peer{ours, theirs} {
		port, err := freePort()
		if err != nil {
			return both, err
		}
		p.address = "127.0.0.1:" + port
	}
	_, port, _ := net.SplitHostPort(theirs.address)
	for _, start := range []struct {
		*peer
		program string
		args    []string
	}{
		{ours, paastis, []string{"--listen", ours.address, "--max-idle-time", "1h", "--traefik.middleware", s.name, "--wake-limit", "0"}},
		{theirs, sablier, []string{"start", "--provider.name=docker", "--server.port=" + port, "--logging.level=error"}},
	} {
		if err := start.run(ctx, start.program, start.args...); err != nil {
			return both, err
		}
		both = append(both, start.peer)
	}
	return both, nil
}

// run starts the program and waits until it serves.
func (p *peer) run(ctx context.Context, program string, args ...string) error {
	p.log = &bytes.Buffer{}
	p.process = exec.Command(program, args...)
	p.process.Env = append(os.Environ(), "GIN_MODE=release")
	p.process.Stdout, p.process.Stderr = nil, p.log
	if err := p.process.Start(); err != nil {
		return err
	}
	err := await(ctx, p.name+" to serve", 20*time.Second, func() bool {
		c, err := net.Dial("tcp", p.address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	if err != nil {
		p.stop()
		return fmt.Errorf("%w: %s", err, p.log)
	}
	return nil
}

func (p *peer) stop() {
	_ = p.process.Process.Signal(os.Interrupt)
	time.AfterFunc(10*time.Second, func() { _ = p.process.Process.Kill() })
	_ = p.process.Wait()
}

// compare measures both in turn.
func (s compared) compare(ctx context.Context, r *Results, both []*peer) error {
	wakes, rates := map[string][]float64{}, map[string][]float64{}
	for range peerWakes {
		for _, p := range both {
			took, err := s.wakeBy(ctx, p)
			if err != nil {
				return fmt.Errorf("%s: %w: %s", p.name, err, p.log)
			}
			wakes[p.name] = append(wakes[p.name], ms(took))
		}
	}
	for range peerRounds {
		for _, p := range both {
			rate, err := askFor(p.address, p.host, p.path, 64, p.header...).run(ctx, 2*time.Second)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			rates[p.name] = append(rates[p.name], rate)
		}
	}
	for _, p := range both {
		r.Set("peers."+p.name+"_wake_ms", median(wakes[p.name]))
		r.Samples("peers."+p.name+"_wake_ms.samples", wakes[p.name])
		r.Set("peers."+p.name+"_warm_rps", median(rates[p.name]))
		r.Samples("peers."+p.name+"_warm_rps.samples", rates[p.name])
		resident, err := p.resident()
		if err != nil {
			return err
		}
		r.Set("peers."+p.name+"_rss_mb", resident)
	}
	r.Set("peers.warm_paastis_vs_sablier", median(quotients(rates["paastis"], rates["sablier"])))
	return nil
}

// wakeBy stops the app by hand, gives both the time to notice it, and returns how long
// one of them takes to say that it is ready.
func (s compared) wakeBy(ctx context.Context, p *peer) (time.Duration, error) {
	if _, err := s.engine.ContainerStop(ctx, s.container("app"), client.ContainerStopOptions{}); err != nil {
		return 0, err
	}
	pause(ctx, 3*time.Second)
	var header []string
	for _, line := range p.header {
		name, value, _ := strings.Cut(line, ": ")
		header = append(header, name, value)
	}
	asked := time.Now()
	a, err := get(ctx, http.DefaultClient, "http://"+p.address+p.path, header...)
	took := time.Since(asked)
	if err != nil {
		return 0, err
	}
	if a.status != http.StatusOK {
		return 0, fmt.Errorf("answered %d %s", a.status, a.body)
	}
	c, err := s.inspect(ctx, "app")
	if err != nil {
		return 0, err
	}
	if !c.State.Running {
		return 0, fmt.Errorf("the app does not run, but was said to")
	}
	return took, nil
}

// resident is the memory that the process takes, in megabytes.
func (p *peer) resident() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.process.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kilobytes); n == 1 {
			return mebibytes(kilobytes * 1024), nil
		}
	}
	return 0, fmt.Errorf("%s: no resident memory is told", p.name)
}

// freePort is a port that nobody listens on.
func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	return port, err
}
