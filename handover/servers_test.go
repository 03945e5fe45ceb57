package handover

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

func TestAnAppOnTheHostsNetworkIsFoundAtTheMachine(t *testing.T) {
	rt := &inventory.Route{Definition: &inventory.Definition{Resolved: &rules.Resolved{}}, Router: &inventory.Router{}, Scheme: "http", Port: 8123}
	hub := inventory.App{Networks: []string{"host"}, Instances: []inventory.Instance{{Name: "hub", Status: inventory.Running, Machine: netip.MustParseAddr("172.18.0.1")}}}
	for name, c := range map[string]struct {
		to   *Destination
		want string
	}{
		"by a Traefik in a network": {&Destination{networks: networks{"web"}}, "http://172.18.0.1:8123"},
		"by a Traefik beside it":    {&Destination{onHost: true}, "http://127.0.0.1:8123"},
		"by one that is not known":  {nil, "http://172.18.0.1:8123"},
	} {
		if got := Servers(rt, &hub, hub.Instances, c.to); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
