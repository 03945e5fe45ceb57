package traefik_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/paastis/paastis/traefik"
)

func labelsOf(t *testing.T, labels map[string]string) traefik.Labels {
	t.Helper()
	decoded, err := traefik.Decode(labels)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func TestAnAppThatTraefiksFlagsLeaveOutIsNotKept(t *testing.T) {
	t.Parallel()
	no := false
	zoned, err := traefik.ParseConstraint("Label(`zone`,`out`) || LabelRegex(`tier`, `^pub`) && !Label(`hidden`, `yes`)")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		static traefik.Static
		labels map[string]string
		want   bool
	}{
		"nothing known, nothing said":      {traefik.Static{}, nil, true},
		"disabled":                         {traefik.Static{}, map[string]string{"traefik.enable": "false"}, false},
		"not exposed by default":           {traefik.Static{ExposedByDefault: &no}, map[string]string{"traefik.http.routers.a.rule": "Host(`a`)"}, false},
		"exposed by itself":                {traefik.Static{ExposedByDefault: &no}, map[string]string{"traefik.Enable": "true"}, true},
		"a constraint that holds":          {traefik.Static{Constraints: zoned}, map[string]string{"zone": "out", "hidden": "yes"}, true},
		"a constraint that does not":       {traefik.Static{Constraints: zoned}, map[string]string{"zone": "in"}, false},
		"its second part":                  {traefik.Static{Constraints: zoned}, map[string]string{"tier": "public"}, true},
		"what its second part excludes":    {traefik.Static{Constraints: zoned}, map[string]string{"tier": "public", "hidden": "yes"}, false},
		"enabled, and left out":            {traefik.Static{Constraints: zoned}, map[string]string{"traefik.enable": "true"}, false},
		"a constraint, and not exposed":    {traefik.Static{Constraints: zoned, ExposedByDefault: &no}, map[string]string{"zone": "out"}, false},
		"labels of other case are others'": {traefik.Static{Constraints: zoned}, map[string]string{"Zone": "out"}, false},
	} {
		if got := c.static.Keeps(labelsOf(t, c.labels)); got != c.want {
			t.Errorf("%s: kept %t, want %t", name, got, c.want)
		}
	}
}

func TestARouterIsServedOnTheEntryPointsThatTraefikHas(t *testing.T) {
	t.Parallel()
	all := []traefik.EntryPoint{{Name: "web"}, {Name: "websecure"}, {Name: "traefik"}}
	chosen := []traefik.EntryPoint{{Name: "web"}, {Name: "websecure", AsDefault: true}}
	for name, c := range map[string]struct {
		has   []traefik.EntryPoint
		names []string
		want  string // empty: not served
	}{
		"one of them":                   {all, []string{"admin", "web"}, "web"},
		"none of them":                  {all, []string{"admin"}, ""},
		"none is named":                 {all, nil, "web websecure"},
		"none is named, one is default": {chosen, nil, "websecure"},
		"named against the default":     {chosen, []string{"web"}, "web"},
		"Traefik's own, if it is named": {all, []string{"traefik"}, "traefik"},
	} {
		static, router := traefik.Static{EntryPoints: c.has}, traefik.Router{EntryPoints: c.names}
		if got := strings.Join(static.ListensOn(router), " "); got != c.want || static.Serves(router) != (c.want != "") {
			t.Errorf("%s: on %q, served %t; want %q", name, got, static.Serves(router), c.want)
		}
	}
	if !(traefik.Static{}).Serves(traefik.Router{EntryPoints: []string{"any"}}) {
		t.Error("of a Traefik of which nothing is known any entry point may be one")
	}
}

func TestWhatIsSetHoldsAgainstWhatIsRead(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	out, _ := traefik.ParseConstraint("Label(`zone`,`out`)")
	none, _ := traefik.ParseConstraint("")
	read := traefik.Static{Constraints: out, ExposedByDefault: &no, Network: "web", EntryPoints: []traefik.EntryPoint{{Name: "web"}}}
	if got := (traefik.Static{}).Over(read); !got.Equal(read) {
		t.Errorf("nothing is set: %+v", got)
	}
	set := traefik.Static{Constraints: none, ExposedByDefault: &yes}.Over(read)
	if !set.Keeps(labelsOf(t, map[string]string{"zone": "in"})) || set.Network != "web" {
		t.Errorf("no constraint is set: %+v", set)
	}
}

func TestAConstraintThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Label(`a`)", "Foo(`a`,`b`)", "`a`", "Label(`a`,`b`", "Label(a,b)", "Label(`a`,`b`) && `c`", "Label(`a`,`b`) == Label(`a`,`b`)",
		"LabelRegex(`a`,`(`)", "!`a`", "Label(`a`, 1)", "label(`a`,`b`)", "x.Label(`a`,`b`)", " ",
	} {
		if _, err := traefik.ParseConstraint(text); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", text, err)
		}
	}
}

func TestASetEntryPointIsReachedByThePortOfTheMachineToo(t *testing.T) {
	t.Parallel()
	read := traefik.Static{EntryPoints: []traefik.EntryPoint{{Name: "web", Port: 80, HostPort: 8000}, {Name: "alt", Port: 81, HostPort: 8081}}}
	set := traefik.Static{EntryPoints: []traefik.EntryPoint{{Name: "web", Port: 80}, {Name: "alt", Port: 8181}}}.Over(read)
	want := []traefik.Way{{Port: 80}, {Port: 8000}, {Port: 8181}}
	if got := set.Ways(traefik.Router{EntryPoints: []string{"web", "alt"}}); !slices.Equal(got, want) {
		t.Errorf("ways %v, want %v", got, want)
	}
}
