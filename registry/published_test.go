package registry

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// composeFile is what of a compose file decides how its services wake and sleep.
type composeFile struct {
	Name     string
	Services map[string]composeService
}

type composeService struct {
	DependsOn   dependsOn `yaml:"depends_on"`
	Links       []string
	Environment map[string]string
	Labels      pairs
	Health      struct{ Disable bool } `yaml:"healthcheck"`
	Network     string                 `yaml:"network_mode"`
	Profiles    []string
}

// pairs are labels, which Compose takes as a list, too.
type pairs map[string]string

func (p *pairs) UnmarshalYAML(n *yaml.Node) error {
	*p = pairs{}
	if n.Kind != yaml.SequenceNode {
		return n.Decode((*map[string]string)(p))
	}
	var list []string
	err := n.Decode(&list)
	for _, l := range list {
		key, value, _ := strings.Cut(l, "=")
		(*p)[key] = value
	}
	return err
}

// dependsOn are services with what is asked of each, of which a list says nothing.
type dependsOn map[string]struct {
	Condition string
	Restart   bool
	Required  *bool
}

func (d *dependsOn) UnmarshalYAML(n *yaml.Node) error {
	*d = dependsOn{}
	if n.Kind != yaml.SequenceNode {
		return n.Decode((*map[string]struct {
			Condition string
			Restart   bool
			Required  *bool
		})(d))
	}
	var list []string
	err := n.Decode(&list)
	for _, name := range list {
		(*d)[name] = dependsOn{}[name]
	}
	return err
}

// composed are the apps of a compose file, asleep, and the name of the one that people open.
func composed(t *testing.T, path string) (apps []*fakeApp, door string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file composeFile
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(string(data), "${MIDDLEWARE:-paastis}", "paastis")), &file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, name := range slices.Sorted(maps.Keys(file.Services)) {
		s := file.Services[name]
		if len(s.Profiles) > 0 {
			continue
		}
		a := s.app(file, name)
		a.Address = netip.AddrFrom4([4]byte{10, 0, 0, byte(10 + len(apps))})
		for label := range s.Labels {
			if strings.HasSuffix(label, ".rule") && !strings.Contains(s.Labels[label], "PathPrefix") {
				door = a.Name
			}
		}
		apps = append(apps, a)
	}
	return apps, door
}

// app is a service as its provider reports it: Compose's label has network_mode and links, too.
func (s composeService) app(file composeFile, name string) *fakeApp {
	a := service(file.Name, name)
	a.Aliases, a.Ports = []string{name}, []uint16{8080}
	a.NoHealth, a.Job = s.Health.Disable, s.Environment["EXIT"] == "0"
	if boot, err := time.ParseDuration(s.Environment["BOOT"]); err == nil {
		a.Boot = boot
	}
	if s.Environment["PORT"] == "none" { // a worker, which listens nowhere
		a.Never = []string{a.Instances[0].Name}
	}
	for key, value := range s.Labels {
		a.label(key, value)
	}
	conditions := map[string]rules.Condition{"service_healthy": rules.Healthy, "service_completed_successfully": rules.Completed}
	link := func(to, condition string, restart bool) {
		l := rules.Link{Name: file.Name + "-" + to, Condition: rules.Started, Restart: restart, Lends: s.Network == "service:"+to}
		if c, ok := conditions[condition]; ok {
			l.Condition = c
		}
		known := slices.ContainsFunc(a.Links, func(k rules.Link) bool { return k.Name == l.Name })
		if there := file.Services[to]; !known && len(there.Profiles) == 0 {
			a.Links = append(a.Links, l)
		}
	}
	for _, to := range slices.Sorted(maps.Keys(s.DependsOn)) {
		link(to, s.DependsOn[to].Condition, s.DependsOn[to].Restart)
	}
	for _, to := range s.Links {
		link(to, "", true)
	}
	if to, ok := strings.CutPrefix(s.Network, "service:"); ok {
		link(to, "", true)
	}
	return a
}

// TestStacksThatPeopleRunWakeAndSleepInOrder: those of e2e/stacks, in both modes.
func TestStacksThatPeopleRunWakeAndSleepInOrder(t *testing.T) {
	files, err := filepath.Glob("../e2e/stacks/*/compose.yml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d stacks, %v", len(files), err)
	}
	for _, file := range files {
		for _, mode := range []string{"forwardauth", "direct"} {
			t.Run(filepath.Base(filepath.Dir(file))+"/"+mode, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					apps, door := composed(t, file)
					f := newFake(apps...)
					w := liveOn(t, f, Options{Providers: []provider.Provider{metered{f, true}}, Settings: settingsFor(t, ""), Probe: f.listens})
					if mode == "direct" {
						balance(t, w.Registry, "10.0.0.2")
					}
					for range 2 {
						w.wakesAll(door, apps)
					}
				})
			})
		}
	}
}

// listens is a probe that passes once an app has booted that listens.
func (f *fake) listens(_ context.Context, target inventory.Target) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.apps {
		if i := a.Instances[0]; a.Address == netip.MustParseAddrPort(target.Address).Addr() && a.Never == nil && i.Status == inventory.Running && time.Since(i.StartedAt) >= a.Boot {
			return nil
		}
	}
	return errors.New("connection refused")
}

// wakesAll wakes a stack by the app that people open: by then all of it serves that is linked
// to it, and each was started after what it depends on. Then it lets it sleep, the other way
// round.
func (w *world) wakesAll(door string, apps []*fakeApp) {
	w.t.Helper()
	w.took()
	if took := w.wakes(door, 5*time.Minute); took == 0 {
		w.t.Fatalf("%s does not wake: %s", door, w.View(w.Named(door)).Reason)
	}
	for _, a := range apps {
		k := w.keeperOf(a.Name)
		if e := k.Definition(); e.Managed && !e.Job && a.Instances[0].Status != inventory.Running {
			w.t.Errorf("%s does not run once %s is open", a.Name, door)
		} else if e.Managed && !e.Job && time.Since(a.Instances[0].StartedAt) < a.Boot {
			w.t.Errorf("%s still boots when %s is open", a.Name, door)
		}
	}
	started := strings.Split(w.took(), ", ")
	time.Sleep(time.Hour)
	stopped := strings.Split(w.took(), ", ")
	for _, a := range apps {
		k := w.keeperOf(a.Name)
		if k.Definition().Managed {
			w.wantState(a.Name, Asleep)
		}
		for _, l := range a.Links {
			if from, to := slices.Index(started, "start "+a.Name), slices.Index(started, "start "+l.Name); to > from && from >= 0 {
				w.t.Errorf("%s was started before %s: %s", a.Name, l.Name, started)
			}
			if from, to := slices.Index(stopped, "stop "+a.Name), slices.Index(stopped, "stop "+l.Name); to >= 0 && from > to {
				w.t.Errorf("%s was stopped after %s: %s", a.Name, l.Name, stopped)
			}
		}
	}
}
