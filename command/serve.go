package command

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/providers"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/server"
	"github.com/paastis/paastis/server/admin"
	"github.com/paastis/paastis/server/page"
)

func (s *shell) serveCommand() *cobra.Command {
	return newCommand("serve", "serve Traefik's questions and put apps to sleep (the default)", s.runServe)
}

// runServe is what Paastis does unless it is asked for something else.
func (s *shell) runServe(c *cobra.Command, _ []string) error {
	cfg, err := s.load()
	if err != nil {
		return err
	}
	cfg.ForgetToken() // who serves needs no more than its sum
	return serve(c.Context(), cfg, s.version, s.stderr)
}

// serve runs Paastis until ctx ends.
func serve(ctx context.Context, cfg config.Loaded, version string, stderr io.Writer) error {
	usual := debug.SetGCPercent(tightGC)
	defer debug.SetGCPercent(usual)
	log := newLogger(cfg.Log, stderr)
	for _, w := range slices.Concat(cfg.Notices, cfg.Weaknesses()) {
		log.Warn(w)
	}
	reg, err := newRegistry(cfg, log)
	if err != nil {
		return err
	}
	themes := page.NewThemes(cfg.ThemeDir, log)
	admins := newAdmin(cfg, reg, version, log)
	srv, err := newServer(cfg, reg, themes, admins, log)
	if err != nil {
		return err
	}
	if err := reg.Load(ctx); err != nil {
		return err
	}
	listeners, forAdmins, err := listenAll(ctx, cfg)
	if err != nil {
		return err
	}
	log.Info("serving", "listen", listeners[0].Addr().String(), "config", cfg.File, "version", version)
	return runAll(ctx,
		func(ctx context.Context) error { reg.Run(ctx); return nil },
		func(ctx context.Context) error {
			return giveBack(ctx, time.Duration(cfg.AuditInterval), percentOf(usual))
		},
		func(ctx context.Context) error {
			return cfg.Watch(ctx, func(again config.Loaded) { reg.Reload(again.RegistrySettings()) }, log)
		},
		themes.Watch,
		func(ctx context.Context) error { return srv.Serve(ctx, listeners...) },
		func(ctx context.Context) error { return serveAdmins(ctx, admins, forAdmins, log) },
	)
}

// newRegistry is one that knows no app yet.
func newRegistry(cfg config.Loaded, log *slog.Logger) (*registry.Registry, error) {
	all, err := providers.Open(cfg.AllProviders(), log)
	if err != nil {
		return nil, err
	}
	options := registry.Options{
		Providers: all,
		Settings:  cfg.RegistrySettings(),
		Log:       log,
		Audit:     time.Duration(cfg.AuditInterval),
	}
	if api, _ := cfg.Traefik.API(); api != nil { // validated
		options.Gateway = api
	}
	options.Gateways = cfg.Traefik.Gateways()
	if cfg.StateFile != "" {
		options.Store = history.NewFileStore(cfg.StateFile)
	}
	return registry.New(options), nil
}

// newServer is what answers all but the addresses of admins. Nil admins: none are let in.
func newServer(cfg config.Loaded, reg *registry.Registry, themes *page.Themes, admins *admin.Admin, log *slog.Logger) (*server.Server, error) {
	classifier, err := cfg.Classifier()
	if err != nil {
		return nil, err
	}
	sources, err := cfg.Traefik.Sources()
	if err != nil {
		return nil, err
	}
	options := server.Options{
		Registry: reg, Classifier: classifier, Log: log, Themes: themes, WakesPerMinute: cfg.WakeLimit,
		ConfigToken: cfg.Traefik.ConfigToken, EndpointTokens: cfg.Traefik.EndpointTokens(), ConfigSources: sources,
		Public: cfg.IsPublic(),
	}
	if admins != nil {
		options.Admin, options.AdminPath = admins, cfg.Admin.Path
	}
	return server.New(options), nil
}

// newAdmin is what answers admins; nil without a token.
func newAdmin(cfg config.Loaded, reg *registry.Registry, version string, log *slog.Logger) *admin.Admin {
	if cfg.AdminToken == (admin.Sum{}) {
		return nil
	}
	proxies, _ := cfg.Admin.Proxies() // validated
	return admin.New(admin.Options{
		Registry: reg, Token: cfg.AdminToken, TrustedProxies: proxies, Log: log, Version: version, Started: time.Now(),
	})
}

// serveAdmins answers admins until ctx ends. Nil admins: none are let in.
func serveAdmins(ctx context.Context, a *admin.Admin, listeners []net.Listener, log *slog.Logger) error {
	if a == nil {
		<-ctx.Done()
		return nil
	}
	for _, ln := range listeners {
		log.Info("serving admins", "listen", ln.Addr().String())
	}
	return a.Serve(ctx, listeners...)
}

// runAll runs parts of the program side by side. As soon as one ends, the others are
// told to; it returns when all have, with their errors.
func runAll(ctx context.Context, parts ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan error)
	for _, part := range parts {
		go func() { results <- part(ctx) }()
	}
	var errs []error
	for range parts {
		errs = append(errs, <-results)
		cancel()
	}
	return errors.Join(errs...)
}

func newLogger(c config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // validated
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
