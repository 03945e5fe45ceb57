package traefik_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/paastis/paastis/traefik"
)

func TestTraefiksOwnFlagsAreReadFromArgumentsElseFromVariables(t *testing.T) {
	t.Parallel()
	flags := []string{"traefik", "--entrypoints.web.address=:80", "--providers.docker.exposedByDefault=false", "--providers.docker.network=web", "--providers.docker.constraints=Label(`zone`,`out`)", "--providers.http.endpoint=http://u:p@paastis:3000/traefik/config?token=s3cret", "--providers.docker.password", "s3cret"}
	variables := []string{"PATH=/bin", "TRAEFIK_PROVIDERS_DOCKER_EXPOSEDBYDEFAULT=false", "TRAEFIK_PROVIDERS_DOCKER_NETWORK=web", "TRAEFIK_PROVIDERS_DOCKER_CONSTRAINTS=Label(`zone`,`out`)", "TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:80", "TRAEFIK_PROVIDERS_HTTP_ENDPOINT=http://paastis:3000/traefik/config?token=s3cret", "CF_API_TOKEN=s3cret"}
	out, in := labelsOf(t, map[string]string{"zone": "out", "traefik.enable": "true"}), labelsOf(t, map[string]string{"zone": "in", "traefik.enable": "true"})
	for name, read := range map[string]func() (traefik.Static, bool){
		"arguments": func() (traefik.Static, bool) { return traefik.ReadStatic(flags, nil) },
		"variables": func() (traefik.Static, bool) {
			return traefik.ReadStatic([]string{"/usr/local/bin/traefik"}, variables)
		},
		"arguments before variables": func() (traefik.Static, bool) {
			return traefik.ReadStatic(flags, []string{"TRAEFIK_PROVIDERS_DOCKER_CONSTRAINTS=Label(`zone`,`in`)"})
		},
	} {
		s, found := read()
		if !found || s.Unread != "" || !s.Fetches || !s.Keeps(out) || s.Keeps(in) || s.Network != "web" || s.Exposes(labelsOf(t, nil)) {
			t.Errorf("%s: %+v, found %t", name, s, found)
		}
		if strings.Contains(fmt.Sprintf("%+v", s), "s3cret") {
			t.Errorf("%s: a secret is kept: %+v", name, s)
		}
	}
}

func TestAStaticConfigurationThatCannotBeReadIsSaidToBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args, mounts []string
		want         string // of Unread; empty: it is read
	}{
		"a file that is named":       {[]string{"--configfile=/traefik.yml", "--providers.docker"}, nil, "/traefik.yml"},
		"a file that is found":       {[]string{"--providers.docker"}, []string{"/etc/traefik/traefik.yaml"}, "/etc/traefik"},
		"a folder, and no flag":      {[]string{"traefik"}, []string{"/etc/traefik"}, "/etc/traefik"},
		"a folder, and flags":        {[]string{"--providers.docker"}, []string{"/etc/traefik"}, ""},
		"a file of something else's": {[]string{"--providers.docker"}, []string{"/etc/traefik/dynamic.yml", "/letsencrypt"}, ""},
		"a script":                   {[]string{"-c", "exec traefik --providers.docker.constraints=x"}, nil, "script"},
	} {
		s, _ := traefik.ReadStatic(c.args, nil, c.mounts...)
		if !strings.Contains(s.Unread, c.want) || (c.want == "") != (s.Unread == "") {
			t.Errorf("%s: unread: %q", name, s.Unread)
		}
	}
}

func TestAnotherProgramsArgumentsAreNotTraefiks(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"postgres"}, {"--config=/etc/x", "-v"}, {"serve", "--providers.docker"}} {
		if s, found := traefik.ReadStatic(args, []string{"PATH=/bin", "API_KEY=x"}); found || !s.Equal(traefik.Static{}) {
			t.Errorf("%q: %+v", args, s)
		}
	}
}
