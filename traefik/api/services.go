package api

import (
	"context"
	"net/http"
	"net/url"
)

// Service is a service that shares requests out among servers, as Traefik uses it.
type Service struct {
	// Name has "@" and the Provider behind it.
	Name, Provider string
	// URLs are those of its servers. One may be empty: see Server.
	URLs []string
	// PassesHost reports whether a server gets the host that the visitor asked for, and not that of
	// its URL.
	PassesHost bool
}

// listedService leaves out what is not set.
type listedService struct {
	Name, Provider string
	LoadBalancer   *struct {
		Servers        []struct{ URL string }
		PassHostHeader *bool
	}
}

// Services returns the first 100,000 services that have servers themselves, as Routers does.
func (c *Client) Services(ctx context.Context) ([]Service, error) {
	var all []Service
	err := c.pages(ctx, "api/http/services", func(at *url.URL) (http.Header, error) {
		var answer []listedService
		header, err := c.get(ctx, at, &answer)
		for _, s := range answer {
			if s.LoadBalancer != nil {
				all = append(all, s.service())
			}
		}
		return header, err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// service takes a passHostHeader that is not told for true, as Traefik does.
func (s listedService) service() Service {
	is := Service{Name: s.Name, Provider: s.Provider, PassesHost: s.LoadBalancer.PassHostHeader == nil || *s.LoadBalancer.PassHostHeader}
	for _, server := range s.LoadBalancer.Servers {
		is.URLs = append(is.URLs, server.URL)
	}
	return is
}
