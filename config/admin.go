package config

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/paastis/paastis/client"
	"github.com/paastis/paastis/server/admin"
)

// Admin is who may see and move the apps, and where. It is off without a token.
type Admin struct {
	Listen         string   `yaml:"listen" description:"Address to listen on for admins, once there is a token; empty: none of its own"`
	Path           string   `yaml:"path" description:"Path under which admins are answered at the main address too: /paastis-admin"`
	Token          string   `yaml:"token" description:"Whoever knows it may see and move all apps; better in a file that PAASTIS_ADMIN_TOKEN_FILE names"`
	TokenSum       string   `yaml:"token_sha256" description:"SHA-256 of the token in hex, instead of the token"`
	TrustedProxies []string `yaml:"trusted_proxies" description:"Addresses and networks of proxies that are believed about whom admins' requests come from"`
	URL            string   `yaml:"url" description:"Where status, wake and the like find the admin API; none: at admin.listen or admin.path"`
}

func (a Admin) validate(fault faulter) {
	if a.Listen != "" && !isAddress(a.Listen) {
		fault("admin.listen", noAddress, a.Listen)
	}
	if _, err := client.New(a.URL, ""); err != nil && a.URL != "" {
		fault("admin.url", "%v", err)
	}
	if _, err := a.Proxies(); err != nil {
		fault("admin.trusted_proxies", "%v", err)
	}
	a.validatePath(fault)
}

// Proxies are the networks of those that are believed about whom they have requests from.
func (a Admin) Proxies() ([]netip.Prefix, error) {
	networks, err := parseSources(a.TrustedProxies)
	if err != nil {
		return nil, err
	}
	for i, network := range networks {
		switch {
		case network.Bits() == 0:
			return nil, fmt.Errorf("%q is everybody, so anybody could say to be anybody; name the proxy's own address or network", a.TrustedProxies[i])
		case network != network.Masked():
			return nil, fmt.Errorf("%q is neither an address nor a network, whose address would be %s; write %s for one proxy", a.TrustedProxies[i], network.Masked(), network.Addr())
		case network.Addr().Is4In6():
			return nil, fmt.Errorf("%q is an address of IPv4 in IPv6; write it as IPv4", a.TrustedProxies[i])
		}
	}
	return networks, nil
}

// Weaknesses say what is weak about how admins are let in.
func (l Loaded) Weaknesses() []string {
	if l.TokenWeakness == "" {
		return nil
	}
	return []string{fmt.Sprintf("admin.token %s (%s)", l.TokenWeakness, l.Origins.of("admin.token"))}
}

// sum is that of the token, the zero Sum if there is none, and why the token may be too easy to
// guess.
func (a Admin) sum(fault faulter) (sum admin.Sum, weakness string) {
	var err error
	if a.TokenSum != "" {
		if sum, err = admin.ParseSum(a.TokenSum); err != nil {
			fault("admin.token_sha256", "%v", err)
		}
	}
	if a.Token == "" {
		return sum, ""
	}
	given := sum
	if sum, err = admin.SumOf(a.Token); err != nil {
		fault("admin.token", "%v", err)
	} else if given != (admin.Sum{}) && given != sum {
		fault("admin.token", "is not the token that admin.token_sha256 is the sum of; give one of them, or a token that fits")
	}
	return sum, admin.Weakness(a.Token)
}

// reserved are the paths that the main address has a use for.
var reserved = []string{"/auth", "/traefik", "/healthz", "/.paastis"}

func (a Admin) validatePath(fault faulter) {
	path := a.Path
	switch {
	case path == "":
	case !adminPath.MatchString(path) || strings.Contains(path+"/", "/../") || strings.Contains(path+"/", "/./"):
		fault("admin.path", "%q is no path such as /paastis-admin: it begins with a slash, ends without one, and has letters, digits and -._~", path)
	case slices.ContainsFunc(reserved, func(r string) bool { return path == r || strings.HasPrefix(path, r+"/") }):
		fault("admin.path", "%q is taken: Paastis has %s itself", path, strings.Join(reserved, ", "))
	}
}

// adminPath is what admin.path may be: nothing that anybody could write in two ways.
var adminPath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

var (
	errAdminOff = errors.New("the admin API is off, for it has no token: set admin.token, best by PAASTIS_ADMIN_TOKEN_FILE, for Paastis and for this command")
	errNowhere  = errors.New("the admin API has no address: set admin.listen or admin.path for Paastis, or admin.url for this command")
	errNoToken  = errors.New("the admin API wants a token: set PAASTIS_ADMIN_TOKEN, or PAASTIS_ADMIN_TOKEN_FILE")
	errOnlySum  = errors.New("only admin.token_sha256 is known here, and the token cannot be made of it: set PAASTIS_ADMIN_TOKEN, or PAASTIS_ADMIN_TOKEN_FILE")
)

// AdminAPI is where a Paastis with this configuration is told what to do.
func (l Loaded) AdminAPI() (*client.Client, error) {
	switch admin := l.Admin; {
	case l.token == "" && admin.TokenSum != "":
		return nil, errOnlySum
	case l.token == "" && admin.URL != "":
		return nil, errNoToken
	case l.token == "":
		return nil, errAdminOff
	case admin.URL == "" && admin.Listen == "" && admin.Path == "":
		return nil, errNowhere
	}
	if strings.HasPrefix(l.Admin.URL, "https:") {
		trustRoots()
	}
	return client.New(l.adminURL(), l.token)
}

// adminURL is where the dashboard is, seen from this machine.
func (l Loaded) adminURL() string {
	switch {
	case l.Admin.URL != "":
		return l.Admin.URL
	case l.Admin.Listen != "":
		return "http://" + localAddress(l.Admin.Listen)
	default:
		return l.URL() + "/" + strings.Trim(l.Admin.Path, "/")
	}
}
