package command

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/paastis/paastis/client"
)

// avoidedText is what was not billed, and since when; empty if nothing was avoided.
func avoidedText(a client.Avoided, now time.Time) string {
	if a.Since == nil {
		return ""
	}
	text := fmt.Sprintf("%s container hours since %s", humanize.FormatFloat("#,###.#", a.Hours), moment(*a.Since, now))
	var cost []string
	for _, amount := range a.Cost {
		cost = append(cost, money(amount))
	}
	if cost == nil {
		return text
	}
	return text + ", worth " + strings.Join(cost, " and ") + withoutPrice(a.Sizes)
}

// money is an amount in hundredths: that is how a bill has it.
func money(a client.Amount) string {
	value, ok := new(big.Rat).SetString(string(a.Amount))
	if !ok {
		return string(a.Amount + " " + a.Currency)
	}
	return value.FloatString(2) + " " + string(a.Currency)
}

// withoutPrice says of what size the cost is not known; empty if all is.
func withoutPrice(sizes []client.AvoidedSize) string {
	var names []string
	for _, s := range sizes {
		if name := strings.TrimSpace(string(s.Provider + " " + s.Size)); s.Price == nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if names == nil {
		return ""
	}
	return " (no price: " + strings.Join(names, ", ") + ")"
}
