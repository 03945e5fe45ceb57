package admin

import (
	"net/http"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/paastis/paastis/prices"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/rules"
)

// priced gives the room prices.
func (r *room) priced(t *testing.T, text string) {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		t.Fatal(err)
	}
	w, err := prices.Parse("paastis.yml", node.Content[0])
	if err != nil {
		t.Fatal(err)
	}
	table, err := w.Table(map[string]string{"played": "played"}, func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	defaults := rules.Defaults()
	defaults.MaxIdleTime = 10 * time.Minute
	r.registry.Reload(inventory.Settings{Defaults: defaults, Middleware: "paastis", Throttle: 2 * time.Second, Prices: table})
}

func TestWhatSleepAvoidsIsToldOfEachAppAndOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop").Awake(), asleep("blog").Awake(), asleep("cold"))
		r.priced(t, "played: {M: 0.02 EUR, S: 0.01 USD}")
		r.Bill("shop", provider.Part{Type: "web", Size: "M", Amount: 2}, provider.Part{Type: "worker", Size: "S", Amount: 1})
		r.Bill("blog", provider.Part{Size: "XL", Amount: 1})
		time.Sleep(15 * time.Minute)
		var app struct{ Since time.Time }
		decode(t, r.order("GET", "/api/v1/apps/shop"), &app)
		time.Sleep(time.Until(app.Since.Add(time.Hour)))
		var l struct {
			Apps []struct {
				Name    string
				Avoided avoidedDocument
			}
			Totals struct{ Avoided avoidedDocument }
		}
		w := r.order("GET", "/api/v1/apps")
		decode(t, w, &l)
		m, s := "0.02 EUR", "0.01 USD"
		shop := avoidedDocument{Since: &app.Since, Hours: 3, Cost: []amountDocument{{"EUR", "0.0400"}, {"USD", "0.0100"}}, Sizes: []avoidedSizeDocument{
			{"played", "M", 2, &m}, {"played", "S", 1, &s},
		}}
		blog := avoidedDocument{Since: &app.Since, Hours: 1, Cost: []amountDocument{}, Sizes: []avoidedSizeDocument{{"played", "XL", 1, nil}}}
		all := avoidedDocument{Since: &app.Since, Hours: 4, Cost: shop.Cost, Sizes: []avoidedSizeDocument{shop.Sizes[0], shop.Sizes[1], blog.Sizes[0]}}
		none := avoidedDocument{Cost: []amountDocument{}, Sizes: []avoidedSizeDocument{}}
		for n, want := range []avoidedDocument{blog, none, shop} {
			if got := l.Apps[n].Avoided; !reflect.DeepEqual(got, want) {
				t.Errorf("%s has avoided %+v, want %+v", l.Apps[n].Name, got, want)
			}
		}
		if !reflect.DeepEqual(l.Totals.Avoided, all) || w.Code != http.StatusOK {
			t.Errorf("all have avoided %+v, want %+v", l.Totals.Avoided, all)
		}
	})
}
