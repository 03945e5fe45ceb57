package config

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/paastis/paastis/server/admin"
)

// ignoreKey is the key of the apps that are left alone.
const ignoreKey = "ignore"

// originalAdminPath is where admins are answered beside the visitors, as the original did.
const originalAdminPath = "/paastis-admin"

// originalVariable is a variable that configured the original Paastis.
type originalVariable struct {
	name string
	// key is what it is called today. Empty: it has no meaning, and says tells why.
	key, says string
	// of is the type of providers that it is about. Empty: it is about none.
	of string
	// proves is what it proves that it is set.
	proves proof
	// unless are more keys beside which it does not count: they say the same in another way.
	unless []string
	// read makes today's value of it, or says why there is none. Nil: it is the value itself.
	read func(o *original, value string) (string, error)
}

// proof is what a variable proves about who set it.
type proof int

const (
	nothing     proof = iota // anything may have such a variable
	theOriginal              // nothing but the original has it
	theProvider              // and it is about a provider that the original had
)

// originalVariables are all of them, in the order in which they are told.
var originalVariables = []originalVariable{
	{name: "PROVIDER_NAME", key: "provider", read: readProviderName},
	{name: "PROVIDER_SCALINGO_API_TOKEN", key: "scalingo.token", of: "scalingo", proves: theProvider, unless: []string{"scalingo.token_file"}},
	{name: "PROVIDER_HEROKU_API_TOKEN", key: "heroku.token", of: "heroku", proves: theProvider, unless: []string{"heroku.token_file"}},
	{name: "PROVIDER_CLEVER_OAUTH_CONSUMER_KEY", key: "clevercloud.consumer_key", of: "clevercloud", proves: theProvider, unless: cleverKeys},
	{name: "PROVIDER_CLEVER_OAUTH_CONSUMER_SECRET", key: "clevercloud.consumer_secret", of: "clevercloud", proves: theProvider, unless: cleverKeys},
	{name: "PROVIDER_CLEVER_TOKEN", key: "clevercloud.oauth_token", of: "clevercloud", proves: theProvider, unless: cleverKeys},
	{name: "PROVIDER_CLEVER_SECRET", key: "clevercloud.oauth_secret", of: "clevercloud", proves: theProvider, unless: cleverKeys},
	{name: "PROVIDER_CLEVER_API_HOST", key: "clevercloud.api_url", of: "clevercloud", unless: cleverKeys},
	{name: "PROVIDER_REGION", key: "scalingo.regions", of: "scalingo", read: readRegion},
	{name: "PROVIDER_SCALINGO_OPERATION_TIMEOUT", key: "start_timeout", of: "scalingo", read: readSeconds},
	{name: "PROVIDER_HEROKU_OPERATION_TIMEOUT", key: "start_timeout", of: "heroku", read: readSeconds},
	{name: "PROVIDER_CLEVER_OPERATION_TIMEOUT", key: "start_timeout", of: "clevercloud", read: readSeconds},
	{name: "START_AND_STOP_MAX_IDLE_TIME", key: "max_idle_time", proves: theOriginal, read: readMinutes},
	{name: "START_AND_STOP_CHECKING_INTERVAL_CRON", proves: theOriginal, says: "each app is stopped when its own max_idle_time is over"},
	{name: "REGISTRY_IGNORED_APPS", key: ignoreKey, proves: theOriginal, read: readNames},
	{name: "ROUTING_SYSTEM_API_ENABLED", key: "admin.path", proves: theOriginal, read: readAPIEnabled},
	{name: "ROUTING_SYSTEM_API_TOKEN", key: "admin.token", proves: theOriginal, unless: []string{"admin.token_sha256"}, read: readAPIToken},
	{name: "LOGGING_LEVEL", key: "log.level", read: readLevel},
	{name: "HOST", key: "listen", read: readListen},
	{name: "PORT", key: "listen", read: readListen},
	{name: "HOOKS_BEFORE_START", says: noHooks},
	{name: "HOOKS_AFTER_START", says: noHooks},
	{name: "HOOKS_BEFORE_STOP", says: noHooks},
	{name: "HOOKS_AFTER_STOP", says: noHooks},
	{name: "REGISTRY_TYPE", says: noDatabase},
	{name: "REDIS_URL", says: noDatabase},
	{name: "REGISTRY_REDIS_URL", says: noDatabase},
	{name: "EVENTS_STORE_TYPE", says: noDatabase},
	{name: "DATABASE_URL", says: noDatabase},
	{name: "NODE_ENV", says: "there is no Node.js"},
}

const (
	noHooks    = "there are no hooks yet"
	noDatabase = "there is no database; state_file names the file in which all is kept"
)

// cleverKeys are the ways into Clever Cloud: what the original had belongs together.
var cleverKeys = []string{
	"clevercloud.token", "clevercloud.token_file", "clevercloud.consumer_key", "clevercloud.consumer_secret",
	"clevercloud.oauth_token", "clevercloud.oauth_secret",
}

// placeholder is what examples have in place of a value.
var placeholder = regexp.MustCompile(`(?i)^((tk-us-)?x+|to_be_defined|<.*>)$`)

func isPlaceholder(value string) bool { return placeholder.MatchString(value) }

func readProviderName(o *original, value string) (string, error) {
	if originalProvider(value) == "" {
		return "", errors.New("no such provider was ever known")
	}
	return o.provider, nil
}

// readRegion takes the name of a region of Scalingo's. The original told it in its lists, and did
// nothing with it, so that it may be any word.
func readRegion(_ *original, value string) (string, error) {
	if !region.MatchString(value) {
		return "", errors.New("it is no name of a region such as osc-fr1")
	}
	return value, nil
}

var region = regexp.MustCompile(`^osc-[a-z0-9-]+$`)

// readSeconds takes a number of looks, of which the original had one each second.
func readSeconds(_ *original, value string) (string, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n <= 0 {
		return "", errors.New("it is no number of seconds")
	}
	return fmt.Sprintf("%ds", n), nil
}

// readMinutes takes a number of minutes, of which none at all was the default.
func readMinutes(_ *original, value string) (string, error) {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil || n < 0:
		return "", errors.New("it is no number of minutes")
	case n == 0:
		return "", errors.New("0 was no time there, but the default")
	}
	return fmt.Sprintf("%dm", n), nil
}

func readNames(_ *original, value string) (string, error) {
	if len(names(value)) == 0 {
		return "", errors.New("it has no name")
	}
	return value, nil
}

// names are those in a list with commas between them.
func names(list string) []string {
	var all []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			all = append(all, name)
		}
	}
	return all
}

// isAPIEnabled reports whether the original had its system API.
func (o *original) isAPIEnabled() bool {
	return strings.EqualFold(o.values["ROUTING_SYSTEM_API_ENABLED"], "true")
}

func readAPIEnabled(o *original, _ string) (string, error) {
	switch {
	case !o.isAPIEnabled():
		return "", errors.New("it is not true, and admins are let in nowhere without admin.token anyway")
	case o.values["ROUTING_SYSTEM_API_TOKEN"] == "" && o.said["admin.token"] == "" && o.said["admin.token_sha256"] == "":
		return "", errors.New("there is no ROUTING_SYSTEM_API_TOKEN beside it")
	}
	return originalAdminPath, nil
}

func readAPIToken(o *original, value string) (string, error) {
	if !o.isAPIEnabled() {
		return "", errors.New("ROUTING_SYSTEM_API_ENABLED is not true")
	}
	if _, err := admin.SumOf(value); err != nil {
		return "", fmt.Errorf("it %w", err)
	}
	return value, nil
}

// readLevel takes one of the levels that Pino has, the logger of the original.
func readLevel(_ *original, value string) (string, error) {
	switch level := strings.ToLower(value); level {
	case "debug", "info", "warn", "error":
		return level, nil
	case "trace":
		return "debug", nil
	case "fatal", "silent":
		return "error", nil
	default:
		return "", errors.New("there is no such level")
	}
}

// readListen makes an address of HOST and PORT, of which the other may not be set.
func readListen(o *original, _ string) (string, error) {
	_, port, _ := net.SplitHostPort(Default().Listen)
	if told := o.values["PORT"]; told != "" {
		if n, err := strconv.ParseUint(told, 10, 16); err != nil || n == 0 {
			return "", errors.New("PORT is no number of a port")
		}
		port = told
	}
	return net.JoinHostPort(o.values["HOST"], port), nil
}
