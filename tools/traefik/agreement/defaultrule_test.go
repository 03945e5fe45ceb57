package agreement

import (
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"github.com/paastis/paastis/traefik"
	"github.com/traefik/traefik/v3/pkg/provider"
)

// model is what a default rule is given.
type model struct {
	Name, ContainerName string
	Labels              map[string]string
}

var models = []model{
	{"web-shop", "shop-web-1", map[string]string{"zone": "out", "com.docker.compose.service": "web", "n": "7"}},
	{"été", "", nil},
	{"", "a_b.c", map[string]string{"zone": ""}},
}

var defaultRules = []string{
	"", " ", "Host(`{{ normalize .Name }}`)", "Host(`{{ trimPrefix `/` .Name }}.docker.localhost`)", "Host(`{{ trimPrefix .Name `web-` }}`)",
	"Host(`{{ .Name | replace \"_\" \"-\" }}.docker.localhost`)", "Host(`{{ index .Labels \"com.docker.compose.service\" }}.docker.localhost`)",
	"Host(`{{ .ContainerName | lower | trunc 5 | trimSuffix \"-\" }}`)", "Host(`{{ index .Labels \"zone\" | default \"x\" }}`)", "Host(`{{ coalesce (index .Labels \"zone\") .Name }}`)",
	"{{ if eq (index .Labels \"zone\") \"out\" }}Host(`a`){{ end }}", "{{ if and .Labels (hasKey .Labels \"zone\") }}Host(`a`){{ else }}Host(`b`){{ end }}", "{{ range $k, $v := .Labels }}{{ $k }}={{ $v }};{{ end }}",
	"Host(`{{ (splitList \"-\" .Name) | first }}`)", "Host(`{{ regexReplaceAll \"[^a-z]\" .Name \"\" }}`)", "{{ $p := split \"-\" .Name }}Host(`{{ $p._0 }}`)", "Host(`{{ .Name | sha256sum | substr 0 8 }}`)", "Host(`{{ add (index .Labels \"n\") 3 }}`)",
	"Host(`{{ .Name }}.{{ env \"AGREED\" }}`)", "Host(`{{ expandenv \"$AGREED.${AGREED}\" }}`)", "Host(`{{ list .Name .ContainerName | join \".\" }}`)", "Host(`{{ .Name | title | snakecase | kebabcase }}`)", "{{ printf \"Host(`%s`)\" (.Name | quote | squote) }}",
	"{{ fail \"no\" }}", "{{ .Missing }}", "{{ index .Labels 7 }}", "{{ required }}", "{{ .Name | nothing }}", "{{", "{{ end }}", "{{ template \"x\" }}", "{{ now | date \"2006\" }}", "{{ dict \"a\" .Name | toJson }}", "{{ .Labels.zone }}", "{{ mustRegexMatch \"(\" .Name }}",
}

// differs are the functions of which both sides make something else, and check says so: what
// Traefik makes of them cannot be known, or it would take too long.
var differs = []string{
	"randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes", "randInt", "uuidv4", "shuffle", "encryptAES", "bcrypt", "htpasswd",
	"genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey", "getHostByName", "derivePassword",
}

func TestBothSidesMakeTheSameOfDefaultRules(t *testing.T) {
	t.Setenv("AGREED", "example.com")
	for _, text := range defaultRules {
		they, theyRefuse := provider.MakeDefaultRuleTemplate(text, nil)
		we, weRefuse := traefik.ParseDefaultRule(text)
		if (theyRefuse == nil) != (weRefuse == nil) {
			t.Errorf("default rule %q: Traefik: %v, Paastis: %v", text, theyRefuse, weRefuse)
		}
		if theyRefuse != nil || weRefuse != nil {
			continue
		}
		for _, m := range models {
			if theirs, ours := executed(they, m), executed(we, m); theirs != ours {
				t.Errorf("default rule %q of %+v:\n\tTraefik makes %q\n\tPaastis makes %q", text, m, theirs, ours)
			}
		}
	}
}

func TestBothSidesKnowTheSameFunctionsInDefaultRules(t *testing.T) {
	t.Parallel()
	for name := range sprig.TxtFuncMap() {
		text := "{{ " + name + " }}"
		_, theyRefuse := provider.MakeDefaultRuleTemplate(text, nil)
		we, weRefuse := traefik.ParseDefaultRule(text)
		if theyRefuse != nil || weRefuse != nil {
			t.Errorf("function %s: Traefik: %v, Paastis: %v", name, theyRefuse, weRefuse)
			continue
		}
		var out strings.Builder
		refused := we.Execute(&out, models[0])
		if told := refused != nil && (strings.Contains(refused.Error(), "something else each time") || strings.Contains(refused.Error(), "takes too long")); told != slices.Contains(differs, name) {
			t.Errorf("function %s is refused: %t, %v", name, told, refused)
		}
	}
}

// executed is what a template makes of a model; what fails is nothing to both sides.
func executed(rule *template.Template, m model) string {
	var out strings.Builder
	if err := rule.Execute(&out, m); err != nil {
		return ""
	}
	return out.String()
}
