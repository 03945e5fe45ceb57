package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

var (
	throughRounds = flag.Int("through.rounds", 12, "through: how often each route is measured")
	throughRound  = flag.Duration("through.round", 3*time.Second, "through: for how long each time")
)

// routes are the ways to one and the same app container, as hosts.
var routes = []struct{ key, host string }{
	{"plain", "plain.bench.test"},           // no middleware
	{"floor", "floor.bench.test"},           // ForwardAuth to the least server that there can be
	{"floor_h2", "floor-h2.bench.test"},     // the same by HTTPS and HTTP/2
	{"paastis", "paastis.bench.test"},       // ForwardAuth to Paastis
	{"paastis_h2", "paastis-h2.bench.test"}, // the same by HTTPS and HTTP/2
	{"direct", "direct.bench.test"},         // the route that Paastis publishes
}

// throughConfig is Traefik's file: all routes but the direct one. They go before any that
// Paastis publishes.
const throughConfig = `
http:
  routers:
    plain: {rule: "Host(%[2]cplain.bench.test%[2]c)", service: app, priority: 1000000000}
    floor: {rule: "Host(%[2]cfloor.bench.test%[2]c)", service: app, priority: 1000000000, middlewares: [floor]}
    floor-h2: {rule: "Host(%[2]cfloor-h2.bench.test%[2]c)", service: app, priority: 1000000000, middlewares: [floor-h2]}
    paastis: {rule: "Host(%[2]cpaastis.bench.test%[2]c)", service: app, priority: 1000000000, middlewares: [paastis]}
    paastis-h2: {rule: "Host(%[2]cpaastis-h2.bench.test%[2]c)", service: app, priority: 1000000000, middlewares: [paastis-h2]}
  services:
    app: {loadBalancer: {servers: [{url: "http://%[1]s-app:8080"}]}}
  middlewares:
    floor: {forwardAuth: {address: "http://%[1]s-floor:3000/", maxResponseBodySize: 4096}}
    floor-h2: {forwardAuth: {address: "https://%[1]s-floor:3443/", maxResponseBodySize: 4096, tls: {insecureSkipVerify: true}}}
    paastis: {forwardAuth: {address: "http://%[1]s-paastis:3000/auth", maxResponseBodySize: 4096}}
    paastis-h2: {forwardAuth: {address: "https://%[1]s-paastis:3443/auth", maxResponseBodySize: 4096, tls: {insecureSkipVerify: true}}}
`

// through measures requests a second through Traefik at 64 connections. The routes take
// turns in short rounds; a ratio is that of two routes in the same round.
func through(ctx context.Context, r *Results) error {
	return onSite(ctx, "bench-through", func(s *site) error {
		if err := s.throughUp(ctx); err != nil {
			return err
		}
		traefik, err := s.address(ctx, "traefik", "80")
		if err != nil {
			return err
		}
		rates, err := measureRoutes(ctx, traefik)
		if err != nil {
			return err
		}
		for key, samples := range rates {
			r.Set("through_traefik."+key+"_rps", median(samples))
			r.Samples("through_traefik."+key+"_rps.samples", samples)
		}
		for key, of := range map[string][2]string{
			"vs_floor":          {"paastis", "floor"},
			"direct_vs_plain":   {"direct", "plain"},
			"floor_vs_plain":    {"floor", "plain"},
			"floor_h2_vs_floor": {"floor_h2", "floor"},
			"h2_vs_floor_h2":    {"paastis_h2", "floor_h2"},
			"h2_vs_http":        {"paastis_h2", "paastis"},
		} {
			ratios := quotients(rates[of[0]], rates[of[1]])
			r.Set("through_traefik."+key, median(ratios))
			r.Samples("through_traefik."+key+".samples", ratios)
		}
		return nil
	})
}

// throughUp serves the app on all routes.
func (s *site) throughUp(ctx context.Context) error {
	config := fmt.Sprintf(throughConfig, s.name, '`')
	if err := os.WriteFile(filepath.Join(s.dir, "traefik.yml"), []byte(config), 0o644); err != nil {
		return err
	}
	if err := buildFloor(ctx, filepath.Join(s.dir, "floor")); err != nil {
		return err
	}
	s.addTraefik(append(s.byPaastis(), "--providers.file.filename=/bench/traefik.yml")...)
	s.addPaastis(engineSocket, "PAASTIS_MAX_IDLE_TIME=1h", "PAASTIS_LISTEN_TLS=:3443")
	s.add("floor", service{Image: *appImage, Entrypoint: []string{"/bench/floor"}, Healthcheck: unchecked})
	s.addApp("app", "1ms",
		"traefik.enable=true", "paastis.mode=direct",
		"traefik.http.routers."+s.container("app")+".rule=Host(`direct.bench.test`) || Host(`paastis.bench.test`) || Host(`paastis-h2.bench.test`)",
		"traefik.http.routers."+s.container("app")+".middlewares="+s.name+"@docker",
		"traefik.http.services."+s.name+".loadbalancer.server.port=8080")
	if err := s.up(ctx, "app", "floor", "paastis", "traefik"); err != nil {
		return err
	}
	return s.throughReady(ctx)
}

// throughReady waits until each route leads to the app, the direct one without Paastis
// in between. Traefik reads no labels here: that one can only be Paastis's.
func (s *site) throughReady(ctx context.Context) error {
	visitor, err := s.visitor(ctx)
	if err != nil {
		return err
	}
	for _, route := range routes {
		if err := await(ctx, "the route "+route.key, 20*time.Second, func() bool {
			a, err := get(ctx, visitor, "http://"+route.host+"/")
			return err == nil && a.status == 200
		}); err != nil {
			return err
		}
	}
	return await(ctx, "the direct route to lead to the app", 20*time.Second, func() bool {
		return slices.Contains(s.published(ctx), "http://"+s.container("app")+":8080")
	})
}

// published are the servers to which the routes lead that Traefik has from Paastis. None
// if it cannot be asked.
func (s *site) published(ctx context.Context) (servers []string) {
	api, err := s.address(ctx, "traefik", "8080")
	if err != nil {
		return nil
	}
	a, err := get(ctx, http.DefaultClient, "http://"+api+"/api/http/services")
	if err != nil {
		return nil
	}
	var services []struct {
		Provider     string
		LoadBalancer struct{ Servers []struct{ URL string } }
	}
	if json.Unmarshal([]byte(a.body), &services) != nil {
		return nil
	}
	for _, service := range services {
		for _, server := range service.LoadBalancer.Servers {
			if service.Provider == "http" {
				servers = append(servers, server.URL)
			}
		}
	}
	return servers
}

// measureRoutes is requests a second by route, a sample a round. Each round begins with
// another route.
func measureRoutes(ctx context.Context, traefik string) (map[string][]float64, error) {
	rates := map[string][]float64{}
	for round := range *throughRounds {
		for i := range routes {
			route := routes[(round+i)%len(routes)]
			rate, err := askFor(traefik, route.host, "/", 64).run(ctx, *throughRound)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", route.key, err)
			}
			rates[route.key] = append(rates[route.key], rate)
		}
	}
	return rates, ctx.Err()
}

// quotients are those of samples of the same round.
func quotients(a, b []float64) []float64 {
	var q []float64
	for i := range a {
		q = append(q, a[i]/b[i])
	}
	return q
}

func buildFloor(ctx context.Context, binary string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./bench/floor")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build floor: %w: %s", err, out)
	}
	return nil
}
