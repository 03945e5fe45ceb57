package config_test

import (
	"testing"

	"github.com/paastis/paastis/config"
)

func TestAPaastisIsPublicOnThePortThatAPlatformGives(t *testing.T) {
	heroku := []string{"PAASTIS_PROVIDER=heroku", "PAASTIS_HEROKU_TOKEN=x"}
	for name, c := range map[string]struct {
		listen, port string
		environ      []string
		want         bool
	}{
		"on that port":                 {":8080", "PORT=8080", heroku, true},
		"behind a Traefik in its app":  {"127.0.0.1:3000", "PORT=8080", heroku, false},
		"where nobody gives a port":    {":3000", "PORT=", heroku, false},
		"with an engine to look after": {":3000", "PORT=3000", nil, false},
	} {
		l, err := config.Load("", append(c.environ, "PAASTIS_LISTEN="+c.listen, c.port), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.IsPublic(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
