package registry

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/paastis/paastis/rules"
)

// A TCP SYN that is sent in the moment of a container's start is lost and repeated a
// second later; so each knock is short, and there are many.
const (
	knockLimit = 250 * time.Millisecond
	knockPause = 25 * time.Millisecond
	httpLimit  = 5 * time.Second
)

// Target is what a probe looks at.
type Target struct {
	// Address of the instance and the app's port.
	Address netip.AddrPort
	// Path to ask for by HTTP. Empty: connecting is enough.
	Path string
}

// Answers is the default probe: nil if the target accepts a connection or, by HTTP,
// answers with a status below 400. It does not follow redirects.
func Answers(ctx context.Context, t Target) error {
	if t.Path != "" {
		return answersHTTP(ctx, t)
	}
	ctx, cancel := context.WithTimeout(ctx, knockLimit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", t.Address.String())
	if err != nil {
		return err
	}
	return conn.Close()
}

var probeClient = &http.Client{
	Transport: &http.Transport{
		DialContext:       (&net.Dialer{Timeout: knockLimit}).DialContext,
		DisableKeepAlives: true,
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func answersHTTP(ctx context.Context, t Target) error {
	ctx, cancel := context.WithTimeout(ctx, httpLimit)
	defer cancel()
	status, err := statusOf(ctx, t)
	if err == nil && status >= http.StatusBadRequest {
		err = fmt.Errorf("answered %s", strconv.Itoa(status))
	}
	return err
}

// statusOf is the status with which a target answers a GET.
func statusOf(ctx context.Context, t Target) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.Address.String()+t.Path, nil)
	if err != nil {
		return 0, err
	}
	resp, err := probeClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// targets are what has to answer before the app counts as healthy. None if its own
// health check says it all, if the rules want no probe, or if Paastis cannot reach it.
func (p *pass) targets(k *Keeper) []Target {
	probe := k.Entry().Probe
	port := k.Entry().Port()
	if probe.Kind == rules.NoProbe || port == 0 || probe.Kind == rules.AutoProbe && k.health() != NoHealth {
		return nil
	}
	var targets []Target
	for _, i := range k.app.Instances {
		if i.Status == Running && i.Address.IsValid() {
			targets = append(targets, Target{Address: netip.AddrPortFrom(i.Address, port), Path: probe.Path})
		}
	}
	return targets
}

// knock probes the targets until all have answered or the wake has ended.
func (p *pass) knock(k *Keeper, targets []Target) {
	k.busy = true
	deadline, run := k.deadline, k.run
	p.todo = append(p.todo, func(ctx context.Context) {
		ctx, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		for _, t := range targets {
			p.Registry.untilAnswered(ctx, k, t)
		}
		p.Registry.answered(k, run, ctx.Err() == nil)
	})
}

// untilAnswered returns when the target has answered, when ctx has ended, or when the
// app no longer runs as what was probed.
func (r *Registry) untilAnswered(ctx context.Context, k *Keeper, t Target) {
	for ctx.Err() == nil && r.probes(k, t) && r.probe(ctx, t) != nil {
		sleep(ctx, knockPause)
	}
}

// probes tells whether the app is still on its way up at that address.
func (r *Registry) probes(k *Keeper, t Target) bool {
	r.mu.Lock()
	defer r.unlock()
	for _, i := range k.app.Instances {
		if i.Address == t.Address.Addr() && i.Status == Running {
			return k.state == Starting && !k.gone
		}
	}
	return false
}

// answered takes in how a probe went.
func (r *Registry) answered(k *Keeper, run int, ok bool) {
	r.mu.Lock()
	defer r.unlock()
	k.busy = false
	k.probed = ok && k.up() && run == k.run
	r.stir()
}
