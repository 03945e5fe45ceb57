package docker

import (
	"fmt"
	"strings"
	"testing"

	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
)

// of is what is reported of a container with this image, these arguments and variables.
func of(image string, args, environ []string, mounts ...string) inventory.App {
	in := api.InspectResponse{Name: "/edge-1", ID: "1", Args: args, Config: &api.Config{Image: image, Env: environ}}
	for _, m := range mounts {
		in.Mounts = append(in.Mounts, api.MountPoint{Destination: m})
	}
	c := newContainer(in, "1.45")
	return (&snapshot{all: []*container{c}}).everything().Apps[0]
}

func TestATraefiksOwnFlagsAreReadFromItsContainerAndNothingElse(t *testing.T) {
	labels, err := traefik.Decode(map[string]string{"zone": "in", "traefik.enable": "true"})
	if err != nil {
		t.Fatal(err)
	}
	const constraint = "Label(`zone`,`out`)"
	for name, app := range map[string]inventory.App{
		"arguments":                of("traefik:v3", []string{"traefik", "--providers.docker.constraints=" + constraint, "--providers.docker.password=s3cret"}, []string{"CF_API_KEY=s3cret"}),
		"variables":                of("traefik:v3", []string{"traefik"}, []string{"TRAEFIK_PROVIDERS_DOCKER_CONSTRAINTS=" + constraint, "TRAEFIK_PROVIDERS_DOCKER_PASSWORD=s3cret"}),
		"an image of another name": of("registry.test/edge", []string{"--providers.docker.constraints=" + constraint}, nil),
	} {
		if app.Protected != inventory.RunsTraefik || app.Traefik == nil || app.Traefik.Keeps(labels) || app.Traefik.Constraints.String() != constraint {
			t.Errorf("%s: %q, %+v", name, app.Protected, app.Traefik)
		}
		if strings.Contains(fmt.Sprintf("%+v %+v", app, *app.Traefik), "s3cret") {
			t.Errorf("%s: a secret is kept", name)
		}
	}
	if app := of("traefik:v3", nil, nil, "/etc/traefik/traefik.yml"); app.Traefik == nil || app.Traefik.Unread == "" {
		t.Errorf("in a file: %+v", app.Traefik)
	}
	if app := of("postgres:17", []string{"postgres", "-c", "a=b"}, []string{"TRAEFIK=no"}); app.Traefik != nil || app.Protected != "" {
		t.Errorf("another program: %q, %+v", app.Protected, app.Traefik)
	}
}

func TestPortsOfTheMachineLeadToATraefiksEntryPoints(t *testing.T) {
	in := api.InspectResponse{
		Name: "/edge-1", ID: "1", Args: []string{"--entrypoints.web.address=:80", "--entrypoints.alt.address=:81", "--entrypoints.own.address=:82", "--providers.docker"},
		Config: &api.Config{Image: "traefik:v3"},
		HostConfig: &api.HostConfig{PortBindings: network.PortMap{
			network.MustParsePort("80/tcp"): {{HostPort: "8000"}, {HostPort: "8800"}}, network.MustParsePort("80/udp"): {{HostPort: "1"}},
			network.MustParsePort("81/tcp"): {{HostPort: "8081"}}, network.MustParsePort("82/tcp"): {{}},
		}},
	}
	app := (&snapshot{all: []*container{newContainer(in, "1.45")}}).everything().Apps[0]
	want := "{80 false} {8000 false}; {81 false} {8081 false}; {82 false}"
	var got []string
	for _, name := range []string{"web", "alt", "own"} {
		got = append(got, strings.Trim(fmt.Sprint(app.Traefik.Ways(traefik.Router{EntryPoints: []string{name}})), "[]"))
	}
	if strings.Join(got, "; ") != want {
		t.Errorf("ways %q, want %q", got, want)
	}
}
