package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// program is the shipped binary, running.
type program struct {
	cmd     *exec.Cmd
	address string // that it listens on
}

// build builds the binary as `make build` does.
func build(ctx context.Context, binary string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build paastis: %w: %s", err, out)
	}
	return nil
}

// run starts the binary with an engine behind a socket, and waits until it serves. Its
// log goes to a file.
func (e *engine) run(ctx context.Context, binary, socket, log string) (*program, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &program{cmd: exec.CommandContext(ctx, binary), address: address}
	p.cmd.Env = []string{"DOCKER_HOST=unix://" + socket, "PAASTIS_LISTEN=" + address}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = filepath.Dir(binary), out, out
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for until := time.Now().Add(time.Minute); ; {
		resp, err := http.Get("http://" + address + "/healthz")
		if err == nil {
			return p, resp.Body.Close()
		}
		if time.Now().After(until) || ctx.Err() != nil {
			p.end()
			said, _ := os.ReadFile(log)
			return nil, fmt.Errorf("paastis does not serve: %w: %s", err, said)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (p *program) end() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// resident is how much memory it has, in bytes.
func (p *program) resident() (int64, error) {
	status, err := os.Open(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kB, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			return kB * 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS of process %d", p.cmd.Process.Pid)
}

// cpuTime is what it has taken so far, as its threads have it: to the nanosecond, where
// the whole process's is known to 10 ms only.
func (p *program) cpuTime() (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("no threads of process %d: %w", p.cmd.Process.Pid, err)
	}
	var sum time.Duration
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		var ns int64
		if _, err := fmt.Sscan(string(raw), &ns); err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

func freeAddress(ctx context.Context) (string, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}
