package server

// PrivateNetworks are the addresses that nobody on the Internet has (RFC 1918, 4193,
// 3927, 4291): those from which a Traefik of one's own comes.
func PrivateNetworks() []string {
	return []string{
		"127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
		"169.254.0.0/16", "fc00::/7", "fe80::/10",
	}
}
