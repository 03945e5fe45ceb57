package command

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/paastis/paastis/config"
)

// healthLimit bounds the question; Docker's own default for a check is 30 s.
const healthLimit = 5 * time.Second

func (s *shell) healthcheckCommand() *cobra.Command {
	return newCommand("healthcheck", "ask a running Paastis whether it serves (for HEALTHCHECK)", func(c *cobra.Command, _ []string) error {
		cfg, err := s.load()
		if err != nil {
			return err
		}
		return healthcheck(c.Context(), cfg)
	})
}

// healthcheck asks the Paastis that listens on this machine whether it serves.
func healthcheck(ctx context.Context, cfg config.Loaded) error {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	url := cfg.URL() + "/healthz"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no Paastis answers on %s: %w", cfg.Listen, rootCause(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the Paastis on %s answers %s", cfg.Listen, resp.Status)
	}
	return nil
}
