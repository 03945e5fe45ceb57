package docker

import (
	"context"
	"fmt"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/provider"
)

// Measure takes bytes and connections from the host's /proc (Config.Proc), which costs
// next to nothing. Of a container that does not show there, bytes come from the engine's
// stats, and connections are unknown. The CPU time and the memory always come from the
// stats, which take a second; with an API before 1.41, two.
//
// On the host's network, bytes are not counted, for they are the host's, and connections
// only to ports that are known: those that are wanted, else those that the image exposes.
// Containers that share a network share its counters: each is told to have used them all.
// One that uses the network of another has the connections to both kinds of ports; if none
// is known, to all. Else connections count to whatever the container listens on.
//
// ErrUnknownApp if the app does not exist, ErrNotRunning if none of its containers runs,
// paused ones included, or if one of them ends meanwhile.
func (p *Provider) Measure(ctx context.Context, name string, want provider.Want) (idle.Usage, error) {
	usage, err := p.measure(ctx, name, want)
	return usage, naming("measure", name, err)
}

func (p *Provider) measure(ctx context.Context, name string, want provider.Want) (idle.Usage, error) {
	f, running, err := p.containers.running(ctx, name)
	if err != nil {
		return idle.Usage{}, err
	}
	usages, errs := make([]idle.Usage, len(running)), make([]error, len(running))
	each(parallelLooks, len(running), func(i int) {
		usages[i], errs[i] = p.sampler.sample(ctx, f, running[i], want)
		errs[i] = doing(fmt.Sprintf("container %q", running[i].instance.Name), errs[i])
	})
	for _, err := range errs {
		if err != nil {
			return idle.Usage{}, err
		}
	}
	return idle.Sum(usages), nil
}

// sampler reads what containers have used, from the host's /proc and from the engine.
type sampler struct {
	engine *connection
	proc   string // Config.Proc
}

// sample measures one container. That it does not show in /proc is no error.
func (s *sampler) sample(ctx context.Context, f *snapshot, c *container, want provider.Want) (idle.Usage, error) {
	seen, unseen := s.watchProcess(f, c, want)
	if unseen == nil && !want.CPU && !want.Memory {
		return seen, nil
	}
	if want.Quick && !want.CPU && !want.Memory {
		return idle.Usage{Connections: idle.UnknownConnections}, nil
	}
	told, err := s.engine.stats(ctx, f, c)
	switch {
	case err != nil && unseen == nil && !want.CPU:
		return seen, nil // the memory alone is not worth an error
	case err != nil:
		return idle.Usage{}, err
	case unseen != nil:
		return told, nil
	}
	if !want.CPU { // it would seem to fall with the next measure
		return seen.With(0, told.Memory), nil
	}
	return seen.With(told.CPU, told.Memory), nil
}
