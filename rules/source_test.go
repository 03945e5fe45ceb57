package rules

import (
	"fmt"
	"testing"
)

func TestRulesAreToldAsTheyAreWritten(t *testing.T) {
	s, err := ParseFile("paastis.yml", []byte(`
rules:
  - pattern: '(.*)-front'
    app_max_idle_time: 5
    linked_apps: ['$1-back', {name: '$1-db', condition: started, optional: true}]
    enable: false
  - {pattern: all, keep_awake: [Mon-Fri 08:00-19:00 UTC]}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := "[{paastis.yml:3 (.*)-front map[enable:false max_idle_time:5m0s] [$1-back $1-db:started?]}" +
		" {paastis.yml:7 all map[keep_awake:Mon-Fri 08:00-19:00 UTC] []}]"
	if got := fmt.Sprint(s.Rules()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := (*Set)(nil).Rules(); got != nil {
		t.Errorf("no rules are %v", got)
	}
}
