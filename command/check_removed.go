package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/inventory"
)

// lintRemoved tells of apps that somebody has removed while they slept, as the state file
// remembers them. Those that are there again are none.
func lintRemoved(stateFile string, inv *inventory.Inventory) []string {
	var all []string
	removed := history.ReadRemoved(stateFile)
	for _, id := range slices.Sorted(maps.Keys(removed)) {
		if inv.Named(id) != nil {
			continue
		}
		_, name, _ := strings.Cut(id, "/")
		all = append(all, fmt.Sprintf("app %q was removed while it slept (%s), so nothing can wake it: create it again; if something removes stopped containers each day (docker container prune, docker system prune), %s",
			name, removed[id].Local().Format(time.DateTime), registry.RemovedCure))
	}
	return all
}
