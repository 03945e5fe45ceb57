package inventory

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// HasOwnAddress reports whether the app is reached otherwise than by its instances' addresses:
// by ports of its machine, or by a URL. Then it tells nothing which networks it shares.
func (a App) HasOwnAddress() bool { return a.URL != "" || a.Mapping() != nil }

// readURL reads the URL by which the app is reached, if its provider has said one. One that
// cannot be it becomes a problem of the app, which is reached by nobody then.
func (o *reading) readURL(e *Definition) {
	if e.App.URL == "" {
		return
	}
	read, fault := readAppURL(e.App.URL)
	if fault != "" {
		e.problem(URLUnreadable, "app %q: the URL that its provider has of it%s %s, so nobody reaches the app; correct it at the provider to https:// or http://, a host, and a port if need be, such as https://shop.example.com (%s)",
			e.Name, shownURL(e.App.URL), fault, e.App.Origin)
		return
	}
	e.URL = read
}

// readAppURL reads a URL that has nothing but a scheme and a host, and a port if that is not the
// scheme's. The fault is what else it is, as people read it behind "the URL"; empty: none.
func readAppURL(raw string) (read *url.URL, fault string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, "cannot be read"
	case u.User != nil:
		return nil, "has a user in it"
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, "begins with neither https:// nor http://"
	case !isHost(u.Hostname()):
		return nil, "has no host that one can ask for"
	case !isPort(u.Port()):
		return nil, "has a port that is none"
	case u.Path != "" && u.Path != "/":
		return nil, "has a path, which Traefik would leave out"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, "has more behind its host"
	}
	return &url.URL{Scheme: u.Scheme, Host: written(u)}, ""
}

// written is the host of a URL, and its port if that is not the scheme's: as it is asked for.
func written(u *url.URL) string {
	host := hostOf(u)
	if port := urlPort(u); port != urlPort(&url.URL{Scheme: u.Scheme}) {
		return net.JoinHostPort(host, strconv.Itoa(int(port)))
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// hostOf is the host of a URL in the one way in which it is compared: in small letters, and
// without the dot of a name that is whole.
func hostOf(u *url.URL) string { return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") }

// isHost reports whether a host of a URL is an address, or a name as DNS has it: one of other
// letters is there by what stands for them ("xn--").
func isHost(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Zone() == ""
	}
	return strings.Trim(host, ".") != "" && strings.Trim(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
}

// isPort reports whether a port of a URL is one, or none is given.
func isPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// shownURL is what of a wrong URL may be told: its scheme and its host, if nothing in it can be a
// user's name or password. Empty: nothing may.
func shownURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || strings.Contains(raw, "@") {
		return ""
	}
	return " (" + u.Scheme + "://" + u.Host + "…)"
}

// HasURL reports whether a URL of a server leads to the app's own URL: to its host and port.
func (e *Definition) HasURL(u *url.URL) bool {
	return e.URL != nil && hostOf(u) == e.URL.Hostname() && urlPort(u) == urlPort(e.URL)
}

// LeadsToURL reports whether the route leads to the app's own URL, also where its labels say that
// of its server.
func (rt *Route) LeadsToURL() bool {
	if rt.Router.StaticURL == "" {
		return rt.Definition.URL != nil && rt.Foreign == ""
	}
	u, err := url.Parse(rt.Router.StaticURL)
	return err == nil && rt.Definition.HasURL(u)
}
