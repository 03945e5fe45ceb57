package heroku

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
)

// DefaultAPI is where Heroku's Platform API is.
const DefaultAPI = "https://api.heroku.com"

// Who puts apps on eco dynos to sleep, and wakes them.
const (
	// EcoHeroku leaves it to Heroku, which does both by itself.
	EcoHeroku = "heroku"
	// EcoPaastis has Paastis scale them to none and back, as it does with all other apps.
	EcoPaastis = "paastis"
)

// Settings are what paastis.yml may say of one account at Heroku among several providers.
type Settings struct {
	// Token is that of an authorization: `heroku authorizations:create`. TokenFile is a file
	// that has it, which is read at each start of Paastis, and again once Heroku refuses what was
	// in it. One of the two is required.
	Token     string `yaml:"token" description:"Token of an authorization; better in a file that token_file names"`
	TokenFile string `yaml:"token_file" description:"File with the token"`
	// APIURL is where the API is. If empty, DefaultAPI.
	APIURL string `yaml:"api_url" description:"Where the API is; none: Heroku itself"`
	// Eco says who puts apps on eco dynos to sleep: EcoHeroku or EcoPaastis. If empty, EcoHeroku.
	Eco string `yaml:"eco" description:"Who puts apps on eco dynos to sleep: heroku or paastis; none: heroku"`
}

// Validate is nil if the settings make sense, as far as that can be told without their files.
// Else it names the key that does not. No error has the token in it.
func (s Settings) Validate() (key string, err error) {
	switch {
	case s.Token == "" && s.TokenFile == "":
		return "token", errors.New("token: Heroku wants one; make it by heroku authorizations:create, and put it into token or token_file")
	case s.Token != "" && s.TokenFile != "":
		return "token_file", errors.New("token_file: token is there as well; keep one of the two")
	case strings.ContainsFunc(s.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "token", errors.New("token: it has spaces or letters that no token has")
	}
	switch s.Eco {
	case "", EcoHeroku, EcoPaastis:
	default:
		return "eco", fmt.Errorf("eco: expected %s or %s, not %q", EcoHeroku, EcoPaastis, s.Eco)
	}
	_, err = s.api()
	return "api_url", err
}

// api is where the API is.
func (s Settings) api() (*url.URL, error) {
	if s.APIURL == "" {
		return url.Parse(DefaultAPI)
	}
	u, err := url.Parse(s.APIURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("api_url: expected https:// and a host, and no token in it")
	}
	return u, nil
}

// token reads the token: what of a file is not space at its ends.
func (s Settings) token() (string, error) {
	if s.TokenFile == "" {
		return s.Token, nil
	}
	text, err := os.ReadFile(s.TokenFile)
	if err != nil {
		return "", fmt.Errorf("read token_file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if key, err := (Settings{Token: token}).Validate(); err != nil {
		return "", fmt.Errorf("token_file %s: %s", s.TokenFile, strings.TrimPrefix(err.Error(), key+": "))
	}
	return token, nil
}

// Open makes a provider of that ID. It makes no call.
func Open(id string, s Settings, log *slog.Logger) (*Provider, error) {
	base, err := s.api()
	if err == nil {
		_, err = s.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("heroku: provider %q: %w", id, err)
	}
	p, err := New(Config{ID: id, Token: s.token, API: base, Eco: s.Eco, Self: selfOf(os.Getenv), Log: log})
	if err != nil {
		return nil, fmt.Errorf("provider %q: %w", id, err)
	}
	return p, nil
}

// selfOf is what Heroku calls the app that Paastis itself runs in, if the metadata of dynos is
// switched on for it (devcenter.heroku.com/articles/dyno-metadata). Nil: it is not known.
func selfOf(getenv func(string) string) []string {
	var self []string
	for _, key := range []string{"HEROKU_APP_ID", "HEROKU_APP_NAME"} {
		if value := getenv(key); value != "" {
			self = append(self, value)
		}
	}
	return self
}
