package inventory_test

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

func TestInstancesThatDifferInAnythingAreNotEqual(t *testing.T) {
	some := inventory.Instance{Name: "a", ID: "b", Fault: reason.DiskFull, StartedAt: time.Unix(1, 0), Addresses: []netip.Addr{netip.IPv6Loopback()}}
	if !some.Equal(some) {
		t.Error("an instance does not equal itself")
	}
	for i := range reflect.TypeFor[inventory.Instance]().NumField() {
		other := some
		field := reflect.ValueOf(&other).Elem().Field(i)
		for _, value := range []any{"else", reason.PortTaken, inventory.Paused, inventory.Unhealthy, 7, true, time.Unix(2, 0), netip.IPv6Unspecified(), []netip.Addr{}, &inventory.Mapping{}} {
			if reflect.TypeOf(value) == field.Type() {
				field.Set(reflect.ValueOf(value))
			}
		}
		if some.Equal(other) {
			t.Errorf("they may differ in %s", reflect.TypeFor[inventory.Instance]().Field(i).Name)
		}
	}
}
