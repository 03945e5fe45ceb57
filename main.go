// Command paastis puts apps to sleep when nobody uses them and wakes them, with all
// that they need, when somebody comes. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // for keep_awake: the image has none

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/providers"
	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/server"
	"github.com/paastis/paastis/server/admin"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // it could not do its work
	exitUsage   = 2 // it was asked for something that it does not know
)

// loadLimit bounds the first look at the apps.
const loadLimit = 30 * time.Second

// version is set when a release is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program: it takes the world as arguments and returns an exit code. It ends
// when its work is done or ctx is.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	a, err := parseArgs(args)
	switch {
	case err != nil:
		complain(stderr, err)
		fmt.Fprintln(stderr, "paastis --help says what can be asked for")
		return exitUsage
	case a.help:
		fmt.Fprint(stdout, a.helpText())
		return exitOK
	case a.command == "version":
		fmt.Fprintln(stdout, "paastis", version)
		return exitOK
	}
	cfg, err := config.Load(a.config, environ, a.flags)
	if err == nil {
		err = a.do(ctx, cfg, stdout, stderr)
	}
	if err != nil {
		complain(stderr, err)
		return exitFailure
	}
	return exitOK
}

// do carries out a command.
func (a arguments) do(ctx context.Context, cfg config.Loaded, stdout, stderr io.Writer) error {
	switch a.command {
	case "check":
		return check(ctx, cfg, stdout)
	case "explain":
		return explain(ctx, cfg, a.operand, stdout)
	case "healthcheck":
		return healthcheck(ctx, cfg)
	case "status", "wake", "retry", "sleep", "pin", "unpin", "events":
		return a.ask(ctx, cfg, stdout, stderr)
	case "theme preview":
		return previewThemes(ctx, cfg, a.operand, stdout, stderr)
	default:
		cfg.ForgetToken() // who serves needs no more than its sum
		return serve(ctx, cfg, stderr)
	}
}

// serve runs Paastis until ctx ends.
func serve(ctx context.Context, cfg config.Loaded, stderr io.Writer) error {
	usual := debug.SetGCPercent(tightGC)
	defer debug.SetGCPercent(usual)
	log := newLogger(cfg.Log, stderr)
	for _, w := range cfg.Weaknesses() {
		log.Warn(w)
	}
	reg, err := newRegistry(cfg, log)
	if err != nil {
		return err
	}
	themes := server.NewThemes(cfg.ThemeDir, log)
	admins := newAdmin(cfg, reg, log)
	srv, err := newServer(cfg, reg, themes, admins, log)
	if err != nil {
		return err
	}
	if err := load(ctx, reg); err != nil {
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
	provider, err := providers.New(cfg.Provider, cfg.Docker.Proc, log)
	if err != nil {
		return nil, err
	}
	options := registry.Options{
		Providers: []registry.Provider{provider},
		Settings:  cfg.RegistrySettings(),
		Log:       log,
		Audit:     time.Duration(cfg.AuditInterval),
	}
	if api, _ := cfg.Traefik.API(); api != nil { // validated
		options.Gateway = api
	}
	options.Gateways = cfg.Traefik.Gateways()
	if cfg.StateFile != "" {
		options.Store = registry.NewFileStore(cfg.StateFile)
	}
	return registry.New(options), nil
}

// newServer is what answers all but the addresses of admins. Nil admins: none are let in.
func newServer(cfg config.Loaded, reg *registry.Registry, themes *server.Themes, admins *admin.Admin, log *slog.Logger) (*server.Server, error) {
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
	}
	if admins != nil {
		options.Admin, options.AdminPath = admins, cfg.Admin.Path
	}
	return server.New(options), nil
}

// newAdmin is what answers admins; nil without a token.
func newAdmin(cfg config.Loaded, reg *registry.Registry, log *slog.Logger) *admin.Admin {
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

// load takes the first look at the apps.
func load(ctx context.Context, reg *registry.Registry) error {
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	return reg.Load(ctx)
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

// complain prints an error, a line for each of those that it joins.
func complain(w io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(w, "paastis:", strings.TrimRight(line, "\n"))
	}
}

// rootCause is the innermost error: what the system said, without the operation and the
// path.
func rootCause(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}
