package e2e

import (
	"cmp"
	"fmt"
	"os/exec"
	"strings"
)

// app is a service of a stack: front, back or db of the demo.
type app struct {
	name   string
	next   string   // URL of the app that it asks for each answer
	boot   string   // time until it listens
	needs  []string // depends_on, healthy
	host   string   // it has a router for that host; empty: no router
	static bool     // with a static server URL
	server string   // that URL, if it is not the container's
	bare   bool     // with nothing for Traefik that direct mode does not need
	labels []string // "key=value"
	env    []string // "KEY=value"
	// checked is the interval of its health check; "none": it has none. Empty: 500ms.
	checked string
	more    string // more lines of its service, such as "restart: always"
}

// stack brings a compose project up; with asleep set its containers are only created.
func (s *testServer) stack(project string, asleep bool, apps ...app) {
	s.t.Helper()
	args := []string{"-d"}
	if asleep {
		args = []string{"--no-start"}
	}
	s.up(project, services(project, s.name, apps), args...)
}

// services is a compose file with apps of a site.
func services(project, site string, apps []app) string {
	var b strings.Builder
	b.WriteString("services:\n")
	for _, a := range apps {
		a.write(&b, project, site)
	}
	return b.String()
}

func (a app) write(b *strings.Builder, project, site string) {
	container := project + "-" + a.name + "-1"
	labels := append([]string{"e2e=" + site}, a.labels...)
	if a.host != "" {
		router := project + "-" + a.name
		labels = append(labels, "traefik.enable=true",
			"traefik.http.routers."+router+".rule=Host(`"+a.host+"`)",
			"traefik.http.routers."+router+".middlewares="+site+"@docker")
		if !a.bare {
			labels = append(labels, "traefik.docker.allownonrunning=true")
		}
		if a.static || a.server != "" {
			labels = append(labels, "traefik.http.services."+router+".loadbalancer.server.url="+cmp.Or(a.server, "http://"+container+":8080"))
		} else {
			labels = append(labels, "traefik.http.services."+router+".loadbalancer.server.port=8080")
		}
	}
	boot := a.boot
	if boot == "" {
		boot = "500ms"
	}
	env := append([]string{"NAME=" + a.name, "NEXT=" + a.next, "BOOT=" + boot, "PORT=8080"}, a.env...)
	fmt.Fprintf(b, "  %s:\n    image: paastis/demo-shop\n    environment: [%s]\n    labels: [%s]\n", a.name, quoted(env), quoted(labels))
	switch a.checked {
	case "none":
		b.WriteString("    healthcheck: {disable: true}\n")
	default:
		fmt.Fprintf(b, "    healthcheck: {interval: %s, timeout: 2s, retries: 20}\n", cmp.Or(a.checked, "500ms"))
	}
	b.WriteString(indented(a.more))
	if len(a.needs) > 0 {
		b.WriteString("    depends_on:\n")
		for _, n := range a.needs {
			fmt.Fprintf(b, "      %s: {condition: service_healthy}\n", n)
		}
	}
}

// up brings a compose project up on the site's network, and takes it down with the test.
func (s *testServer) up(project, yml string, args ...string) {
	s.t.Helper()
	yml += fmt.Sprintf("networks:\n  default: {name: %s, external: true}\n", s.name)
	file := s.write(project+".yml", yml)
	if args == nil {
		args = []string{"-d"}
	}
	s.t.Cleanup(func() {
		_ = exec.Command("docker", "compose", "-p", s.project(project), "-f", file, "down", "-t", "0", "-v").Run()
	})
	docker(s.t, append([]string{"compose", "-p", s.project(project), "-f", file, "up"}, args...)...)
}

// project is the compose project of a stack; that of Traefik and Paastis is the site's.
func (s *testServer) project(stack string) string {
	if stack == "infra" {
		return s.name
	}
	return stack
}
