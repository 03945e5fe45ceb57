// Package prices is what containers cost: a price per provider and size, as paastis.yml has them,
// and sums of them that are exact, since people compare them with a bill. No price is built in.
package prices

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// Price is what one container costs in an hour. Its zero value is none.
type Price struct {
	hourly   *big.Rat // nobody changes it
	currency string
}

// written is a price: at most nine digits before the point and twelve behind it, and the three
// letters that ISO 4217 has for a currency.
var written = regexp.MustCompile(`^([0-9]{1,9}(?:\.[0-9]{1,12})?)\s+([A-Z]{3})$`)

// New reads a price such as "0.02 EUR".
func New(text string) (Price, error) {
	parts := written.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil {
		return Price{}, fmt.Errorf("%q is no price; write what an hour costs and the currency's three letters, such as 0.02 EUR", text)
	}
	hourly, _ := new(big.Rat).SetString(parts[1]) // it is a decimal number: see written
	return Price{hourly, parts[2]}, nil
}

// String is the price as it may be written.
func (p Price) String() string {
	if p.hourly == nil {
		return ""
	}
	digits, _ := p.hourly.FloatPrec() // it is exact
	return p.hourly.FloatString(digits) + " " + p.currency
}

// hour is one in milliseconds.
const hour = 60 * 60 * 1000

// of is what a container costs in so many milliseconds.
func (p Price) of(milliseconds int64) *big.Rat {
	return new(big.Rat).Mul(p.hourly, big.NewRat(milliseconds, hour))
}
