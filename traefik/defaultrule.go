package traefik

import (
	"errors"
	"os"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// DefaultRule is Traefik's rule for routers that have none, if its Docker provider is
// not told another.
const DefaultRule = "Host(`{{ normalize .Name }}`)"

// ownVariables begin with this. They hold tokens, and a rule is shown to people.
const ownVariables = "PAASTIS_"

var (
	errNeverSame   = errors.New("it makes something else each time, so what Traefik makes of it is not known")
	errTakesTime   = errors.New("it takes too long to be asked for each app")
	errOwnVariable = errors.New("the variables of Paastis are not for rules")
)

// refused are the functions that Traefik's default rule may use and ours may not: what
// comes of them cannot be what Traefik has, or it takes too long while others wait.
var refused = map[string]error{
	"randAlphaNum": errNeverSame, "randAlpha": errNeverSame, "randAscii": errNeverSame,
	"randNumeric": errNeverSame, "randBytes": errNeverSame, "randInt": errNeverSame, "uuidv4": errNeverSame,
	"shuffle": errNeverSame, "encryptAES": errNeverSame, "bcrypt": errNeverSame, "htpasswd": errNeverSame,
	"genPrivateKey": errNeverSame, "genCA": errNeverSame, "genCAWithKey": errNeverSame,
	"genSelfSignedCert": errNeverSame, "genSelfSignedCertWithKey": errNeverSame,
	"genSignedCert": errNeverSame, "genSignedCertWithKey": errNeverSame,
	"getHostByName": errTakesTime, "derivePassword": errTakesTime,
}

// defaultRule is DefaultRule, parsed.
var defaultRule = template.Must(ParseDefaultRule(DefaultRule))

// ParseDefaultRule reads a template like that of Traefik's `defaultRule`. It is given
// .Name, .ContainerName and .Labels, and the functions that Traefik 3.6.12 gives it
// (its pkg/provider): those of sprig 3.2.3, and normalize. A rule that asks for what
// only Traefik can know parses too, and fails for each app: one that uses chance, or a
// name server. Its env reads the environment of Paastis, without the variables that are
// Paastis's own.
func ParseDefaultRule(text string) (*template.Template, error) {
	functions := sprig.TxtFuncMap()
	for name, why := range refused {
		functions[name] = func(...any) (string, error) { return "", why }
	}
	functions["normalize"] = Normalize
	functions["env"] = variable
	functions["expandenv"] = expanded
	return template.New("default rule").Funcs(functions).Parse(text)
}

// variable is a variable of the environment; empty if there is none.
func variable(name string) (string, error) {
	if strings.HasPrefix(name, ownVariables) {
		return "", errOwnVariable
	}
	return os.Getenv(name), nil
}

// expanded is the text with the variables in it replaced.
func expanded(text string) (string, error) {
	var fault error
	out := os.Expand(text, func(name string) string {
		value, err := variable(name)
		fault = errors.Join(fault, err)
		return value
	})
	if fault != nil {
		return "", errOwnVariable
	}
	return out, nil
}
