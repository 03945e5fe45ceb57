package registry

import (
	"log/slog"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/history"
)

// traefikView is what the Traefiks themselves tell: by their APIs, and by what they ask about.
type traefikView struct {
	*core
	log       *slog.Logger
	gateway   handover.Gateway            // nil: it cannot be asked
	gateways  map[string]handover.Gateway // :: endpoint → that of its Traefik
	audit     time.Duration               // between two questions
	redefined chan struct{}               // apps have changed: Traefik's routers may have

	inForce   *inForce
	keepers   *keeperSet
	publisher *Publisher
	archive   *history.Archive
	problems  *problems
	resolver  *resolver
}

// gatewayOf is that of the Traefik that fetches at an endpoint; nil if it cannot be asked.
func (v *traefikView) gatewayOf(endpoint string) handover.Gateway {
	if endpoint == "" {
		return v.gateway
	}
	return v.gateways[endpoint]
}
