package prices

import (
	"maps"
	"math/big"
	"slices"
)

// Sum is money, exactly: of each currency its own amount, for they cannot be added up. The zero
// Sum is none.
type Sum struct {
	amounts map[string]*big.Rat // by currency
}

// Amount is money of one currency.
type Amount struct {
	// Currency is its three letters: "EUR".
	Currency string
	// Value is a decimal number with four digits behind the point, the last of them rounded.
	Value string
}

// decimals is how many digits behind the point are told: those of a currency, and two more, so
// that what is added up of what is told comes out right.
const decimals = 4

// Add adds what a container costs in so many milliseconds.
func (s *Sum) Add(p Price, milliseconds int64) {
	if s.amounts == nil {
		s.amounts = map[string]*big.Rat{}
	}
	sum := s.amounts[p.currency]
	if sum == nil {
		sum = new(big.Rat)
		s.amounts[p.currency] = sum
	}
	sum.Add(sum, p.of(milliseconds))
}

// Amounts are those of all currencies, by their letters. Nil: there is none.
func (s Sum) Amounts() []Amount {
	var all []Amount
	for _, currency := range slices.Sorted(maps.Keys(s.amounts)) {
		all = append(all, Amount{currency, s.amounts[currency].FloatString(decimals)})
	}
	return all
}
