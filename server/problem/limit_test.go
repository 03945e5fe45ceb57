package problem

import (
	"net/netip"
	"testing"
	"time"
)

func TestTheNetworkOfAnIPv6AddressIsOneSource(t *testing.T) {
	l, now := PerMinute(1), time.Now()
	allows := func(address string, want bool) {
		t.Helper()
		if got := l.Allows(netip.MustParseAddr(address), now); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
	allows("2001:db8::1", true)
	allows("2001:db8::2%eth0", false)
	allows("2001:db8:0:1::1", true)
	allows("203.0.113.7", true)
	allows("::ffff:203.0.113.7", false)
	if !l.Allows(netip.Addr{}, now) || l.Allows(netip.Addr{}, now) {
		t.Error("an unknown address is not a source like others")
	}
}

func TestSourcesAreForgottenBeforeTheyFillTheMemory(t *testing.T) {
	l, now := PerMinute(1), time.Now()
	for i := range 3 * mostSources {
		l.Allows(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now)
	}
	if n := len(l.sources); n > mostSources {
		t.Errorf("%d sources are remembered", n)
	}
}

func TestWithoutALimitEverybodyMay(t *testing.T) {
	l := PerMinute(0)
	for range 1000 {
		if !l.Allows(netip.MustParseAddr("203.0.113.7"), time.Now()) {
			t.Fatal("refused")
		}
	}
}
