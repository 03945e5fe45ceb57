package config

import (
	"fmt"
	"net"
	"net/netip"
)

const noAddress = "%q is no address; write HOST:PORT or :PORT"

func isAddress(text string) bool {
	_, _, err := net.SplitHostPort(text)
	return err == nil
}

// isLoopback reports whether only this machine can reach an address.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func parseSources(texts []string) ([]netip.Prefix, error) {
	var sources []netip.Prefix
	for _, text := range texts {
		source, err := parseSource(text)
		if err != nil {
			return nil, err
		}
		sources = append(sources, source)
	}
	return sources, nil
}

// parseSource reads an address or a CIDR range.
func parseSource(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return prefix, fmt.Errorf("%q is neither an address nor a range such as 10.0.0.0/8", s)
	}
	return prefix, nil
}

// URL is where a Paastis with this configuration answers, seen from this machine.
func (c Config) URL() string { return "http://" + localAddress(c.Listen) }

// localAddress is where a server that listens on all addresses is reached from here.
func localAddress(listen string) string {
	host, port, _ := net.SplitHostPort(listen) // validated
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
