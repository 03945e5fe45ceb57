package scalingo

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/paastis/paastis/providers/internal/paas"
)

// DefaultAuthURL is where Scalingo exchanges tokens and tells of its regions
// (https://developers.scalingo.com, "Authentication" and "Regions").
const DefaultAuthURL = "https://auth.scalingo.com"

// DefaultRegion is the one that every account has.
const DefaultRegion = "osc-fr1"

// Settings are what paastis.yml may say of one account at Scalingo. All are texts.
type Settings struct {
	// Token is an API token of the account ("tk-us-…"). TokenFile is a file that has it, read
	// when the provider is made. One of them is needed.
	Token     string `yaml:"token" description:"API token of the account; better in a file that token_file names"`
	TokenFile string `yaml:"token_file" description:"File with the token"`
	// AuthURL is where tokens are exchanged. Empty: DefaultAuthURL.
	AuthURL string `yaml:"auth_url" description:"Where tokens are exchanged; none: Scalingo itself"`
	// APIURL is the API of the only region, whatever that is called: for a platform that
	// behaves as Scalingo. Empty: each region's own.
	APIURL string `yaml:"api_url" description:"The API of the only region, for a platform that behaves as Scalingo"`
	// Regions are the names of those whose apps are looked after, separated by commas. Empty:
	// those that Scalingo lists for the account.
	Regions string `yaml:"regions" list:"commas" description:"Regions whose apps are looked after, with commas between them; none: all that the account has"`
	// CallsPerMinute is how often Paastis may call the account. Empty: 55 times, which leaves
	// five of the 60 that there are to its owner.
	CallsPerMinute string `yaml:"calls_per_minute" description:"How often the account may be called; none: 55 times"`
}

// Validate is nil if the settings make sense, as far as that can be told without their file and
// without Scalingo. Else it names the key that does not.
func (s Settings) Validate() (key string, err error) {
	switch {
	case s.Token != "" && s.TokenFile != "":
		return "token_file", errors.New("token_file: there is a token as well; write one of them")
	case s.Token == "" && s.TokenFile == "":
		return "token", errors.New("token: it is missing; make one at https://dashboard.scalingo.com/account/tokens, and write it or the file that has it (token_file)")
	}
	for key, value := range map[string]string{"auth_url": s.AuthURL, "api_url": s.APIURL} {
		if err := checkURL(value); err != nil {
			return key, fmt.Errorf("%s: %w", key, err) // it may have a password
		}
	}
	if s.APIURL != "" && len(s.regions()) > 1 {
		return "regions", fmt.Errorf("regions %q: api_url is the API of one region; name that one, or leave out api_url", s.Regions)
	}
	for _, region := range s.regions() {
		if strings.ContainsAny(region, "/:.@ ") {
			return "regions", fmt.Errorf("regions %q: %q is no name of a region; it is one such as %s", s.Regions, region, DefaultRegion)
		}
	}
	if _, err := s.callsPerMinute(); err != nil {
		return "calls_per_minute", err
	}
	return "", nil
}

// callsPerMinute is how often the account may be called.
func (s Settings) callsPerMinute() (int, error) {
	if s.CallsPerMinute == "" {
		return callsPerMinute, nil
	}
	n, err := strconv.Atoi(s.CallsPerMinute)
	if err != nil || n < leastCallsPerMinute {
		return 0, fmt.Errorf("calls_per_minute %q: it is a number of calls, at least %d", s.CallsPerMinute, leastCallsPerMinute)
	}
	return n, nil
}

// checkURL is nil for an address that API calls may go to, or none.
func checkURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" {
		return errors.New("write https://, a host, and a port if need be")
	}
	return nil
}

// regions are the names that Regions has, each once.
func (s Settings) regions() []string {
	var names []string
	for name := range strings.SplitSeq(s.Regions, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// authURL is where tokens are exchanged, without a "/" at its end.
func (s Settings) authURL() string {
	return strings.TrimSuffix(cmp.Or(s.AuthURL, DefaultAuthURL), "/")
}

// token is that of Token or TokenFile.
func (s Settings) token() (string, error) { return paas.ReadToken(s.Token, s.TokenFile) }
