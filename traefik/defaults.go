package traefik

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"unicode"
)

var (
	errNoRule       = errors.New("the default rule is empty")
	errManyServices = errors.New("it names no service, and there are several")
)

// WithDefaults completes the labels with what Traefik makes of them for an app that it
// is told to expose: a service if there is none, a router if there is none, a rule and
// a service for each router that lacks them. It does not ask whether traefik.enable
// says so. The receiver stays as it is.
//
// The name is that of the container or of the Swarm service, with or without a slash
// before it; an app of Compose goes by its labels instead. The rule is the default one;
// nil is DefaultRule. Routers that Traefik would leave out are left out, each with a
// line in the error; the rest is good all the same.
func (l Labels) WithDefaults(name, container string, rule *template.Template) (Labels, error) {
	if l.other && len(l.Routers)+len(l.Services)+len(l.Middlewares) == 0 {
		return l, nil
	}
	name = ServiceName(name, l.raw)
	if len(l.Services) == 0 {
		l.Services = []Service{{Name: name}}
	}
	l.Routers = slices.Clone(l.Routers)
	if len(l.Routers) == 0 && len(l.Services) == 1 {
		l.Routers = []Router{{Name: name}}
	}
	l.linkOnlyService()
	return l.completed(ruleData{name, strings.TrimPrefix(container, "/"), l.raw}, rule)
}

// ServiceName is what Traefik calls an app's service: by the labels of Compose,
// <service>-<project>, else by the name. It is normalized.
func ServiceName(name string, labels map[string]string) string {
	project, service := labels["com.docker.compose.project"], labels["com.docker.compose.service"]
	if project != "" && service != "" {
		name = service + "_" + project
	}
	return Normalize(name)
}

// Normalize puts one "-" for whatever stands between the letters and digits of a name,
// and nothing before and after them.
func Normalize(name string) string {
	return strings.Join(strings.FieldsFunc(name, func(char rune) bool {
		return !unicode.IsLetter(char) && !unicode.IsNumber(char)
	}), "-")
}

// ruleData is what a default rule may use.
type ruleData struct {
	Name          string
	ContainerName string
	Labels        map[string]string
}

// completed keeps the routers that have or get a rule and a service.
func (l Labels) completed(data ruleData, rule *template.Template) (Labels, error) {
	routers := l.Routers
	l.Routers = nil
	var problems []error
	for _, router := range routers {
		if err := router.complete(data, rule); err != nil {
			problems = append(problems, fmt.Errorf("router %q: %w", router.Name, err))
			continue
		}
		l.Routers = append(l.Routers, router)
	}
	return l, errors.Join(problems...)
}

func (r *Router) complete(data ruleData, rule *template.Template) error {
	if r.Service == "" {
		return errManyServices
	}
	if r.Rule != "" {
		return nil
	}
	if rule == nil {
		rule = defaultRule
	}
	var text strings.Builder
	if err := rule.Execute(&text, data); err != nil {
		return err
	}
	if text.Len() == 0 {
		return errNoRule
	}
	r.Rule = text.String()
	return nil
}
