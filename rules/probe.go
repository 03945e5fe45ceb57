package rules

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Probe is Paastis's own look at whether an app answers.
type Probe struct {
	Kind ProbeKind
	// Port to connect to; 0: the port that Traefik uses, else the app's only one.
	Port uint16
	// Path of an HTTP probe, with its query; starts with a slash.
	Path string
	// TLS reports whether an HTTP probe is by HTTPS. The certificate is not checked.
	TLS bool
}

// ProbeKind tells the ways to probe apart.
type ProbeKind uint8

const (
	// AutoProbe goes by the app's own health check. It connects to the app's TCP port if
	// there is none, or if its first verdict cannot come within the start timeout.
	AutoProbe ProbeKind = iota
	// NoProbe trusts the provider: running is ready, whatever a health check says.
	NoProbe
	// TCPProbe connects, whatever a health check says.
	TCPProbe
	// HTTPProbe asks for Path and takes the statuses of ProbeStatus, whatever a health check
	// says.
	HTTPProbe
)

// String is the probe as it is written in rules.
func (p Probe) String() string {
	kind := [...]string{"auto", "none", "tcp", "http"}[p.Kind]
	if p.TLS {
		kind = "https"
	}
	port := ""
	if p.Port != 0 {
		port = strconv.Itoa(int(p.Port))
	}
	if port+p.Path == "" {
		return kind
	}
	return kind + ":" + port + p.Path
}

func setProbe(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	probe, err := parseProbe(text)
	if err == nil {
		p.Probe = probe
	}
	return err
}

var errProbe = errors.New("write auto, none, tcp, tcp:PORT, http:/path, http:PORT/path or the same with https")

// parseProbe reads auto, none, tcp, tcp:PORT, http:/path, http:PORT/path, https:/path; also
// with ://.
func parseProbe(text string) (Probe, error) {
	kind, rest, _ := strings.Cut(text, ":")
	rest = strings.TrimPrefix(strings.TrimPrefix(rest, "//"), ":")
	switch {
	case kind == "auto" && rest == "":
		return Probe{Kind: AutoProbe}, nil
	case kind == "none" && rest == "":
		return Probe{Kind: NoProbe}, nil
	case kind != "tcp" && kind != "http" && kind != "https":
		return Probe{}, fmt.Errorf("%q is unknown; %w", text, errProbe)
	}
	probe := Probe{Kind: TCPProbe}
	port, path, hasPath := strings.Cut(rest, "/")
	if kind != "tcp" {
		probe = Probe{Kind: HTTPProbe, Path: "/" + path, TLS: kind == "https"}
	} else if hasPath {
		return Probe{}, fmt.Errorf("%q: tcp has no path; %w", text, errProbe)
	}
	if port == "" {
		return probe, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return Probe{}, fmt.Errorf("%q: %q is no port; %w", text, port, errProbe)
	}
	probe.Port = uint16(n)
	return probe, nil
}
