package agreement

import (
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/paastis/paastis/traefik"
	"github.com/traefik/paerser/env"
	"github.com/traefik/paerser/flag"
	"github.com/traefik/traefik/v3/pkg/config/static"
	"github.com/traefik/traefik/v3/pkg/provider/docker"
)

// staticArguments are each an argument, or two.
var staticArguments = []string{
	"--providers.docker", "--providers.docker=true", "--providers.docker.exposedbydefault=false", "--providers.docker.exposedByDefault",
	"--providers.docker.exposedbydefault=true", "-providers.docker.network=web", "--providers.docker.network inner", "--Providers.Docker.Constraints=Label(`zone`,`in`)",
	"--providers.docker.constraints Label(`zone`,`out`)", "--providers.docker.defaultrule=Host(`{{ .Name }}.example`)", "--providers.docker.endpoint=tcp://socket:2375",
	"--providers.swarm.network=mesh", "--providers.swarm.exposedbydefault=false",
	"--entrypoints.web.address=:80", "--entryPoints.web.address=:81/tcp", "--entrypoints.websecure.address=:443", "--entrypoints.websecure.asdefault=true", "--entrypoints.web.asDefault",
	"--entrypoints.dns.address=:53/udp", "--entrypoints.web.address=127.0.0.1:8000", "--entrypoints.web.http.middlewares=a@file,b",
	"--providers.docker.allowemptyservices", "--providers.docker.allowEmptyServices=true", "--providers.swarm.allowemptyservices=true", "--entrypoints.websecure.http.tls=true", "--entrypoints.websecure.http.tls", "--entrypoints.websecure.http.tls.certresolver=le",
	"--entrypoints.web.http.redirections.entrypoint.to=websecure", "--api.insecure=true", "--api.insecure", "--api", "--ping", "--ping=true", "--accesslog", "--log.level=DEBUG", "--log.level WARN",
	"--providers.http.endpoint=http://paastis:3000/traefik/config", "--providers.http.pollInterval=1s", "--providers.file.directory=/dynamic",
	"--metrics.prometheus=true", "--certificatesresolvers.le.acme.email=a@example.com",
}

var staticVariables = []string{
	"TRAEFIK_PROVIDERS_DOCKER=true", "TRAEFIK_PROVIDERS_DOCKER_EXPOSEDBYDEFAULT=false", "TRAEFIK_PROVIDERS_DOCKER_NETWORK=web",
	"TRAEFIK_PROVIDERS_DOCKER_CONSTRAINTS=Label(`zone`,`in`)", "TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:80", "TRAEFIK_ENTRYPOINTS_WEBSECURE_ASDEFAULT=true",
	"TRAEFIK_ENTRYPOINTS_WEBSECURE_ADDRESS=:443", "TRAEFIK_PROVIDERS_HTTP_ENDPOINT=http://paastis:3000/traefik/config", "TRAEFIK_API_INSECURE=true",
	"TRAEFIK_PROVIDERS_DOCKER_ALLOWEMPTYSERVICES=true", "TRAEFIK_ENTRYPOINTS_WEB_HTTP_MIDDLEWARES=a,b",
}

// theirStatic is what Traefik makes of arguments, or without any of variables.
func theirStatic(t *testing.T, args, environ []string) (*static.Configuration, error) {
	t.Helper()
	c := &static.Configuration{Providers: &static.Providers{}}
	var err error
	if len(args) > 0 {
		err = flag.Decode(args, c)
	} else if variables := env.FindPrefixedEnvVars(environ, env.DefaultNamePrefix, c); len(variables) > 0 {
		err = env.Decode(variables, env.DefaultNamePrefix, c)
	}
	if err == nil {
		c.SetEffectiveConfiguration()
	}
	return c, err
}

func TestBothSidesReadTheSameStaticConfiguration(t *testing.T) {
	t.Parallel()
	d := dice{rand.New(rand.NewPCG(3, 26))}
	read := 0
	for range 5_000 {
		var args, environ []string
		for range d.IntN(9) {
			args = append(args, strings.Fields(d.of(staticArguments))...)
			environ = append(environ, d.of(staticVariables))
		}
		if d.IntN(3) == 0 {
			args = nil
		}
		if theirs, err := theirStatic(t, args, environ); err == nil {
			read++
			compareStatic(t, args, environ, theirs)
		}
	}
	if read < 3_000 {
		t.Errorf("Traefik reads %d of them: this shows little", read)
	}
}

func compareStatic(t *testing.T, args, environ []string, theirs *static.Configuration) {
	t.Helper()
	ours, found := traefik.ReadStatic(append([]string{"traefik"}, args...), environ)
	if !found {
		if theirs.Providers.Docker != nil || theirs.Providers.Swarm != nil || theirs.Providers.HTTP != nil {
			t.Errorf("%q, %q: not found to be Traefik's", args, environ)
		}
		return
	}
	if shared := theirDocker(theirs); shared == nil {
		if ours.ExposedByDefault != nil {
			t.Errorf("%q, %q: theirs has no such provider", args, environ)
		}
	} else if ours.ExposedByDefault == nil || *ours.ExposedByDefault != shared.ExposedByDefault || ours.Constraints.String() != shared.Constraints ||
		ours.KeepsUnhealthy != shared.AllowEmptyServices || ours.Network != shared.Network || ours.DefaultRule != strings.TrimSuffix(shared.DefaultRule, docker.DefaultTemplateRule) {
		t.Errorf("%q, %q: ours %+v, theirs %+v", args, environ, ours, shared)
	}
	if ours.Fetches != (theirs.Providers.HTTP != nil) {
		t.Errorf("%q, %q: fetches by ours %t", args, environ, ours.Fetches)
	}
	compareEntryPoints(t, args, environ, ours, theirs)
}

func theirDocker(theirs *static.Configuration) *docker.Shared {
	switch {
	case theirs.Providers.Docker != nil:
		return &theirs.Providers.Docker.Shared
	case theirs.Providers.Swarm != nil:
		return &theirs.Providers.Swarm.Shared
	default:
		return nil
	}
}

func compareEntryPoints(t *testing.T, args, environ []string, ours traefik.Static, theirs *static.Configuration) {
	t.Helper()
	var their []traefik.EntryPoint
	for name, e := range theirs.EntryPoints {
		if protocol, _ := e.GetProtocol(); protocol != "udp" {
			_, number, _ := net.SplitHostPort(e.GetAddress())
			port, _ := strconv.ParseUint(number, 10, 16)
			their = append(their, traefik.EntryPoint{
				Name: name, AsDefault: e.AsDefault, TLS: e.HTTP.TLS != nil, Port: uint16(port), Middlewares: strings.Join(once(e.HTTP.Middlewares), ","),
			})
		}
	}
	slices.SortFunc(their, func(a, b traefik.EntryPoint) int { return strings.Compare(a.Name, b.Name) })
	if !slices.Equal(ours.EntryPoints, their) {
		t.Errorf("%q, %q: entry points of ours %+v, of theirs %+v", args, environ, ours.EntryPoints, their)
	}
}

// once leaves out what was there before: a flag that is given twice adds to the list.
func once(all []string) []string {
	var kept []string
	for _, one := range all {
		if !slices.Contains(kept, one) {
			kept = append(kept, one)
		}
	}
	return kept
}
