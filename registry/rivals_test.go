package registry

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry/inventory"
)

func TestASecondPaastisIsToldUnlessItIsGoneSoon(t *testing.T) {
	for what, stays := range map[string]bool{"it stays": true, "it goes": false} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, warnings := liveHeard(t, service("shop", "web").routed("shop.test"))
				other := service("other", "paastis").awake().label("paastis.enable", "true")
				other.Protected = inventory.IsOtherPaastis
				w.add(other)
				if !stays {
					time.Sleep(time.Second)
					w.takeAway("other-paastis")
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if said := strings.Join(*warnings, "\n"); strings.Contains(said, "another Paastis") != stays {
					t.Errorf("warnings: %q", said)
				}
				if stays && w.Inventory().Named("other-paastis").Managed {
					t.Error("it is put to sleep")
				}
			})
		})
	}
}
