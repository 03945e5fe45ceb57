package e2e

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	engines "github.com/paastis/paastis/providers/docker"
	"github.com/paastis/paastis/providers/providertest"
	"github.com/paastis/paastis/registry/provider"
)

// conformant is the real engine as a platform: its containers are made by hand, and its
// providers reach it through a socket that can be shut.
type conformant struct {
	t    *testing.T
	made int
	gate *gate
}

const conformantStack = "e2e-conformant"

func TestDockerConformsOnTheRealEngine(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Platform {
		p := &conformant{t: t, gate: newGate(t)}
		t.Cleanup(p.clear)
		p.clear()
		return p
	})
}

func (p *conformant) Connect() provider.Provider {
	provider, err := engines.NewConfig(engines.Config{Host: "unix://" + p.gate.path})
	if err != nil {
		p.t.Fatal(err)
	}
	return provider
}

func (p *conformant) Create(kind providertest.Kind) string {
	p.made++
	name := fmt.Sprintf("%s-app%d", conformantStack, 100-p.made)
	switch kind {
	case providertest.Slow:
		p.create(name, "paastis/demo-shop")
	case providertest.Refused:
		p.create(name, "--entrypoint", "/there-is-no-such-program", "paastis/demo-shop")
	default:
		p.create(name, "--no-healthcheck", "paastis/demo-shop")
	}
	return name
}

func (p *conformant) create(name string, args ...string) {
	docker(p.t, append([]string{"create", "--name", name, "--label", "e2e=" + conformantStack}, args...)...)
}

// Scale makes the app's container one of a Compose service with others.
func (p *conformant) Scale(name string, instances int) {
	p.Delete(name)
	for n := range instances {
		number := fmt.Sprint(n + 1)
		p.create(name+"-"+number, "--label", "com.docker.compose.project="+conformantStack,
			"--label", "com.docker.compose.service="+strings.TrimPrefix(name, conformantStack+"-"),
			"--label", "com.docker.compose.container-number="+number, "--no-healthcheck", "paastis/demo-shop")
	}
}

func (p *conformant) Rename(name string) string {
	docker(p.t, "rename", name, name+"-renamed")
	return name + "-renamed"
}

func (p *conformant) Start(name string) { docker(p.t, "start", name) }
func (p *conformant) Stop(name string)  { docker(p.t, "stop", "--time", "1", name) }

// Delete removes all containers of an app.
func (p *conformant) Delete(name string) {
	ids := strings.Fields(docker(p.t, "ps", "--all", "--quiet", "--filter", "name=^"+name+"(-[0-9])?$"))
	docker(p.t, append([]string{"rm", "--force"}, ids...)...)
}

func (p *conformant) Patience() time.Duration { return 30 * time.Second }
func (p *conformant) GoDown()                 { p.gate.shut() }
func (p *conformant) ComeBack()               { p.gate.open() }

// For is OUTAGE seconds: it has to be waited for here.
func (p *conformant) For() time.Duration {
	return time.Duration(number(p.t, "OUTAGE", 3)) * time.Second
}

func (p *conformant) clear() {
	if ids := strings.Fields(docker(p.t, "ps", "--all", "--quiet", "--filter", "label=e2e="+conformantStack)); len(ids) > 0 {
		docker(p.t, append([]string{"rm", "--force"}, ids...)...)
	}
}

// gate is a socket that leads to the engine's while it is open.
type gate struct {
	t    *testing.T
	path string

	mu       sync.Mutex
	listener net.Listener
	carried  []net.Conn
}

func newGate(t *testing.T) *gate {
	g := &gate{t: t, path: filepath.Join(t.TempDir(), "engine.sock")}
	g.open()
	t.Cleanup(g.shut)
	return g
}

func (g *gate) open() {
	ln, err := net.Listen("unix", g.path)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listener = ln
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go g.carry(conn)
		}
	}()
}

// carry joins a connection with one to the engine until either ends.
func (g *gate) carry(conn net.Conn) {
	engine, err := net.Dial("unix", enginePath())
	if err != nil {
		conn.Close()
		return
	}
	g.mu.Lock()
	g.carried = append(g.carried, conn, engine)
	g.mu.Unlock()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{conn, engine}, {engine, conn}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			way[0].Close()
			way[1].Close()
		})
	}
	both.Wait()
}

// shut refuses who calls, and ends what is connected.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listener.Close()
	for _, c := range g.carried {
		c.Close()
	}
	g.carried = nil
}

// enginePath is the socket of the engine that the tests use.
func enginePath() string {
	if path, ok := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://"); ok {
		return path
	}
	return "/var/run/docker.sock"
}
