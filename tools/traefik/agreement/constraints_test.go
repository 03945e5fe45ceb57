package agreement

import (
	"math/rand/v2"
	"testing"

	"github.com/paastis/paastis/traefik"
	"github.com/traefik/traefik/v3/pkg/provider/constraints"
)

var constraintTexts = []string{
	"", " ", "Label(`zone`,`out`)", "Label(`zone`,`in`)", "!Label(`zone`,`out`)", "Label(`zone`, ``)", "Label(``, ``)",
	"LabelRegex(`zone`, `^o`)", "LabelRegex(`zone`, `(`)", "!LabelRegex(`zone`, `(`)", "LabelRegex(`none`, `^$`)",
	"Label(\"zone\", \"out\") && Label(`tier`, `1`)", "Label(`zone`,`in`) || LabelRegex(`tier`, `\\d`)",
	"!(Label(`zone`,`out`) && Label(`tier`,`1`))", "!!Label(`zone`,`out`)", "(Label(`zone`,`out`))",
	"Label(`zone`,`out`) || Foo(`a`,`b`)", "Label(`zone`)", "Label(`zone`,`out`,`x`)", "Label(zone,out)", "Label(`zone`, 1)",
	"label(`zone`,`out`)", "`zone`", "true", "Label(`zone`,`out`) && `x`", "Label(`zone`,`out`) & Label(`zone`,`out`)",
	"Label(`zone`,`out`) == Label(`zone`,`out`)", "Label(`zone`,`out`", "-Label(`zone`,`out`)", "a.Label(`zone`,`out`)",
}

var constrainedLabels = []map[string]string{
	nil, {}, {"zone": "out"}, {"zone": "in"}, {"zone": "out", "tier": "1"}, {"zone": ""}, {"Zone": "out"}, {"": "", "tier": "x9"},
}

func TestBothSidesKeepTheSameAppsByConstraints(t *testing.T) {
	t.Parallel()
	for _, text := range constraintTexts {
		for _, labels := range constrainedLabels {
			compareConstraint(t, text, labels)
		}
	}
}

func TestBothSidesKeepTheSameAppsByRandomConstraints(t *testing.T) {
	t.Parallel()
	d := dice{rand.New(rand.NewPCG(6, 26))}
	for range 20_000 {
		compareConstraint(t, randomConstraint(d, 3), constrainedLabels[d.IntN(len(constrainedLabels))])
	}
}

func randomConstraint(d dice, depth int) string {
	switch n := d.IntN(5); {
	case depth == 0 || n == 0:
		return d.of(constraintTexts[2:12])
	case n == 1:
		return "!(" + randomConstraint(d, depth-1) + ")"
	case n == 2:
		return "!" + randomConstraint(d, depth-1)
	case n == 3:
		return randomConstraint(d, depth-1) + " && " + randomConstraint(d, depth-1)
	default:
		return "(" + randomConstraint(d, depth-1) + " || " + randomConstraint(d, depth-1) + ")"
	}
}

// compareConstraint: what Traefik cannot read leaves out every app. Paastis refuses that,
// and a regular expression that does not compile, in its settings; of what a Traefik's own
// flags say it makes what Traefik does.
func compareConstraint(t *testing.T, text string, labels map[string]string) {
	t.Helper()
	theirs, err := constraints.MatchLabels(labels, text)
	static, _ := traefik.ReadStatic([]string{"--providers.docker", "--providers.docker.constraints=" + text}, nil)
	if ours := static.Constraints.Match(labels); ours != (theirs && err == nil) || static.Constraints.Readable() != (err == nil) {
		t.Errorf("%s of %v: ours %t, readable %t; theirs %t, %v", text, labels, ours, static.Constraints.Readable(), theirs, err)
	}
	if parsed, fault := traefik.ParseConstraint(text); fault == nil && (err != nil || parsed.Match(labels) != theirs) {
		t.Errorf("%s of %v is taken, but theirs is %t, %v", text, labels, theirs, err)
	}
}
