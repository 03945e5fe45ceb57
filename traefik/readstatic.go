package traefik

import (
	"maps"
	slash "path"
	"slices"
	"strconv"
	"strings"
)

// ReadStatic reads a Traefik's static configuration as Traefik does: from a file if there is
// one, which it cannot read here, else from the arguments of the command, else from the
// environment. mounts are the paths in the container that have files from outside. It keeps
// nothing but what Static has. It reports whether there is anything of a Traefik in them.
//
// As Traefik 3.6.12 has it (pkg/cli, and paerser's flag and env).
func ReadStatic(args, environ []string, mounts ...string) (s Static, found bool) {
	for len(args) > 0 && slash.Base(args[0]) == "traefik" {
		args = args[1:]
	}
	options, script := readArguments(args)
	if len(args) == 0 {
		options = readEnvironment(environ)
	}
	switch file := options["configfile"]; {
	case file != "":
		s = Static{Unread: "its static configuration is in the file " + file}
	case script:
		s = Static{Unread: "its command is a script"}
	case hasStaticFile(mounts, len(options) == 0):
		s = Static{Unread: "its static configuration is in a file of /etc/traefik"}
	default:
		s = options.static()
	}
	return s, options.has("providers") || options.has("entrypoints") || script
}

// options are values of the static configuration by their names, without capitals but for
// those of entry points: "providers.docker.network".
type options map[string]string

// roots are the beginnings of what is read. A command with none of them is not Traefik's.
var roots = []string{"providers.", "entrypoints.", "api", "ping", "metrics.prometheus", "configfile"}

// isKept reports whether an option is one that static reads. All others are forgotten: some
// are secrets.
func isKept(name string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return strings.HasPrefix(name, root) })
}

// switches are the ends of the names of options that take no value of their own: what
// follows them is another argument.
var switches = []string{"exposedbydefault", "allowemptyservices", "asdefault", "insecure", "tls", "docker", "swarm", "http", "ping", "api", "prometheus", "manualrouting"}

// readArguments reads the flags among arguments. It also reports whether they are a script
// that has flags of Traefik's.
func readArguments(args []string) (all options, script bool) {
	all = options{}
	if slices.ContainsFunc(args, isScript) {
		return all, true
	}
	for i := 0; i < len(args); i++ {
		name, value, given := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if !strings.HasPrefix(args[i], "-") || name == "" {
			break // Traefik reads no further
		}
		name = plainOption(name)
		if !given {
			value = "true"
			if !isSwitch(name) && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				value = args[i+1]
				i++
			}
		}
		if isKept(name) {
			all[name] = value
		}
	}
	return all, false
}

// isScript reports whether an argument is a command line with flags of Traefik's.
func isScript(arg string) bool {
	return !strings.HasPrefix(arg, "-") && strings.Contains(arg, " ") && strings.Contains(strings.ToLower(arg), "-providers.")
}

func isSwitch(name string) bool {
	return slices.Contains(switches, name[strings.LastIndex(name, ".")+1:])
}

// plainOption is an option's name without capitals but for those of an entry point.
func plainOption(name string) string {
	parts := strings.Split(name, ".")
	for i, part := range parts {
		if i != 1 || parts[0] != "entrypoints" {
			parts[i] = strings.ToLower(part)
		}
	}
	return strings.Join(parts, ".")
}

// readEnvironment reads TRAEFIK_PROVIDERS_DOCKER_NETWORK and the like.
func readEnvironment(environ []string) options {
	all := options{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		name, is := strings.CutPrefix(strings.ToLower(name), "traefik_")
		name = strings.ReplaceAll(name, "_", ".")
		if is && isKept(name) && !strings.HasPrefix(name, "configfile") { // only an argument names one
			all[name] = value
		}
	}
	return all
}

// hasStaticFile reports whether a file from outside is where Traefik looks for its static
// configuration, or may be, if nothing else has one.
func hasStaticFile(mounts []string, nothingElse bool) bool {
	return slices.ContainsFunc(mounts, func(mount string) bool {
		folder, file := slash.Split(mount)
		name, _, _ := strings.Cut(file, ".")
		return folder == "/etc/traefik/" && name == "traefik" && file != "traefik" || nothingElse && slash.Clean(mount) == "/etc/traefik"
	})
}

// static is what the options say.
func (o options) static() Static {
	if len(o) == 0 {
		return Static{}
	}
	fetches, entryPoints := o.has("providers.http"), o.entryPoints()
	for _, provider := range []string{"providers.docker", "providers.swarm"} {
		if !o.has(provider) {
			continue
		}
		exposed := o.isOn(provider+".exposedbydefault", true)
		return Static{
			Constraints:      constraintOf(o[provider+".constraints"]),
			ExposedByDefault: &exposed,
			Network:          o[provider+".network"],
			DefaultRule:      o[provider+".defaultrule"],
			KeepsUnhealthy:   o.isOn(provider+".allowemptyservices", false),
			Fetches:          fetches,
			EntryPoints:      entryPoints,
		}
	}
	return Static{Fetches: fetches, EntryPoints: entryPoints}
}

// has reports whether something is said of a part of the configuration.
func (o options) has(part string) bool {
	for name := range o {
		if name == part || strings.HasPrefix(name, part+".") {
			return true
		}
	}
	return false
}

func (o options) isOn(name string, usual bool) bool {
	if on, err := strconv.ParseBool(o[name]); err == nil {
		return on
	}
	return usual
}

// entryPoints are those that take HTTP, sorted by name. Traefik has one, http, if it is
// told of none.
func (o options) entryPoints() []EntryPoint {
	names := map[string]bool{}
	for name := range o {
		if parts := strings.SplitN(name, ".", 3); len(parts) > 1 && parts[0] == "entrypoints" {
			names[parts[1]] = true
		}
	}
	if len(names) == 0 {
		names["http"] = true
	}
	if o.isOn("api.insecure", false) || o.has("ping") || o.has("metrics.prometheus") {
		names[internalEntryPoint] = true
	}
	var all []EntryPoint
	for _, name := range slices.Sorted(maps.Keys(names)) {
		at := "entrypoints." + name
		if strings.HasSuffix(strings.ToLower(o[at+".address"]), "/udp") {
			continue
		}
		all = append(all, EntryPoint{
			Name: name, AsDefault: o.isOn(at+".asdefault", false), TLS: o.isTLS(at + ".http.tls"),
			Port: o.port(name), Middlewares: strings.ReplaceAll(o[at+".http.middlewares"], " ", ""),
			Timeouts: Timeouts{
				Read:  asSet(o[at+".transport.respondingtimeouts.readtimeout"]),
				Write: asSet(o[at+".transport.respondingtimeouts.writetimeout"]),
			},
		})
	}
	return all
}

// port is that of an entry point's address, such as ":443/tcp". Those that Traefik makes by
// itself have one of their own. Zero: not known.
func (o options) port(name string) uint16 {
	address, _, _ := strings.Cut(o["entrypoints."+name+".address"], "/")
	if address == "" {
		return map[string]uint16{"http": 80, internalEntryPoint: 8080}[name]
	}
	return port(address[strings.LastIndexByte(address, ':')+1:])
}

func (o options) isTLS(part string) bool {
	return o.isOn(part, o.has(part))
}
