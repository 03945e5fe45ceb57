package api_test

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/jarcoal/httpmock"

	"github.com/paastis/paastis/traefik/api"
)

func TestServicesAreThoseThatHaveServers(t *testing.T) {
	t.Parallel()
	const list = `[` + runningService + `,` + stoppedService + `,{"status":"enabled","name":"api@internal","provider":"internal"},
		{"name":"shop@file","provider":"file","loadBalancer":{"servers":[{"url":"https://a"},{"url":"https://b"}],"passHostHeader":false}},
		{"name":"old@file","provider":"file","loadBalancer":{}}]`
	client, err := api.New(apiURL)
	if err != nil {
		t.Fatal(err)
	}
	transport := httpmock.NewMockTransport()
	transport.RegisterResponder(http.MethodGet, apiURL+"/api/http/services", httpmock.NewStringResponder(http.StatusOK, list))
	client.Transport = transport
	got, err := client.Services(t.Context())
	want := []api.Service{
		{Name: "shop@docker", Provider: "docker", URLs: []string{"http://172.18.0.4:8080"}, PassesHost: true},
		{Name: "shop@docker", Provider: "docker", URLs: []string{""}, PassesHost: true},
		{Name: "shop@file", Provider: "file", URLs: []string{"https://a", "https://b"}},
		{Name: "old@file", Provider: "file", PassesHost: true},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	transport.RegisterResponder(http.MethodGet, apiURL+"/api/http/services", httpmock.NewStringResponder(http.StatusForbidden, "no"))
	if got, err := client.Services(t.Context()); err == nil || got != nil {
		t.Errorf("of one that refuses: %+v, %v", got, err)
	}
}
