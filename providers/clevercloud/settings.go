package clevercloud

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/paastis/paastis/providers/internal/paas"
)

// The hosts that Clever Cloud's API has: an API token is taken by the bridge alone, an OAuth
// signature by the other alone (clever-client.js, and "API tokens" of its documentation).
const (
	bridgeURL = "https://api-bridge.clever-cloud.com"
	oauthURL  = "https://api.clever-cloud.com"
)

// Settings are what paastis.yml may say of one Clever Cloud account. There are two ways in: an
// API token, or the four texts of OAuth 1.
type Settings struct {
	// Token is an API token, of `clever tokens create`. TokenFile is a file with it, which
	// is read again when the one that was in it is refused.
	Token     string `yaml:"token" description:"API token; better in a file that token_file names"`
	TokenFile string `yaml:"token_file" description:"File with the token"`
	// ConsumerKey and ConsumerSecret are those of an OAuth consumer, OAuthToken and OAuthSecret
	// what it was given for the account.
	ConsumerKey    string `yaml:"consumer_key" description:"Key of an OAuth consumer, instead of a token"`
	ConsumerSecret string `yaml:"consumer_secret" description:"Its secret"`
	OAuthToken     string `yaml:"oauth_token" description:"OAuth token that it was given for the account"`
	OAuthSecret    string `yaml:"oauth_secret" description:"Its secret"`
	// APIURL is where the API is. If empty, Clever Cloud's own: the bridge for a token.
	APIURL string `yaml:"api_url" description:"Where the API is; none: Clever Cloud itself"`
	// Owners are those whose apps are meant, by id (orga_…, user_…) or by name, with commas
	// between them. If empty, all that the account may see.
	Owners string `yaml:"owners" list:"commas" description:"Organisations and users whose apps are meant, by id or name, with commas between them; none: all that the account may see"`
}

// Validate is nil if the settings make sense, as far as that can be told without their file.
// Else it names the key that does not. No text of a secret is in the error.
func (s Settings) Validate() (key string, err error) {
	if err := s.checkURL(); err != nil {
		return "api_url", err
	}
	oauth := []struct{ key, value string }{
		{"consumer_key", s.ConsumerKey}, {"consumer_secret", s.ConsumerSecret},
		{"oauth_token", s.OAuthToken}, {"oauth_secret", s.OAuthSecret},
	}
	given := ""
	for _, o := range oauth {
		if o.value != "" {
			given = o.key
		}
	}
	switch {
	case s.Token != "" && s.TokenFile != "":
		return "token_file", errors.New("token_file: token is there, too; keep one of them")
	case given != "" && s.bearer():
		return given, fmt.Errorf("%s: an API token is there, too; keep the token, or the four texts of OAuth", given)
	case given == "" && !s.bearer():
		return "token", errors.New("token: there is none; make one with `clever tokens create`, and give it as token or token_file")
	case given == "":
		return "", nil
	}
	for _, o := range oauth {
		if o.value == "" {
			return o.key, fmt.Errorf("%s: it is missing; OAuth needs consumer_key, consumer_secret, oauth_token and oauth_secret", o.key)
		}
	}
	return "", nil
}

// checkURL is nil if the API may be there, for those credentials.
func (s Settings) checkURL() error {
	u, err := url.Parse(s.APIURL)
	switch {
	case s.APIURL == "":
		return nil
	case err != nil, u.Host == "", u.User != nil, u.Scheme != "http" && u.Scheme != "https":
		return errors.New("api_url: expected an address such as " + bridgeURL)
	case s.bearer() && "https://"+u.Host == oauthURL:
		return errors.New("api_url: an API token is not taken there; leave the address out, or have " + bridgeURL)
	case !s.bearer() && "https://"+u.Host == bridgeURL:
		return errors.New("api_url: OAuth is not taken there; leave the address out, or have " + oauthURL)
	default:
		return nil
	}
}

// bearer reports whether an API token is the way in.
func (s Settings) bearer() bool { return s.Token != "" || s.TokenFile != "" }

// token is the API token, of its file if there is one.
func (s Settings) token() (string, error) { return paas.ReadToken(s.Token, s.TokenFile) }

// base is where the API is.
func (s Settings) base() (*url.URL, error) {
	own := oauthURL
	if s.bearer() {
		own = bridgeURL
	}
	return url.Parse(cmp.Or(s.APIURL, own))
}

// owners are the ids and names of Owners.
func (s Settings) owners() []string {
	var all []string
	for _, o := range strings.Split(s.Owners, ",") {
		if o = strings.TrimSpace(o); o != "" {
			all = append(all, o)
		}
	}
	return all
}
