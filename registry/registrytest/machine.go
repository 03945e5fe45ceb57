package registrytest

import (
	"maps"
	"slices"
	"sync"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// mostChanges is how many reports wait for who watches.
const mostChanges = 100

// change is something to report, or a question whether all before it is: then done is closed.
type change struct {
	report provider.Report
	done   chan struct{}
}

// Machine is what the apps of a Provider run on. Its methods are what happens there, whoever
// does it; it may be used by several at once.
type Machine struct {
	changes chan change // for who watches
	faults  *Faults
	record  *Record

	mu      sync.Mutex
	apps    map[string]*App
	version uint64
	watched bool // somebody watches
}

// newMachine makes one without apps. It heeds faults, and notes what it starts in a record.
func newMachine(faults *Faults, record *Record) Machine {
	return Machine{changes: make(chan change, mostChanges), faults: faults, record: record, apps: map[string]*App{}}
}

// Lock lets nothing happen until Unlock is called: for who looks at apps, or changes them.
func (m *Machine) Lock() { m.mu.Lock() }

// Unlock ends what Lock began.
func (m *Machine) Unlock() { m.mu.Unlock() }

// Put brings an app in that is not reported. Called with the lock held.
func (m *Machine) Put(a *App) { m.apps[a.Name] = a }

// Add brings an app in.
func (m *Machine) Add(a *App) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.apps[a.Name] = a
	m.tell(a)
}

// Alter changes an instance of an app, and reports it, if there is such an app.
func (m *Machine) Alter(name string, n int, how func(*inventory.Instance)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.apps[name]; a != nil {
		how(&a.Instances[n])
		m.tell(a)
	}
}

// Change changes what is to happen to an app, or only looks at it; nil is none of that name.
func (m *Machine) Change(name string, how func(*App)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	how(m.apps[name])
}

// Become makes an app's instance something else, and reports it.
func (m *Machine) Become(name string, i inventory.Instance) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.apps[name].set(i)
	m.tell(m.apps[name])
}

// Remove removes an app, and reports it.
func (m *Machine) Remove(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(name)
}

// remove is Remove with the lock held.
func (m *Machine) remove(name string) {
	delete(m.apps, name)
	m.version++
	m.send(provider.Report{Gone: []string{name}, Version: m.version})
}

// Rename gives an app another name, and reports it.
func (m *Machine) Rename(name, another string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.apps[name]
	m.remove(name)
	was := a.First()
	a.Name, a.Instances = another, nil
	a.set(was)
	m.apps[another] = a
	m.tell(a)
}

// Scale gives an app so many instances, which do not run, and reports it.
func (m *Machine) Scale(name string, replicas int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.apps[name].Replicas = replicas
	m.apps[name].set(inventory.Instance{})
	m.tell(m.apps[name])
}

// Snapshot is an app as it is now.
func (m *Machine) Snapshot(name string) inventory.App {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.snapshot(m.apps[name])
}

// Tell reports what is not so.
func (m *Machine) Tell(r provider.Report) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.send(r)
}

// Told blocks until what was reported has been taken in, if somebody watches.
func (m *Machine) Told() {
	m.mu.Lock()
	if !m.watched {
		m.mu.Unlock()
		return
	}
	done := make(chan struct{})
	m.changes <- change{done: done}
	m.mu.Unlock()
	<-done
}

// Watched reports whether somebody watches.
func (m *Machine) Watched() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.watched
}

// beginWatch notes that somebody watches.
func (m *Machine) beginWatch() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watched = true
}

// endWatch notes that nobody does any more. What was not told yet is in what is listed the next
// time.
func (m *Machine) endWatch() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watched = false
	for len(m.changes) > 0 {
		if c := <-m.changes; c.done != nil {
			close(c.done)
		}
	}
}

// all reports all apps.
func (m *Machine) all() provider.Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := provider.Report{Complete: true}
	for _, name := range slices.Sorted(maps.Keys(m.apps)) {
		r.Apps = append(r.Apps, m.snapshot(m.apps[name]))
	}
	r.Version = m.version
	return r
}

// played is an app as it is now, with what is to happen to it.
func (m *Machine) played(name string) (App, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.apps[name] == nil {
		return App{}, errUnknown
	}
	return *m.apps[name], nil
}

// tell reports an app as it is now. Called with the lock held.
func (m *Machine) tell(a *App) {
	m.send(provider.Report{Apps: []inventory.App{m.snapshot(a)}, Version: m.version})
}

// send tells whoever watches, unless that is lost. Called with the lock held.
func (m *Machine) send(r provider.Report) {
	if m.watched && !m.faults.isSilent() {
		m.changes <- change{r, nil}
	}
}

// snapshot is an app as it is now. Called with the lock held.
func (m *Machine) snapshot(a *App) inventory.App {
	m.version++
	a.mirror()
	app := a.App
	app.Instances, app.Labels, app.Version = slices.Clone(app.Instances), maps.Clone(app.Labels), m.version
	app.Routers = slices.Clone(app.Routers)
	return app
}
