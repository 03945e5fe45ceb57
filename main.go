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
	config, err := loadConfig(a.config, environ, a.flags)
	if err == nil {
		err = a.do(ctx, config, stdout, stderr)
	}
	if err != nil {
		complain(stderr, err)
		return exitFailure
	}
	return exitOK
}

// do carries out a command.
func (a arguments) do(ctx context.Context, config Loaded, stdout, stderr io.Writer) error {
	switch a.command {
	case "check":
		return check(ctx, config, stdout)
	case "explain":
		return explain(ctx, config, a.operand, stdout)
	case "healthcheck":
		return healthcheck(ctx, config)
	case "status", "wake", "retry", "sleep", "pin", "unpin", "events":
		return a.ask(ctx, config, stdout, stderr)
	case "theme preview":
		return previewThemes(ctx, config, a.operand, stdout, stderr)
	default:
		config.token = "" // who serves needs no more than its sum
		return serve(ctx, config, stderr)
	}
}

// serve runs Paastis until ctx ends.
func serve(ctx context.Context, config Loaded, stderr io.Writer) error {
	usual := debug.SetGCPercent(tightGC)
	defer debug.SetGCPercent(usual)
	log := newLogger(config.Log, stderr)
	for _, w := range config.weaknesses() {
		log.Warn(w)
	}
	reg, err := config.registry(log)
	if err != nil {
		return err
	}
	themes := server.NewThemes(config.ThemeDir, log)
	admins := config.admins(reg, log)
	srv, err := config.server(reg, themes, admins, log)
	if err != nil {
		return err
	}
	if err := load(ctx, reg); err != nil {
		return err
	}
	listeners, forAdmins, err := config.listenAll(ctx)
	if err != nil {
		return err
	}
	log.Info("serving", "listen", listeners[0].Addr().String(), "config", config.File, "version", version)
	return runAll(ctx,
		func(ctx context.Context) error { reg.Run(ctx); return nil },
		func(ctx context.Context) error {
			return giveBack(ctx, time.Duration(config.AuditInterval), percentOf(usual))
		},
		func(ctx context.Context) error { return config.watch(ctx, reg, log) },
		themes.Watch,
		func(ctx context.Context) error { return srv.Serve(ctx, listeners...) },
		func(ctx context.Context) error { return serveAdmins(ctx, admins, forAdmins, log) },
	)
}

// registry is one that knows no app yet.
func (l Loaded) registry(log *slog.Logger) (*registry.Registry, error) {
	provider, err := providers.New(l.Provider, l.Docker.Proc, log)
	if err != nil {
		return nil, err
	}
	options := registry.Options{
		Providers: []registry.Provider{provider},
		Settings:  l.registrySettings(),
		Log:       log,
		Audit:     time.Duration(l.AuditInterval),
	}
	if api, _ := l.Traefik.api(); api != nil { // validated
		options.Gateway = api
	}
	options.Gateways = l.Traefik.gateways()
	if l.StateFile != "" {
		options.Store = registry.NewFileStore(l.StateFile)
	}
	return registry.New(options), nil
}

// server is what answers all but the addresses of admins. Nil admins: none are let in.
func (l Loaded) server(reg *registry.Registry, themes *server.Themes, admins *admin.Admin, log *slog.Logger) (*server.Server, error) {
	classifier, err := l.classifier()
	if err != nil {
		return nil, err
	}
	sources, err := l.Traefik.sources()
	if err != nil {
		return nil, err
	}
	options := server.Options{
		Registry: reg, Classifier: classifier, Log: log, Themes: themes, WakesPerMinute: l.WakeLimit,
		ConfigToken: l.Traefik.ConfigToken, EndpointTokens: l.Traefik.endpointTokens(), ConfigSources: sources,
	}
	if admins != nil {
		options.Admin, options.AdminPath = admins, l.Admin.Path
	}
	return server.New(options), nil
}

// admins is what answers admins; nil without a token.
func (l Loaded) admins(reg *registry.Registry, log *slog.Logger) *admin.Admin {
	if l.AdminToken == (admin.Sum{}) {
		return nil
	}
	proxies, _ := l.Admin.proxies() // validated
	return admin.New(admin.Options{
		Registry: reg, Token: l.AdminToken, TrustedProxies: proxies, Log: log, Version: version, Started: time.Now(),
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

func newLogger(c LogConfig, w io.Writer) *slog.Logger {
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
