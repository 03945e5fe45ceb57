package config

import (
	"net"
	"slices"
	"strings"

	"github.com/paastis/paastis/providers"
)

// IsPublic reports whether a platform runs Paastis and leads anybody to it: it listens on the port
// that the platform gives (PORT), and looks after apps of platforms alone.
func (l Loaded) IsPublic() bool {
	_, port, err := net.SplitHostPort(l.Listen)
	given := ""
	for _, variable := range l.environ {
		if value, is := strings.CutPrefix(variable, "PORT="); is {
			given = value
		}
	}
	local := slices.ContainsFunc(l.providerSpecs(), func(s providers.Spec) bool { return !s.IsRemote() })
	return err == nil && given != "" && port == given && !local
}
