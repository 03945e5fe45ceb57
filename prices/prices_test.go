package prices

import (
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// parse reads prices, which stand at the top of a file.
func parse(t *testing.T, text string) (Written, error) {
	t.Helper()
	var document struct {
		Prices yaml.Node `yaml:"prices"`
	}
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return Parse("paastis.yml", &document.Prices)
}

// tableOf is the table of two providers: "shops" and "attic", which are of a type each.
func tableOf(t *testing.T, text string) (Table, error) {
	t.Helper()
	w, err := parse(t, text)
	if err != nil {
		return nil, err
	}
	return w.Table(map[string]string{"shops": "scalingo", "attic": "docker"}, func(kind string) bool {
		return slices.Contains([]string{"docker", "heroku", "scalingo"}, kind)
	})
}

func TestAPriceIsFoundByTheNameOfAProviderBeforeItsType(t *testing.T) {
	table, err := tableOf(t, `
prices:
  scalingo: {S: 0.01 EUR, m: 0.02 EUR}
  shops: {M: 0.015 EUR}
  docker: 0.001 CHF
  heroku: {eco: 0.005 USD}
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ provider, size, want string }{
		{"shops", "S", "0.01 EUR"}, {"shops", "M", "0.015 EUR"}, {"shops", "XL", ""}, {"shops", "", ""},
		{"attic", "", "0.001 CHF"}, {"attic", "any", "0.001 CHF"}, {"gone", "S", ""}, {"heroku", "Eco", "0.005 USD"},
	} {
		p, known := table.Price(c.provider, c.size)
		if p.String() != c.want || known != (c.want != "") {
			t.Errorf("%s %s costs %q (%t), want %q", c.provider, c.size, p, known, c.want)
		}
	}
	if !table.Has("shops") || table.Has("gone") {
		t.Error("it is not known who has prices")
	}
}

func TestOnePriceUnderAProvidersNameIsThatOfAllItsSizes(t *testing.T) {
	table, err := tableOf(t, "prices: {scalingo: {S: 0.01 EUR}, shops: 0.02 EUR}")
	if p, _ := table.Price("shops", "S"); err != nil || p.String() != "0.02 EUR" {
		t.Errorf("it costs %s, %v", p, err)
	}
}

func TestAFaultyPriceIsToldByItsLine(t *testing.T) {
	const cure = "; write what an hour costs and the currency's three letters, such as 0.02 EUR"
	for text, want := range map[string]string{
		"prices: 3":                                        "paastis.yml:1: prices: expected names or types of providers, each with sizes and what they cost",
		"prices:\n  scalingo: 0.02":                        `paastis.yml:2: prices.scalingo: "0.02" is no price` + cure,
		"prices:\n  scalingo:\n    M: 0,02 EUR":            `paastis.yml:3: prices.scalingo.M: "0,02 EUR" is no price` + cure,
		"prices:\n  scalingo:\n    M: -1 EUR":              `paastis.yml:3: prices.scalingo.M: "-1 EUR" is no price` + cure,
		"prices:\n  scalingo:\n    M: 1 €":                 `paastis.yml:3: prices.scalingo.M: "1 €" is no price` + cure,
		"prices:\n  scalingo:\n    M: 1e3 EUR":             `paastis.yml:3: prices.scalingo.M: "1e3 EUR" is no price` + cure,
		"prices:\n  scalingo:\n    M: [1 EUR]":             "paastis.yml:3: prices.scalingo.M: expected a price such as 0.02 EUR",
		"prices:\n  scalingo:\n  - M: 1 EUR":               "paastis.yml:3: prices.scalingo: expected sizes and what they cost, or one price for all",
		"prices:\n  scalingo:\n    M: 1 EUR\n    m: 2 EUR": "paastis.yml:4: prices.scalingo.m stands there twice, whatever its capitals; leave one",
		"prices:\n  docker: 1 EUR\n  docker: 2 EUR":        "paastis.yml:3: prices.docker stands there twice; put its sizes together",
		"prices:\n  atic: 1 EUR":                           `paastis.yml:2: prices.atic: no provider is called so, nor is any of that type; did you mean "attic"?`,
		"prices:\n  nothing-like-it: 1 EUR":                "paastis.yml:2: prices.nothing-like-it: no provider is called so, nor is any of that type; there is attic, shops",
	} {
		if _, err := tableOf(t, text); err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestAllFaultsOfPricesAreTold(t *testing.T) {
	_, err := tableOf(t, "prices:\n  scalingo: {M: x, L: y}\n  docker: z\n")
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("told: %v", err)
	}
}

func TestNoPricesAreNoFault(t *testing.T) {
	for _, text := range []string{"", "prices:", "prices: {}", "prices: {scalingo: }"} {
		if table, err := tableOf(t, text); err != nil || table.Has("shops") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, known := Table(nil).Price("shops", "M"); known {
		t.Error("a table of nothing has a price")
	}
}

func TestSumsAreExact(t *testing.T) {
	var sum Sum
	p, err := New("0.1 EUR")
	if err != nil {
		t.Fatal(err)
	}
	for range 3_600_000 { // a ten millionth part and more of a cent each: nothing that can be rounded
		sum.Add(p, 1)
	}
	if got := sum.Amounts(); !slices.Equal(got, []Amount{{"EUR", "0.1000"}}) {
		t.Errorf("an hour costs %v", got)
	}
}

func TestThePriceOfAYearOfManyContainersIsExact(t *testing.T) {
	var sum Sum
	p, _ := New("123456789.123456789012 EUR")
	sum.Add(p, 500*10*365*24*hour)
	if got := sum.Amounts()[0].Value; got != "5407407363607407.3587" {
		t.Errorf("it is %s", got)
	}
}

func TestCurrenciesAreNotAddedUp(t *testing.T) {
	var sum Sum
	for _, text := range []string{"0.02 USD", "0.02 EUR", "0.03 EUR"} {
		p, _ := New(text)
		sum.Add(p, hour)
	}
	if got := sum.Amounts(); !slices.Equal(got, []Amount{{"EUR", "0.0500"}, {"USD", "0.0200"}}) {
		t.Errorf("it is %v", got)
	}
	if (Sum{}).Amounts() != nil {
		t.Error("nothing costs something")
	}
}
