package docker

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jarcoal/httpmock"
	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
)

// engine plays the Docker API over containers that a test adds and changes. They start
// out as recordings of a Docker 20.10 in testdata.
type engine struct {
	t         *testing.T
	transport *httpmock.MockTransport
	// subscriptions receives the query of every call for events.
	subscriptions chan url.Values

	mu         sync.Mutex
	containers map[string]*api.InspectResponse // by ID
	calls      []string                        // "start shop-front-1"
	refusals   map[string]refused              // by call
	frozen     bool                            // it does not answer pings
	gates      map[string]chan struct{}        // by call: answered when it is closed
	stream     *io.PipeWriter
	clock      int64
	command    command
}

// command is how the command ends that is executed.
type command struct {
	exitCode int
	// running is how often it is still seen running after its output has ended.
	running int
}

// refused is an error of the engine.
type refused struct {
	status  int
	message string
}

func newEngine(t *testing.T, recordings ...string) *engine {
	e := &engine{
		t:             t,
		transport:     httpmock.NewMockTransport(),
		subscriptions: make(chan url.Values, 10),
		containers:    map[string]*api.InspectResponse{},
		refusals:      map[string]refused{},
		gates:         map[string]chan struct{}{},
		clock:         1_795_486_850_000_000_123,
	}
	for _, name := range recordings {
		e.add(recording(t, name))
	}
	e.transport.RegisterResponder("HEAD", "/_ping", e.ping)
	e.transport.RegisterResponder("GET", "/_ping", e.ping)
	e.transport.RegisterResponder("GET", "/v1.41/containers/json", e.list)
	e.transport.RegisterResponder("GET", "/v1.41/events", e.events)
	e.transport.RegisterResponder("GET", `=~^/v1\.41/containers/\w+/json$`, e.inspect)
	e.transport.RegisterResponder("POST", `=~^/v1\.41/containers/\w+/(start|stop|pause|unpause)$`, e.order)
	e.transport.RegisterResponder("GET", `=~^/v1\.41/containers/\w+/logs$`, e.logs)
	e.transport.RegisterResponder("GET", `=~^/v1\.4[01]/containers/\w+/stats$`, e.stats)
	e.transport.RegisterResponder("POST", `=~^/v1\.41/containers/\w+/exec$`, e.prepare)
	e.transport.RegisterResponder("GET", "/v1.41/exec/c0ffee/json", e.ended)
	return e
}

// provider is one that talks to this engine.
func (e *engine) provider(change ...func(*Config)) *Provider {
	cfg := Config{Transport: e.transport}
	for _, c := range change {
		c(&cfg)
	}
	p, err := NewConfig(cfg)
	if err != nil {
		e.t.Fatal(err)
	}
	return p
}

// The script: what tests tell the engine.

func (e *engine) add(c *api.InspectResponse) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.containers[c.ID] = c
}

func (e *engine) remove(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.containers, e.named(name).ID)
}

func (e *engine) change(name string, changes ...func(*api.InspectResponse)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range changes {
		c(e.named(name))
	}
}

func (e *engine) refuse(call string, status int, message string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refusals[call] = refused{status, message}
}

func (e *engine) allow(call string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.refusals, call)
}

// hold keeps the answer of the next such call, made at once, until release is called.
func (e *engine) hold(call string) (release func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	gate := make(chan struct{})
	e.gates[call] = gate
	return func() { close(gate) }
}

// happens sends an event, stamped a second after the one before: "die", or "kill 9" with the
// signal.
func (e *engine) happens(action, id string) {
	action, signal, _ := strings.Cut(action, " ")
	if strings.HasSuffix(action, ":") { // of a health check
		action, signal = action+" "+signal, ""
	}
	e.mu.Lock()
	e.clock += 1_000_000_000
	at, stream := e.clock, e.stream
	e.mu.Unlock()
	fmt.Fprintf(stream, `{"Type":"container","Action":%q,"Actor":{"ID":%q,"Attributes":{"signal":%q}},"scope":"local","time":%d,"timeNano":%d}`+"\n",
		action, id, signal, at/1_000_000_000, at)
}

// hangUp ends the stream of events.
func (e *engine) hangUp() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stream.Close()
}

// freeze lets it answer no more whether it is there. Its stream of events stays open.
func (e *engine) freeze() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.frozen = true
}

// id is that of a container by its name.
func (e *engine) id(name string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.named(name).ID
}

// made are the calls since the last time that it was asked, without pings.
func (e *engine) made() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	made := e.calls
	e.calls = nil
	return made
}

// The API.

func (e *engine) ping(request *http.Request) (*http.Response, error) {
	e.mu.Lock()
	refusal, isRefused := e.refusals["ping"]
	frozen := e.frozen
	e.mu.Unlock()
	switch {
	case frozen:
		<-request.Context().Done()
		return nil, request.Context().Err()
	case isRefused:
		return refusedWith(refusal)
	}
	r := httpmock.NewStringResponse(http.StatusOK, "")
	r.Header.Set("Api-Version", "1.41")
	return r, nil
}

func (e *engine) list(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Get("all") != "1" {
		return refusedWith(refused{400, "only running containers were asked for"})
	}
	return e.answer("list", func() any {
		all := []api.Summary{}
		for _, c := range e.containers {
			all = append(all, summary(c))
		}
		return all
	})
}

func (e *engine) inspect(r *http.Request) (*http.Response, error) {
	c := e.addressed(r)
	if c == nil {
		return refusedWith(gone(r))
	}
	return e.answer("inspect "+c.Name[1:], func() any { return *c })
}

func (e *engine) order(r *http.Request) (*http.Response, error) {
	verb := path.Base(r.URL.Path)
	c := e.addressed(r)
	if c == nil {
		return refusedWith(gone(r))
	}
	return e.answer(verb+" "+c.Name[1:], func() any {
		map[string]func(*api.InspectResponse){"start": runs, "unpause": runs, "stop": exits(0), "pause": pauses}[verb](c)
		return nil
	})
}

func (e *engine) logs(r *http.Request) (*http.Response, error) {
	c := e.addressed(r)
	if c == nil {
		return refusedWith(gone(r))
	}
	file := "testdata/logs.bin"
	if c.Config.Tty {
		file = "testdata/logs-tty.txt"
	}
	text, err := os.ReadFile(file)
	return httpmock.NewBytesResponse(http.StatusOK, text), err
}

func (e *engine) stats(r *http.Request) (*http.Response, error) {
	if q := r.URL.Query(); q.Get("stream") != "false" || q.Get("one-shot") != "true" {
		return refusedWith(refused{400, "more than one sample was asked for"})
	}
	c := e.addressed(r)
	if c == nil {
		return refusedWith(gone(r))
	}
	return e.answer("stats "+c.Name[1:], func() any {
		file := "testdata/stats.json"
		switch {
		case !c.State.Running:
			file = "testdata/stats-exited.json"
		case c.HostConfig.NetworkMode.IsHost():
			file = "testdata/stats-host.json"
		}
		text, err := os.ReadFile(file)
		if err != nil {
			e.t.Error(err)
		}
		return json.RawMessage(text)
	})
}

// prepare makes every command c0ffee.
func (e *engine) prepare(r *http.Request) (*http.Response, error) {
	c := e.addressed(r)
	if c == nil {
		return refusedWith(gone(r))
	}
	var asked api.ExecCreateRequest
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || !asked.AttachStdout || !asked.AttachStderr {
		return refusedWith(refused{400, "bad command"})
	}
	return e.answer(fmt.Sprintf("exec %s %q", c.Name[1:], asked.Cmd), func() any {
		return api.ExecCreateResponse{ID: "c0ffee"}
	})
}

// ended tells of c0ffee: that it still runs, as often as scripted, and how it ended.
func (e *engine) ended(*http.Request) (*http.Response, error) {
	return e.answer("ended", func() any {
		if e.command.running > 0 {
			e.command.running--
			return api.ExecInspectResponse{ID: "c0ffee", Running: true}
		}
		return api.ExecInspectResponse{ID: "c0ffee", ExitCode: &e.command.exitCode}
	})
}

func (e *engine) events(r *http.Request) (*http.Response, error) {
	from, to := io.Pipe()
	context.AfterFunc(r.Context(), func() { to.CloseWithError(r.Context().Err()) })
	e.mu.Lock()
	e.stream = to
	e.mu.Unlock()
	e.subscriptions <- r.URL.Query()
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       from,
	}, nil
}

// answer notes the call and makes the answer under the lock; a gate holds it only on
// its way back.
func (e *engine) answer(call string, do func() any) (*http.Response, error) {
	e.mu.Lock()
	e.calls = append(e.calls, call)
	refusal, isRefused := e.refusals[call]
	var body []byte
	if !isRefused {
		body, _ = json.Marshal(do())
	}
	gate := e.gates[call]
	delete(e.gates, call)
	e.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if isRefused {
		return refusedWith(refusal)
	}
	r := httpmock.NewBytesResponse(http.StatusOK, body)
	r.Header.Set("Content-Type", "application/json")
	return r, nil
}

// addressed is the container that a request is about, nil if there is none.
func (e *engine) addressed(r *http.Request) *api.InspectResponse {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.containers[path.Base(path.Dir(r.URL.Path))]
}

func (e *engine) named(name string) *api.InspectResponse {
	for _, c := range e.containers {
		if c.Name == "/"+name {
			return c
		}
	}
	e.t.Errorf("no container %q", name)
	return &api.InspectResponse{State: &api.State{}}
}

func gone(r *http.Request) refused {
	return refused{404, "No such container: " + path.Base(path.Dir(r.URL.Path))}
}

func refusedWith(e refused) (*http.Response, error) {
	r, err := httpmock.NewJsonResponse(e.status, map[string]string{"message": e.message})
	return r, err
}

// summary is how the list shows a container.
func summary(c *api.InspectResponse) api.Summary {
	s := api.Summary{ID: c.ID, Names: []string{c.Name}, State: c.State.Status}
	s.NetworkSettings = &api.NetworkSettingsSummary{Networks: c.NetworkSettings.Networks}
	switch c.State.Status {
	case api.StateRunning:
		s.Status = "Up 5 minutes"
		if c.State.Health != nil {
			s.Status += " (" + strings.Replace(string(c.State.Health.Status), "starting", "health: starting", 1) + ")"
		}
	case api.StateExited:
		s.Status = fmt.Sprintf("Exited (%d) 5 minutes ago", c.State.ExitCode)
	default:
		s.Status = string(c.State.Status)
	}
	return s
}

// Containers.

// recording is a container as Docker showed it.
func recording(t *testing.T, name string) *api.InspectResponse {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var c api.InspectResponse
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return &c
}

// another is a container of its own ID and name, else like the recording.
func another(t *testing.T, name, like string, changes ...func(*api.InspectResponse)) *api.InspectResponse {
	c := recording(t, like)
	c.ID = (hex.EncodeToString([]byte(name)) + strings.Repeat("0", 64))[:64]
	c.Name = "/" + name
	c.Config.Hostname = c.ID[:12]
	for _, change := range changes {
		change(c)
	}
	return c
}

func runs(c *api.InspectResponse) {
	c.State.Status, c.State.Running, c.State.Paused = api.StateRunning, true, false
}

func pauses(c *api.InspectResponse) {
	c.State.Status, c.State.Running, c.State.Paused = api.StatePaused, true, true
}

func exits(code int) func(*api.InspectResponse) {
	return func(c *api.InspectResponse) {
		c.State.Status, c.State.Running, c.State.Paused, c.State.ExitCode = api.StateExited, false, false, code
	}
}

func renamed(name string) func(*api.InspectResponse) {
	return func(c *api.InspectResponse) { c.Name = "/" + name }
}

func labelled(name, value string) func(*api.InspectResponse) {
	return func(c *api.InspectResponse) { c.Config.Labels[name] = value }
}

func imaged(image string) func(*api.InspectResponse) {
	return func(c *api.InspectResponse) { c.Config.Image = image }
}

func onNetwork(mode string) func(*api.InspectResponse) {
	return func(c *api.InspectResponse) {
		c.HostConfig.NetworkMode = api.NetworkMode(mode)
		c.NetworkSettings.Networks = nil
	}
}

// attachedTo puts the container into networks: "apps=10.0.0.2", "apps=fd00::2".
func attachedTo(places ...string) func(*api.InspectResponse) {
	return func(c *api.InspectResponse) {
		c.HostConfig.NetworkMode = "default"
		c.NetworkSettings.Networks = map[string]*network.EndpointSettings{}
		for _, place := range places {
			name, address, _ := strings.Cut(place, "=")
			c.NetworkSettings.Networks[name] = endpointAt(name, address)
		}
	}
}

func endpointAt(name, address string) *network.EndpointSettings {
	at := &network.EndpointSettings{NetworkID: "id of " + name}
	switch a, _ := netip.ParseAddr(address); {
	case a.Is4():
		at.IPAddress = a
	case a.Is6():
		at.GlobalIPv6Address = a
	}
	return at
}

// exposing lets the container's image expose ports: "80/tcp".
func exposing(ports ...string) func(*api.InspectResponse) {
	return func(c *api.InspectResponse) {
		c.Config.ExposedPorts = network.PortSet{}
		for _, port := range ports {
			c.Config.ExposedPorts[network.MustParsePort(port)] = struct{}{}
		}
	}
}

// Checks.

func listOf(t *testing.T, p *Provider) provider.Report {
	t.Helper()
	report, err := p.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func appOf(t *testing.T, p *Provider, name string) inventory.App {
	t.Helper()
	return appIn(t, listOf(t, p), name)
}

func appIn(t *testing.T, report provider.Report, name string) inventory.App {
	t.Helper()
	for _, app := range report.Apps {
		if app.Name == name {
			return app
		}
	}
	t.Fatalf("no app %q among %q", name, appNames(report))
	return inventory.App{}
}

func appNames(report provider.Report) []string {
	var all []string
	for _, app := range report.Apps {
		all = append(all, app.Name)
	}
	return all
}

func instanceNames(app inventory.App) []string {
	var all []string
	for _, instance := range app.Instances {
		all = append(all, instance.Name)
	}
	return all
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func failed(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("no error, want %q", want)
	case err.Error() != want:
		t.Errorf("got error %q\nwant      %q", err, want)
	}
}

func sorted(texts []string) []string {
	return slices.Sorted(slices.Values(texts))
}
