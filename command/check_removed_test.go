package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/rules"
)

func TestCheckTellsOfAppsThatWereRemovedWhileTheySlept(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state.json")
	const kept = `{"version":1,"apps":{
		"docker/shop-web":{"seen":"2026-11-26T03:00:00Z","removed_asleep":"2026-11-26T03:00:00Z"},
		"docker/shop-old":{"seen":"2026-11-26T03:00:00Z","removed_asleep":"2026-11-26T03:00:00Z"}}}`
	if err := os.WriteFile(state, []byte(kept), 0o600); err != nil {
		t.Fatal(err)
	}
	inv := inventory.Resolve([]inventory.Reported{{Provider: "docker", App: new(web(nil))}}, inventory.Settings{Defaults: rules.Defaults(), Middleware: "paastis"})
	warnings := lintRemoved(state, inv)
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0], `app "shop-old" was removed while it slept`) || !strings.Contains(warnings[0], "stop_method: pause") {
		t.Errorf("warnings: %q", warnings)
	}
	if none := lintRemoved("", inv); none != nil {
		t.Errorf("without a state file: %q", none)
	}
}
