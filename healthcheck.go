package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// healthLimit bounds the question; Docker's own default for a check is 30 s.
const healthLimit = 5 * time.Second

// healthcheck asks the Paastis that listens on this machine whether it serves.
func healthcheck(ctx context.Context, config Loaded) error {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	url := "http://" + localAddress(config.Listen) + "/healthz"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no Paastis answers on %s: %w", config.Listen, rootCause(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the Paastis on %s answers %s", config.Listen, resp.Status)
	}
	return nil
}

// localAddress is where a server that listens on all addresses is reached from here.
func localAddress(listen string) string {
	host, port, _ := net.SplitHostPort(listen) // validated
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
