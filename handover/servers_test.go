package handover

import (
	"net/netip"
	"net/url"
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

func TestAnAppOfAURLIsFoundThereWhileAnyOfItServes(t *testing.T) {
	own, err := url.Parse("https://shop.example.com")
	if err != nil {
		t.Fatal(err)
	}
	shop := inventory.App{URL: own.String(), Networks: []string{"inner"}, Instances: []inventory.Instance{
		{Name: "web-1", Status: inventory.Running, Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.7")}}, {Name: "web-2", Status: inventory.Running},
	}}
	rt := &inventory.Route{Definition: &inventory.Definition{App: &shop, URL: own, Resolved: &rules.Resolved{}}, Router: &inventory.Router{}, Scheme: "https", Port: 443}
	to := &Destination{networks: networks{"web"}}
	if got := Servers(rt, &shop, shop.Instances, to); !slices.Equal(got, []string{"https://shop.example.com"}) {
		t.Errorf("found at %s", got)
	}
	if got := Servers(rt, &shop, nil, to); len(got) > 0 {
		t.Errorf("found at %s, though nothing of it serves", got)
	}
	if to.apart(rt) {
		t.Error("it is kept from a Traefik that is in none of its networks")
	}
}
