package history

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
	"github.com/paastis/paastis/traefik"
)

func aMemory() State {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return State{Saved: at, Marks: Marks{Keys: []Key{{1}, {2}}, Since: at.Add(-time.Hour)}, Apps: map[string]App{
		`docker/"odd"`: {Seen: at.Add(-time.Hour)},
		"docker/shop-front": {
			Seen: at, LastActivity: at.Add(-time.Minute), Pinned: at.Add(time.Hour), Memory: 42, Asked: "web secured@file web", Resume: []byte(`{"web":2}`),
			Wakes: []Wake{{At: at.Add(-2 * time.Hour), Took: 1500 * time.Millisecond}, {At: at.Add(-time.Hour), Took: time.Minute, Failed: &reason.Reason{Kind: reason.Earlier, Text: "It <crashed>."}}},
			Spans: []Span{
				{From: at.Add(-3 * time.Hour), To: at.Add(-time.Hour), State: Asleep, Asleep: 2 * time.Hour},
				{From: at.Add(-time.Hour), To: at, State: Awake, Asleep: time.Minute},
			},
		},
	}}
}

func TestAFileOfBeforeThereWereKindsOfReasonsIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	text := `{"version":1,"saved":"2026-03-01T12:00:00Z","apps":{
"docker/shop":{"seen":"2026-03-01T12:00:00Z","wakes":[{"at":"2026-03-01T11:00:00Z","took":2,"failed":"It ran out of memory."},{"at":"2026-03-01T11:30:00Z","took":3}]}
}}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := NewFileStore(path).Load(t.Context())
	wakes := m.Apps["docker/shop"].Wakes
	if err != nil || len(wakes) != 2 || wakes[1].Failed != nil {
		t.Fatalf("it has %+v, %v", wakes, err)
	}
	if why := wakes[0].Failed; why == nil || why.Kind != reason.Earlier || why.String() != "It ran out of memory." {
		t.Errorf("it failed because %q", why)
	}
}

func TestAReasonOutlivesPaastisWithItsFigures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	image := reason.Reason{Kind: reason.ImageMissing}
	tomorrow := reason.Reason{Kind: "of_tomorrow", Text: "Something new."}
	for want, why := range map[reason.Kind]reason.Reason{
		reason.CrashLoop:  {Kind: reason.CrashLoop, Count: 5, Code: 3},
		reason.NeedsLate:  {Kind: reason.NeedsLate, Limit: time.Minute, Apps: []string{"db", "mail"}},
		reason.NeedFailed: {Kind: reason.NeedFailed, Apps: []string{"db"}, Because: &image},
		reason.Earlier:    {Kind: reason.NeedFailed, Apps: []string{"db"}, Because: &tomorrow},
	} {
		f := NewFileStore(path)
		saved := State{Apps: map[string]App{"docker/shop": {Wakes: []Wake{{Failed: &why}}}}}
		if err := f.Save(t.Context(), saved); err != nil {
			t.Fatal(err)
		}
		m, err := f.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := m.Apps["docker/shop"].Wakes[0].Failed
		if got.Kind != want || got.String() != why.String() || want != reason.Earlier && !got.Equal(why) {
			t.Errorf("of %+v is left %+v: %s", why, got, got)
		}
	}
}

func TestAFileHoldsAllThatIsRemembered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	f := NewFileStore(path)
	if m, err := f.Load(t.Context()); err != nil || m.Apps != nil {
		t.Fatalf("of a file that is not there yet: %+v, %v", m, err)
	}
	for range 2 { // the second replaces the first
		if err := os.WriteFile(path+".new", nil, 0o644); err != nil { // left by somebody
			t.Fatal(err)
		}
		if err := f.Save(t.Context(), aMemory()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := NewFileStore(path).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for id, app := range got.Apps { // times of the file are in UTC, those of spans are not
		for i := range app.Spans {
			app.Spans[i].From, app.Spans[i].To = app.Spans[i].From.UTC(), app.Spans[i].To.UTC()
		}
		got.Apps[id] = app
	}
	if want := aMemory(); !reflect.DeepEqual(got, want) {
		t.Errorf("it holds\n %+v, not\n %+v", got, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
	wantFiles(t, path, "state.json")
}

// wantFiles fails the test if there are others beside a file; a * ends a beginning.
func wantFiles(t *testing.T, path string, want ...string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if len(files) != len(want) {
		t.Errorf("there are %q, want %q", files, want)
	}
	for _, pattern := range want {
		if found, _ := filepath.Glob(filepath.Join(filepath.Dir(path), pattern)); found == nil {
			t.Errorf("there is no %s among %q", pattern, files)
		}
	}
}

func TestAFileThatIsOfNoUseIsKeptAsideAndSaidSo(t *testing.T) {
	for content, why := range map[string]string{
		"{\"version\":1,":              "it cannot be read: unexpected end of JSON input",
		"":                             "it cannot be read",
		`{"version":2,"apps":{}}`:      "it is of a later Paastis (version 2, not 1)",
		`{"name":"my-project"}`:        "it is no state of Paastis's",
		`{"version":1,"apps":["list"]`: "it cannot be read",
	} {
		path := filepath.Join(t.TempDir(), "state.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		f := NewFileStore(path)
		m, err := f.Load(t.Context())
		if err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "state_file "+path) || strings.Contains(err.Error(), "\n") || m.Apps != nil {
			t.Errorf("%q: %v", content, err)
		}
		wantFiles(t, path, "state.json.unread-*")
		if err := f.Save(t.Context(), aMemory()); err != nil {
			t.Error(err)
		}
		wantFiles(t, path, "state.json", "state.json.unread-*")
	}
}

func TestAFolderInPlaceOfTheFileStaysWhereItIs(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(filepath.Join(folder, "somebody's"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := NewFileStore(folder)
	want := "state_file " + folder + ": it is no file; name one, such as " + folder + "/state.json"
	if _, err := f.Load(t.Context()); err == nil || err.Error() != want {
		t.Errorf("loaded: %v", err)
	}
	if err := f.Save(t.Context(), aMemory()); err == nil || err.Error() != want {
		t.Errorf("saved: %v", err)
	}
	wantFiles(t, folder, "data")
}

func TestAFileThatCannotBeWrittenSaysWhatToDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "state.json")
	f := NewFileStore(path)
	if _, err := f.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "there is no folder") {
		t.Errorf("loaded: %v", err)
	}
	if err := f.Save(t.Context(), aMemory()); err == nil || !strings.Contains(err.Error(), "its folder must be writable") {
		t.Errorf("saved: %v", err)
	}
	folder := filepath.Join(t.TempDir(), "state.json")
	if err := os.MkdirAll(filepath.Join(folder, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := NewFileStore(folder).Save(t.Context(), aMemory()); err == nil {
		t.Error("a folder was replaced")
	}
}

func TestWhatTraefikAsksAboutIsReadFromAFileWithoutTouchingIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	if asked := ReadAsked(path); asked != nil {
		t.Errorf("of no file: %v", asked)
	}
	if err := NewFileStore(path).Save(t.Context(), State{Apps: map[string]App{
		"docker/a": {Asked: "web secured@file web"}, "docker/b": {},
	}}); err != nil {
		t.Fatal(err)
	}
	if asked := ReadAsked(path); len(asked) != 1 || asked["docker/a"] != "web secured@file web" {
		t.Errorf("got %v", asked)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if asked := ReadAsked(path); asked != nil {
		t.Errorf("of no state: %v", asked)
	}
	if left, err := os.ReadFile(path); err != nil || string(left) != "{" {
		t.Errorf("the file is now %q, %v", left, err)
	}
}

func TestReportOutlivesPaastis(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	report := &inventory.App{
		Name: "shop", Stack: "s", Labels: map[string]string{"traefik.enable": "true"}, Origin: `container "shop-1"`, Ports: []uint16{80},
		Routers: []traefik.Router{{Name: "shop", Rule: "Host(`shop.test`)", Secured: &traefik.TLS{CertResolver: "le"}}},
		Links:   []rules.Link{{Name: "db", Condition: rules.Started, Ordered: true}}, HealthCheck: &inventory.HealthCheck{Interval: time.Second},
		Instances: []inventory.Instance{{
			Name: "shop-1", ID: "1", Status: inventory.Running, Health: inventory.Healthy, StartedAt: at, Address: netip.MustParseAddr("10.0.0.2"),
			Mapped: &inventory.Mapping{Host: "attic", Ports: map[uint16]uint16{80: 32768}, Hidden: map[uint16]netip.Addr{81: netip.MustParseAddr("127.0.0.1")}},
		}},
	}
	f := NewFileStore(path)
	if err := f.Save(t.Context(), State{Apps: map[string]App{"far/shop": {Report: report}, "near/db": {}}}); err != nil {
		t.Fatal(err)
	}
	m, err := f.Load(t.Context())
	if err != nil || !reflect.DeepEqual(m.Apps["far/shop"].Report, report) || m.Apps["near/db"].Report != nil {
		t.Errorf("it is %+v, %v", m.Apps, err)
	}
	text := `{"version":1,"apps":{"far/shop":{"memory":7,"report":{"Name":["of a later Paastis"]}}}}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if m, err = f.Load(t.Context()); err != nil || m.Apps["far/shop"].Memory != 7 || m.Apps["far/shop"].Report != nil {
		t.Errorf("one that cannot be read: %+v, %v", m.Apps, err)
	}
}
