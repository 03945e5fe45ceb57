package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paastis/paastis/providers/scalingo/scalingotest"
)

// serve answers on both ports until ctx ends.
func serve(ctx context.Context, p *scalingotest.Platform, certificate tls.Certificate) error {
	public := &http.Server{
		Addr: ":443", Handler: byHost(p), ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}},
	}
	hands := &http.Server{Addr: ":8080", Handler: dashboard(p), ReadHeaderTimeout: 10 * time.Second}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return public.ListenAndServeTLS("", "") })
	group.Go(func() error { return hands.ListenAndServe() })
	group.Go(func() error {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return errors.Join(public.Shutdown(end), hands.Shutdown(end))
	})
	if err := group.Wait(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// byHost leads to the API, or to the router of the apps.
func byHost(p *scalingotest.Platform) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := strings.Cut(r.Host, ":")
		if isApp(host) {
			p.Router().ServeHTTP(w, r)
			return
		}
		p.API().ServeHTTP(w, r)
	})
}

// dashboard is what a person does and reads.
func dashboard(p *scalingotest.Platform) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "a Scalingo that is played") })
	mux.HandleFunc("GET /calls", func(w http.ResponseWriter, _ *http.Request) { _ = p.Calls.WriteTable(w) })
	mux.HandleFunc("DELETE /calls", func(http.ResponseWriter, *http.Request) { p.Calls.Reset() })
	mux.HandleFunc("GET /apps/{app}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s\n", p.Status(r.PathValue("app")), p.Formation(r.PathValue("app")))
	})
	mux.HandleFunc("PUT /apps/{app}/{type}/{amount}", func(w http.ResponseWriter, r *http.Request) {
		amount, err := strconv.Atoi(r.PathValue("amount"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.Order(r.PathValue("app"), scalingotest.Type{Name: r.PathValue("type"), Amount: amount})
	})
	return mux
}
