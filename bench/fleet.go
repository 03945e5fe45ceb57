package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// fleet is a provider of many apps, each with the labels of a Compose service behind
// Traefik. Its apps do what they are told at once.
type fleet struct {
	size    int
	awake   func(i int) bool
	version atomic.Uint64
}

// allAsleep and allAwake are how the apps of a fleet begin.
func allAsleep(int) bool { return false }
func allAwake(int) bool  { return true }

func (f *fleet) ID() string { return "fleet" }

func (f *fleet) TraefikProvider() string { return "fleet" }

func (f *fleet) List(context.Context) (provider.Report, error) {
	r := provider.Report{Complete: true, Apps: make([]inventory.App, 0, f.size)}
	for i := range f.size {
		r.Apps = append(r.Apps, f.app(i, f.awake(i)))
	}
	r.Version = f.version.Add(1)
	return r, nil
}

// Watch reports everything once; nothing changes by itself.
func (f *fleet) Watch(ctx context.Context, report func(provider.Report)) error {
	all, _ := f.List(ctx)
	report(all)
	<-ctx.Done()
	return nil
}

func (f *fleet) Start(_ context.Context, name string) (inventory.App, error) {
	return f.app(place(name), true), nil
}

func (f *fleet) Stop(_ context.Context, name string, _ rules.StopMethod) (inventory.App, error) {
	return f.app(place(name), false), nil
}

// app is one of the fleet's, as it would be read from an engine: no string is shared
// between two apps.
func (f *fleet) app(i int, awake bool) inventory.App {
	name, container := appName(i), appName(i)+"-1"
	instance := inventory.Instance{Name: container, ID: fmt.Sprintf("%064x", i), ExitCode: 143}
	if awake {
		instance.Status, instance.Health, instance.ExitCode = inventory.Running, inventory.Healthy, 0
		instance.StartedAt = time.Now()
	}
	return inventory.App{
		Name: name, Stack: fmt.Sprintf("shop-%d", i), Origin: fmt.Sprintf("container %q", container),
		Labels: labels(i), Instances: []inventory.Instance{instance},
		Ports: []uint16{8080}, Networks: []string{"web"}, Version: f.version.Add(1),
	}
}

// labels are what Compose writes, and what a user does.
func labels(i int) map[string]string {
	router := "traefik.http.routers." + appName(i)
	service := "traefik.http.services." + appName(i)
	return map[string]string{
		router + ".rule":                                         fmt.Sprintf("Host(`%s`)", host(i)),
		router + ".entrypoints":                                  strings.Clone("websecure"),
		router + ".middlewares":                                  strings.Clone("paastis@docker"),
		service + ".loadbalancer.server.url":                     fmt.Sprintf("http://%s:8080", appName(i)),
		strings.Clone("traefik.enable"):                          strings.Clone("true"),
		strings.Clone("com.docker.compose.image"):                fmt.Sprintf("sha256:%064x", i),
		strings.Clone("com.docker.compose.config-hash"):          fmt.Sprintf("%064x", i),
		strings.Clone("com.docker.compose.container-number"):     strings.Clone("1"),
		strings.Clone("com.docker.compose.depends_on"):           "",
		strings.Clone("com.docker.compose.oneoff"):               strings.Clone("False"),
		strings.Clone("com.docker.compose.project"):              fmt.Sprintf("shop-%d", i),
		strings.Clone("com.docker.compose.project.config_files"): fmt.Sprintf("/srv/shop-%d/docker-compose.yml", i),
		strings.Clone("com.docker.compose.project.working_dir"):  fmt.Sprintf("/srv/shop-%d", i),
		strings.Clone("com.docker.compose.service"):              strings.Clone("front"),
		strings.Clone("com.docker.compose.version"):              strings.Clone("2.40.3"),
	}
}

func appName(i int) string { return fmt.Sprintf("shop-%d-front", i) }
func host(i int) string    { return fmt.Sprintf("front.shop-%d.example.com", i) }

// place is which app of the fleet has that name.
func place(name string) (i int) {
	fmt.Sscanf(name, "shop-%d-front", &i)
	return i
}

// newRegistry is a registry that has loaded a fleet, with so many rules, of which the
// last matches.
func newRegistry(ctx context.Context, f *fleet, ruleCount int) (*registry.Registry, error) {
	set, err := parseRules(ruleCount)
	if err != nil {
		return nil, err
	}
	reg := registry.New(registry.Options{
		Providers: []provider.Provider{f},
		Settings: inventory.Settings{
			Rules: set, Defaults: rules.Defaults(), Middleware: "paastis", Throttle: 2 * time.Second,
		},
		Log:   slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Probe: func(context.Context, inventory.Target) error { return nil },
	})
	return reg, reg.Load(ctx)
}

// parseRules are so many rules; none but the last matches an app of a fleet.
func parseRules(count int) (*rules.Set, error) {
	var b strings.Builder
	b.WriteString("rules:\n")
	for i := range count - 1 {
		fmt.Fprintf(&b, "  - pattern: '^review-%d-(.*)$'\n    max_idle_time: 20m\n", i)
	}
	b.WriteString("  - pattern: '^shop-(\\d+)-front$'\n    max_idle_time: 30m\n")
	return rules.ParseFile("bench.yml", []byte(b.String()))
}
