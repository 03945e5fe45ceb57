package registrytest

import (
	"cmp"
	"fmt"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

// restartDelay is after what time an app that has crashed starts again.
const restartDelay = 100 * time.Millisecond

// start starts an app with so many replicas; 0: as many as it has.
func (m *Machine) start(name string, replicas int) (inventory.App, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	app := m.apps[name]
	switch {
	case app == nil:
		return inventory.App{}, fmt.Errorf("played: start %q: %w", name, errUnknown)
	case app.booting || app.Scaled && app.First().Status == inventory.Running:
		return m.snapshot(app), nil
	}
	app.Replicas = cmp.Or(replicas, app.Replicas)
	if app.Scaled {
		app.booting = true
		time.AfterFunc(app.Boot, func() { m.appear(app) })
		return m.snapshot(app), nil
	}
	app.resize()
	for n := range app.Instances {
		switch i := &app.Instances[n]; i.Status {
		case inventory.Running:
			continue
		case inventory.Paused:
			i.Status = inventory.Running
		default:
			*i = app.begun(n, m.faults.now())
		}
		m.boot(app, n)
	}
	return m.snapshot(app), nil
}

// appear gives a Scaled app that was started its instances, and reports it.
func (m *Machine) appear(a *App) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !a.booting || m.apps[a.Name] != a {
		return // it was stopped or removed meanwhile
	}
	a.set(inventory.Instance{Status: inventory.Running, Health: inventory.Healthy, StartedAt: m.faults.now(), Address: a.Address})
	m.tell(a)
}

// boot lets an instance of an app come up, or end, after its Boot. Called with the lock held.
func (m *Machine) boot(a *App, n int) {
	started := a.Instances[n].StartedAt
	time.AfterFunc(a.Boot, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.apps[a.Name] != a || n >= len(a.Instances) {
			return // it was removed meanwhile
		}
		if i := &a.Instances[n]; i.Status == inventory.Running && i.StartedAt.Equal(started) {
			if a.booted(i) {
				time.AfterFunc(restartDelay, func() { m.restart(a, n) })
			}
			m.tell(a)
		}
	})
}

// restart starts an instance again that has crashed, unless somebody has stopped it meanwhile.
func (m *Machine) restart(a *App, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.apps[a.Name] != a || n >= len(a.Instances) || a.Instances[n].Status != inventory.Restarting {
		return
	}
	i := &a.Instances[n]
	i.Status, i.Health, i.StartedAt = inventory.Running, inventory.HealthStarting, m.faults.now()
	i.Restarts++
	m.record.noteStart(a.Name, time.Now())
	m.boot(a, n)
	m.tell(a)
}

// stop stops an app.
func (m *Machine) stop(name string, method rules.StopMethod) (inventory.App, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	app := m.apps[name]
	if app == nil { // it was removed meanwhile
		return inventory.App{}, fmt.Errorf("played: stop %q: %w", name, errUnknown)
	}
	if app.StopErr != nil {
		return inventory.App{}, fmt.Errorf("played: stop %q: %w", name, app.StopErr)
	}
	if app.Forgets {
		app.Replicas = 0
	}
	if method == rules.PauseContainer {
		for n := range app.Instances {
			app.Instances[n].Status = inventory.Paused
		}
	} else {
		app.set(inventory.Instance{ExitCode: 143})
	}
	m.tell(app)
	return m.snapshot(app), nil
}
