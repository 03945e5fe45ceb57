package docker

import (
	"maps"
	"testing"
)

func TestLabelsThatAConstraintOfTraefikMayAskForAreKept(t *testing.T) {
	kept := worthKnowing(map[string]string{labelOneOff: "False", labelDependsOn: "db", "com.docker.compose.config-hash": "0a1b", "shop": "yes"})
	if want := map[string]string{labelOneOff: "False", labelDependsOn: "db", "shop": "yes"}; !maps.Equal(kept, want) {
		t.Errorf("%v instead of %v", kept, want)
	}
}
