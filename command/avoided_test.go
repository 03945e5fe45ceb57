package command

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/paastis/paastis/client"
)

func TestStatusTellsWhatWasNotRunAndWhatThatIsWorth(t *testing.T) {
	now, _ := time.Parse(time.RFC3339, noon)
	for text, want := range map[string]string{
		`{"since":null,"container_hours":0,"cost":[],"sizes":[]}`:                                                                             "",
		`{"since":"2026-07-01T08:00:00Z","container_hours":12345.67,"cost":[],"sizes":[{"provider":"docker","size":"","hourly_price":null}]}`: "12,345.7 container hours since 2026-07-01 08:00",
		`{"since":"2026-07-30T08:00:00Z","container_hours":2,"cost":[{"currency":"EUR","amount":"1234.5650"},{"currency":"USD","amount":"0.0049"}],
		  "sizes":[{"provider":"paris","size":"M","hourly_price":"0.02 EUR"},{"provider":"paris","size":"3XL","hourly_price":null},{"provider":"docker","size":"","hourly_price":null}]}`: "2.0 container hours since 08:00:00, worth 1234.57 EUR and 0.00 USD (no price: paris 3XL, docker)",
	} {
		var a client.Avoided
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Fatal(err)
		}
		if got := avoidedText(a, now); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}
