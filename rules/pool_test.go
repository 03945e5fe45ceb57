package rules_test

import (
	"testing"

	"github.com/paastis/paastis/rules"
)

// The properties of one app take half a kilobyte: of a thousand, most are the same.
func TestAppsOfWhichTheSameIsSaidHaveTheirPropertiesTogether(t *testing.T) {
	set := load(t, "rules: [{pattern: shop, max_idle_time: 5m}, {pattern: '(.*)-front', linked_apps: ['$1-back']}]")
	var pool rules.Pool
	shared := func(name string, labels map[string]string) *rules.Resolved {
		r, _ := set.Resolve(name, rules.Defaults(), labels, "container")
		return pool.Share(r)
	}
	a, b := shared("shop-a", nil), shared("shop-b", nil)
	if a != b {
		t.Error("two apps of one rule have properties of their own")
	}
	if one, other := shared("a", nil), shared("b", nil); one != other || one == a {
		t.Error("two apps of no rule have properties of their own, or those of a rule")
	}
	labelled := shared("shop-a", map[string]string{"paastis.max_idle_time": "1h"})
	equal(t, "of the labelled one", labelled.MaxIdleTime.String(), "1h0m0s")
	equal(t, "of the others", a.MaxIdleTime.String(), "5m0s")
	if shared("shop-a", nil) != a {
		t.Error("an app of a rule has properties of its own after one with a label")
	}
	front, other := shared("x-front", nil), shared("y-front", nil)
	equal(t, "of a pattern's group", front.LinkedApps[0].Name+", "+other.LinkedApps[0].Name, "x-back, y-back")
}
