package inventory

import (
	"slices"
	"strconv"
)

// Unpublished says of a port of the app why it is not reached, and what to do. Empty: it is, or
// it is not by ports of its machine that the app is reached.
func (a *App) Unpublished(port uint16) string {
	m := a.Mapping()
	if m == nil || a.URL != "" || port == 0 || m.Publishes(port) {
		return ""
	}
	own := strconv.Itoa(int(port))
	if at, hidden := m.Hidden[port]; hidden {
		return "its port " + own + " is published at " + at.String() + " alone, and not at " + m.Host + ", the address of its provider: nobody reaches it from elsewhere; publish it there (ports: [\"" + own + "\"])"
	}
	return "its port " + own + " is not published at " + m.Host + ", the address of its provider, so neither Paastis nor Traefik reaches it; publish it (ports: [\"" + own + "\"])"
}

// reportUnpublished makes a problem of each port by which an app is to be reached and is not.
func (inv publishing) reportUnpublished() {
	for _, e := range inv.Definitions {
		if !e.Managed || e.App.Mapping() == nil {
			continue
		}
		for _, port := range reachedPorts(e) {
			if why := e.App.Unpublished(port); why != "" {
				e.problem(AddressUnknown, "app %q: %s (%s)", e.Name, why, e.App.Origin)
			}
		}
	}
}

// TellsUnpublished reports whether one of the problems is that a port, by which the app is to be
// reached, is not.
func TellsUnpublished(e *Definition, port uint16) bool {
	return e.Managed && e.App.Mapping() != nil && slices.Contains(reachedPorts(e), port) && e.App.Unpublished(port) != ""
}

// reachedPorts are those of the app that Paastis or Traefik is to reach. A static server URL
// that leads to none of them has a word of its own.
func reachedPorts(e *Definition) []uint16 {
	ports := []uint16{e.Probe.Port, e.Properties.Port, e.Busy.Port}
	for _, r := range e.Routers {
		if r.StaticURL == "" && r.Foreign() == "" {
			ports = append(ports, r.Port)
		}
	}
	for _, rt := range e.Routes {
		if rt.Router.StaticURL == "" && rt.Foreign == "" {
			ports = append(ports, rt.Port)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}
