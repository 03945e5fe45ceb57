package dynamic_test

import (
	"reflect"
	"testing"

	"github.com/paastis/paastis/traefik"
)

func decode(t testing.TB, labels map[string]string) traefik.Labels {
	t.Helper()
	decoded, err := traefik.Decode(labels)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func check(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}
