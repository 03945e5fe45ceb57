package rule_test

import (
	"net/http"
	"reflect"
	"testing"
)

func forwarded(host, uri string) http.Header {
	return http.Header{"X-Forwarded-Host": {host}, "X-Forwarded-Uri": {uri}}
}

func check(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}
