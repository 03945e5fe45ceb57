package registry

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/idle"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// metered is a fake that can also be looked at.
type metered struct {
	*fake
	counts bool // it sees connections
}

// liveMetered runs a registry over a provider that can be looked at.
func liveMetered(t *testing.T, yml string, counts bool, apps ...*fakeApp) *world {
	t.Helper()
	f := newFake(apps...)
	return liveOn(t, f, Options{Providers: []provider.Provider{metered{f, counts}}, Settings: settingsFor(t, yml)})
}

func (m metered) Measure(_ context.Context, name string, want provider.Want) (idle.Usage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.apps[name]
	a.asked = want
	i := a.Instances[0]
	if a.measureErr != nil || i.Status != inventory.Running {
		return idle.Usage{}, errors.Join(a.measureErr, errors.New("fake: cannot be measured"))
	}
	ran := time.Since(i.StartedAt).Seconds()
	u := idle.Usage{Bytes: a.moved + uint64(ran*float64(a.rate)), Connections: idle.UnknownConnections}
	if a.sent > 0 {
		u.Sent = uint64(ran * a.sent)
		u.Packets = 2 * u.Sent
		u.Bytes += u.Packets * idle.BarePacket
	}
	if a.unseen != "" {
		u = idle.Usage{Connections: idle.UnknownConnections, Unseen: a.unseen}
	}
	if m.counts {
		u.Connections = a.connections
		if a.connections > 0 && len(want.Multiplexed) > 0 { // Traefik's alone
			u.Connections = idle.UnknownConnections
		}
	}
	if want.CPU {
		u.CPU = time.Duration(ran * a.cpu / 100 * float64(time.Second))
	}
	if want.Memory {
		u.Memory = a.memory
	}
	return u, nil
}

func (m metered) Execute(_ context.Context, name string, command []string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.apps[name].busy, nil
}

func (m metered) Logs(_ context.Context, name string, lines int) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.apps[name].logs, nil
}

// set changes something of an app under the fake's lock.
func (w *world) set(do func()) {
	w.fake.mu.Lock()
	defer w.fake.mu.Unlock()
	do()
}

// wantAwake fails the test if the app is not ready for one of these reasons.
func (w *world) wantAwake(name, reason string) {
	w.t.Helper()
	k := w.keeperOf(name)
	w.Registry.mu.Lock()
	state, why := k.state, k.reason.get()
	w.Registry.mu.Unlock()
	if state != Ready || why.String() != reason {
		w.t.Errorf("%s is %s because %q, want it ready because %q", name, state, why, reason)
	}
}
