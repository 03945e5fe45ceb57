package main

import (
	"cmp"
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
		app := r.PathValue("app")
		fmt.Fprintf(w, "%s %s, %d autoscalers\n", p.Status(app), p.Formation(app), p.Autoscaling(app))
	})
	mux.HandleFunc("PUT /apps/{app}", scale(p))
	mux.HandleFunc("POST /apps/{app}/autoscalers/{type}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, p.AddAutoscaler(r.PathValue("app"), r.PathValue("type"), 1, 4))
	})
	mux.HandleFunc("PUT /hold", hold(p))
	mux.HandleFunc("DELETE /hold", func(http.ResponseWriter, *http.Request) { p.Faults.Clear() })
	return mux
}

// scale gives an app a Procfile and scales it, as its owner does: ?web=2:L&worker=1:M.
func scale(p *scalingotest.Platform) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var types []scalingotest.Type
		for name, values := range r.URL.Query() {
			amount, size, _ := strings.Cut(values[0], ":")
			n, err := strconv.Atoi(amount)
			if err != nil {
				http.Error(w, fmt.Sprintf("%s: %q is no amount and size, such as 2:L", name, values[0]), http.StatusBadRequest)
				return
			}
			types = append(types, scalingotest.Type{Name: name, Amount: n, Size: size})
		}
		p.Deploy(r.PathValue("app"), types...)
		p.Scale(r.PathValue("app"), types...)
	}
}

// hold holds back what is called by ?route=, for a time before it is carried out, and another one
// before it is answered: ?before=5s&after=5s.
func hold(p *scalingotest.Platform) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		before, err := time.ParseDuration(cmp.Or(r.FormValue("before"), "0s"))
		after, other := time.ParseDuration(cmp.Or(r.FormValue("after"), "0s"))
		if err := errors.Join(err, other); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.Hold(r.FormValue("route"), before, after)
	}
}
