package config

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/paastis/paastis/providers"
)

// reloadInterval is how often the file is looked at. Watching it by the kernel's
// events fails where it is most needed: on single files mounted into a container.
const reloadInterval = 2 * time.Second

// Watch reads paastis.yml anew whenever it has changed, and at once on SIGHUP, until
// ctx ends. A change counts once two looks have found the same: editors and deployments
// write a file in several steps, and it is empty at first. take is called with what has
// changed, by one goroutine; a file that is wrong changes nothing. Watch returns nil.
func (l Loaded) Watch(ctx context.Context, take func(Loaded), log *slog.Logger) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	l.lookAgain(ctx, hup, take, log)
	return nil
}

// lookAgain is Watch, with SIGHUP from a channel.
func (l Loaded) lookAgain(ctx context.Context, hup <-chan os.Signal, take func(Loaded), log *slog.Logger) {
	ticker := time.NewTicker(reloadInterval)
	defer ticker.Stop()
	taken := l.content()
	seen := taken
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-hup:
			asked = true
		}
		now := l.content()
		settled := now != nil && bytes.Equal(now, seen) && !bytes.Equal(now, taken)
		if seen = now; settled || asked && now != nil {
			taken = now
			l.reload(take, log)
		}
	}
}

// content is what the file holds; nil if there is none to read.
func (l Loaded) content() []byte {
	if l.File == "" {
		return nil
	}
	data, err := os.ReadFile(l.File)
	if err != nil {
		return nil
	}
	return data
}

// reload gives take the configuration with the file as it is now.
func (l Loaded) reload(take func(Loaded), log *slog.Logger) {
	again, err := Load(l.File, l.environ, l.flags)
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			log.Error("configuration not reloaded, the last good one stays: " + strings.TrimSpace(line))
		}
		return
	}
	take(again)
	log.Info("configuration reloaded", "config", l.File)
	for _, notice := range again.Notices {
		if !slices.Contains(l.Notices, notice) {
			log.Warn(notice)
		}
	}
	if err := l.needsRestart(again); err != nil {
		log.Warn(err.Error())
	}
}

// needsRestart says which changed settings only a restart can put into force.
func (l Loaded) needsRestart(again Loaded) error {
	var changed []string
	note := func(key string, differs bool) {
		if differs {
			changed = append(changed, key)
		}
	}
	note("listen", l.Listen != again.Listen)
	note("listen_tls", l.ListenTLS != again.ListenTLS || l.TLS != again.TLS)
	note("log", l.Log != again.Log)
	note("provider", l.Provider != again.Provider)
	note("providers", !slices.Equal(l.Providers, again.Providers))
	note("state_file", l.StateFile != again.StateFile)
	for _, kind := range providers.Types() {
		note(kind, l.section(kind).Interface() != again.section(kind).Interface())
	}
	note("traefik.api_url", l.Traefik.APIURL != again.Traefik.APIURL)
	note("traefik.config_token", l.Traefik.ConfigToken != again.Traefik.ConfigToken)
	note("traefik.config_sources", !slices.Equal(l.Traefik.ConfigSources, again.Traefik.ConfigSources))
	note(endpointsKey, !maps.Equal(l.Traefik.EndpointTokens(), again.Traefik.EndpointTokens()) ||
		!maps.Equal(l.Traefik.endpointAPIs(), again.Traefik.endpointAPIs()))
	note("admin.listen", l.Admin.Listen != again.Admin.Listen)
	note("admin.path", l.Admin.Path != again.Admin.Path)
	note("admin.trusted_proxies", !slices.Equal(l.Admin.TrustedProxies, again.Admin.TrustedProxies))
	note("admin.token", l.AdminToken != again.AdminToken)
	note("theme_dir", l.ThemeDir != again.ThemeDir)
	note("wake_limit", l.WakeLimit != again.WakeLimit)
	note("audit_interval", l.AuditInterval != again.AuditInterval)
	note("never_wake", !l.NeverWake.equal(again.NeverWake))
	if changed == nil {
		return nil
	}
	return errors.New("changed settings that need a restart: " + strings.Join(changed, ", "))
}
