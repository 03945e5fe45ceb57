package command

import (
	"strings"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/traefik"
)

func TestCheckTellsOfAHoldThatOutlastsTraefiksTimeouts(t *testing.T) {
	const at = "--entrypoints.web.transport.respondingtimeouts."
	for name, c := range map[string]struct {
		flag   string
		labels map[string]string
		want   string
	}{
		"as usual":                           {"", nil, ""},
		"a short readTimeout":                {at + "readtimeout=20s", map[string]string{"paastis.mode": "forwardauth"}, `app "shop-web": its hold_timeout of 25s (default) is longer than the readTimeout of 20s of Traefik's entry point allows: it cuts off a body that is not read by then, so a held upload is answered with 503 after 15s; raise entryPoints.<name>.transport.respondingTimeouts.readTimeout`},
		"in seconds alone":                   {at + "readTimeout=20", map[string]string{"paastis.mode": "forwardauth"}, "the readTimeout of 20s"},
		"a shorter hold":                     {at + "readtimeout=20s", map[string]string{"paastis.mode": "forwardauth", "paastis.hold_timeout": "15s"}, ""},
		"none":                               {at + "readtimeout=0", map[string]string{"paastis.mode": "direct", "paastis.direct_hold_timeout": "1h"}, ""},
		"of another entry point":             {"--entrypoints.other.transport.respondingtimeouts.readtimeout=20s", map[string]string{"paastis.mode": "forwardauth"}, ""},
		"a short writeTimeout":               {at + "writetimeout=10s", map[string]string{"paastis.mode": "forwardauth"}, "the writeTimeout of 10s of Traefik's entry point allows: it gives no answer that comes later, so a held request is answered with 503 after 8s"},
		"direct mode as usual":               {"", map[string]string{"paastis.mode": "direct"}, ""},
		"direct mode, a hold that is set":    {"", map[string]string{"paastis.mode": "direct", "paastis.direct_hold_timeout": "10m"}, `its direct_hold_timeout of 10m0s (label paastis.direct_hold_timeout on container "shop-web-1") is longer than the readTimeout of 1m0s`},
		"direct mode, a timeout that is set": {at + "readtimeout=100s", map[string]string{"paastis.mode": "direct"}, "its direct_hold_timeout of 2m0s (default) is longer than the readTimeout of 1m40s"},
	} {
		t.Run(name, func(t *testing.T) {
			flags := []string{"--entrypoints.web.address=:80", "--entrypoints.other.address=:81", "--providers.docker"}
			if c.flag != "" {
				flags = append(flags, c.flag)
			}
			static, _ := traefik.ReadStatic(flags, nil)
			runs := inventory.App{Name: "traefik", Protected: inventory.RunsTraefik, Traefik: &static, Networks: []string{"apps"}, Instances: []inventory.Instance{{Name: "traefik"}}}
			app := web(func(a *inventory.App) {
				for label, value := range c.labels {
					a.Labels[label] = value
				}
			})
			got := strings.Join(lintOf(t, true, app, runs), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
