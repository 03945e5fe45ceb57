package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"gopkg.in/yaml.v3"
)

var (
	paastisImage = flag.String("image", "paastis/paastis", "image of Paastis")
	appImage     = flag.String("app-image", "paastis/demo-shop", "image of the apps")
)

// site is a Traefik, a Paastis and apps of one part's own, as containers on a network of
// their own. Each is called after the site and its service: bench-wake-traefik. Nobody
// else's containers are touched.
type site struct {
	name     string // of the compose project, the network and the middleware
	dir      string // seen by the containers as /bench
	engine   *client.Client
	services map[string]service
	apps     []string // the services that are apps
}

// service is one of the compose project's.
type service struct {
	Image       string         `yaml:"image"`
	Name        string         `yaml:"container_name"`
	Entrypoint  []string       `yaml:"entrypoint,omitempty"`
	Command     []string       `yaml:"command,omitempty"`
	Environment []string       `yaml:"environment,omitempty"`
	Labels      []string       `yaml:"labels"`
	Volumes     []string       `yaml:"volumes"`
	Healthcheck map[string]any `yaml:"healthcheck,omitempty"`
}

// engineSocket is the Docker engine's, on the host and in containers.
const engineSocket = "/var/run/docker.sock"

// unchecked turns an image's health check off.
var unchecked = map[string]any{"disable": true}

// onSite prepares a site, does something with it and takes it away again, whatever
// happened. The error of a failure holds what Paastis and Traefik said last.
func onSite(ctx context.Context, name string, do func(*site) error) error {
	free, err := alone()
	if err != nil {
		return err
	}
	defer free()
	s, err := newSite(ctx, name)
	if err != nil {
		return err
	}
	defer s.close()
	if err := do(s); err != nil {
		return fmt.Errorf("%w%s%s", err, s.lastWords("paastis"), s.lastWords("traefik"))
	}
	return nil
}

// alone keeps a second bench away until free is called: it would remove the containers of
// this one, and spoil its figures.
func alone() (free func(), err error) {
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "paastis-bench.lock"), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("another bench runs on this machine: lock %s: %w", lock.Name(), err)
	}
	return func() { _ = lock.Close() }, nil // the kernel lets go of the lock with the file
}

// newSite removes what a site of that name has left that was killed.
func newSite(ctx context.Context, name string) (*site, error) {
	engine, err := client.New(client.WithHost("unix://" + engineSocket))
	if err != nil {
		return nil, err
	}
	if _, err := engine.Ping(ctx, client.PingOptions{}); err != nil {
		return nil, fmt.Errorf("a Docker engine is needed (`make setup` starts one): %w", err)
	}
	dir, err := os.MkdirTemp("", name+"-")
	if err != nil {
		return nil, err
	}
	s := &site{name: name, dir: dir, engine: engine, services: map[string]service{}}
	return s, s.down(ctx)
}

// close removes all containers of the site and its network, even when everything else
// is over.
func (s *site) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.down(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	_ = s.engine.Close()
	_ = os.RemoveAll(s.dir)
}

// down finds what to remove by Compose's labels and needs no file.
func (s *site) down(ctx context.Context) error {
	return s.docker(ctx, "compose", "-p", s.name, "down", "-t", "0", "-v", "--remove-orphans")
}

// add adds a service to the project.
func (s *site) add(name string, v service) {
	v.Name = s.container(name)
	v.Labels = append(v.Labels, "bench="+s.name)
	v.Volumes = append(v.Volumes, s.dir+":/bench")
	s.services[name] = v
}

// addTraefik adds Traefik, with the providers that flags tell.
func (s *site) addTraefik(flags ...string) { s.addTraefikAs("traefik", flags...) }

// addTraefikAs adds one of several Traefiks.
func (s *site) addTraefikAs(name string, flags ...string) {
	s.add(name, service{
		Image: "traefik:v3.6.12",
		Command: append([]string{
			"--api.insecure=true", "--api.dashboard=false",
			"--global.checknewversion=false", "--global.sendanonymoususage=false",
			"--entrypoints.web.address=:80",
		}, flags...),
		Volumes: []string{engineSocket + ":" + engineSocket},
	})
}

// byLabels are the flags with which Traefik reads the labels of this site's containers.
func (s *site) byLabels() []string {
	return []string{
		"--providers.docker.exposedbydefault=false", "--providers.docker.network=" + s.name,
		"--providers.docker.constraints=Label(`bench`,`" + s.name + "`)",
	}
}

// byPaastis are the flags with which Traefik takes routes from Paastis.
func (s *site) byPaastis() []string {
	return []string{"--providers.http.endpoint=http://" + s.container("paastis") + ":3000/traefik/config", "--providers.http.pollinterval=1s"}
}

// addPaastis adds Paastis, which speaks with the engine over a socket, and the middleware
// that asks it. env are more of its settings.
func (s *site) addPaastis(socket string, env ...string) {
	s.add("paastis", service{
		Image: *paastisImage,
		Environment: append([]string{
			"PAASTIS_TRAEFIK_MIDDLEWARE=" + s.name, "PAASTIS_WAKE_LIMIT=0",
			"PAASTIS_TRAEFIK_API_URL=http://" + s.container("traefik") + ":8080",
		}, env...),
		Labels: []string{
			"traefik.enable=true", "traefik.docker.allownonrunning=true",
			"traefik.http.middlewares." + s.name + ".forwardauth.address=http://" + s.container("paastis") + ":3000/auth",
			"traefik.http.middlewares." + s.name + ".forwardauth.maxresponsebodysize=4096",
			"traefik.http.routers." + s.name + "-paastis.rule=Host(`paastis.invalid`)",
			"traefik.http.routers." + s.name + "-paastis.service=noop@internal",
		},
		Volumes: []string{socket + ":" + engineSocket},
	})
}

// addApp adds an app without a health check of its own.
func (s *site) addApp(name, boot string, labels ...string) {
	s.apps = append(s.apps, name)
	s.add(name, service{
		Image:       *appImage,
		Environment: []string{"NAME=" + name, "BOOT=" + boot},
		Labels:      labels,
		Healthcheck: unchecked,
	})
}

// routed are the labels of an app that visitors reach as its host. Traefik knows its
// server, or has to find it.
func (s *site) routed(name string, static bool, more ...string) []string {
	router := s.container(name)
	server := ".loadbalancer.server.port=8080"
	if static {
		server = ".loadbalancer.server.url=http://" + router + ":8080"
	}
	return append([]string{
		"traefik.enable=true", "traefik.docker.allownonrunning=true",
		"traefik.http.routers." + router + ".rule=Host(`" + s.host(name) + "`)",
		"traefik.http.routers." + router + ".middlewares=" + s.name + "@docker",
		"traefik.http.services." + router + server,
	}, more...)
}

// host is that of an app's visitors.
func (s *site) host(name string) string { return name + "." + s.name + ".test" }

// container is the name of a service's container, and of the app that it is to Paastis.
func (s *site) container(service string) string { return s.name + "-" + service }

// up creates all containers and starts those of some services.
func (s *site) up(ctx context.Context, running ...string) error {
	file := filepath.Join(s.dir, "compose.yml")
	text, err := yaml.Marshal(map[string]any{
		"services": s.services,
		"networks": map[string]any{"default": map[string]string{"name": s.name}},
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	compose := []string{"compose", "-p", s.name, "-f", file}
	if err := s.docker(ctx, append(compose, "up", "--no-start", "--pull", "never")...); err != nil {
		return err
	}
	if len(running) == 0 { // which would be all to Compose
		return nil
	}
	return s.docker(ctx, append(append(compose, "start"), running...)...)
}

// docker runs Docker's command line.
func (s *site) docker(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "docker", args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("docker %s: %w: %s", args[0], err, bytes.TrimSpace(out))
	}
	return nil
}

// inspect is what the engine knows of a service's container.
func (s *site) inspect(ctx context.Context, service string) (container.InspectResponse, error) {
	got, err := s.engine.ContainerInspect(ctx, s.container(service), client.ContainerInspectOptions{})
	return got.Container, err
}

// address is where a service's container is reached from the host, without a proxy
// between.
func (s *site) address(ctx context.Context, service, port string) (string, error) {
	c, err := s.inspect(ctx, service)
	if err != nil {
		return "", err
	}
	network := c.NetworkSettings.Networks[s.name]
	if network == nil || !network.IPAddress.IsValid() {
		return "", fmt.Errorf("%s has no address on its network", c.Name)
	}
	return net.JoinHostPort(network.IPAddress.String(), port), nil
}

// running are the names of this site's containers that run.
func (s *site) running(ctx context.Context) (map[string]bool, error) {
	list, err := s.engine.ContainerList(ctx, client.ContainerListOptions{
		Filters: make(client.Filters).Add("label", "bench="+s.name),
	})
	names := map[string]bool{}
	for _, c := range list.Items {
		for _, name := range c.Names {
			names[name[len("/"):]] = true
		}
	}
	return names, err
}

// asleep waits until no app of the site runs, and Paastis says so of one of them.
func (s *site) asleep(ctx context.Context, app string, limit time.Duration) error {
	visitor, err := s.visitor(ctx)
	if err != nil {
		return err
	}
	return await(ctx, "all apps to sleep", limit, func() bool {
		running, err := s.running(ctx)
		if err != nil || slices.ContainsFunc(s.apps, func(name string) bool { return running[s.container(name)] }) {
			return false
		}
		a, err := get(ctx, visitor, "http://"+s.host(app)+"/robots.txt")
		return err == nil && a.header.Get("X-Paastis-State") == "asleep"
	})
}

// visitor is a client for which every host is Traefik.
func (s *site) visitor(ctx context.Context) (*http.Client, error) {
	traefik, err := s.address(ctx, "traefik", "80")
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Timeout: 2 * time.Minute,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, traefik)
			},
			MaxIdleConnsPerHost: 100,
		},
	}, nil
}

// answer is what somebody got.
type answer struct {
	status int
	header http.Header
	body   string
}

// get asks as a program does.
func get(ctx context.Context, visitor *http.Client, url string, header ...string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := visitor.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body)}, err
}

// await waits for something that the bench cannot make happen.
func await(ctx context.Context, what string, limit time.Duration, is func() bool) error {
	for end := time.Now().Add(limit); time.Now().Before(end); pause(ctx, 50*time.Millisecond) {
		if is() {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("waited %s for %s", limit, what)
}

// pause is over after a time, or with ctx.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// lastWords are the last lines that a service's container has logged.
func (s *site) lastWords(service string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", "logs", "--tail", "15", s.container(service)).CombinedOutput()
	if err != nil || len(out) == 0 {
		return ""
	}
	return fmt.Sprintf("\n%s said:\n%s", service, out)
}
