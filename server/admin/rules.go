package admin

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

type ruleDocument struct {
	Where      string            `json:"where"`
	Pattern    string            `json:"pattern"`
	Properties map[string]string `json:"properties"`
	LinkedApps []string          `json:"linked_apps"`
	Matches    []string          `json:"matches"`
}

// rules answers with the rules in force, and with the apps that each matches.
func (a *Admin) rules(c echo.Context) error {
	inv, set := a.registry.Inventory(), a.registry.Rules()
	matches := map[string][]string{} // :: place of a rule → apps
	for _, e := range inv.Definitions {
		for _, m := range e.Matches {
			matches[m.Origin] = append(matches[m.Origin], e.Name)
		}
	}
	all := []ruleDocument{}
	for _, r := range set.Rules() {
		all = append(all, ruleDocument{
			Where: r.Origin, Pattern: r.Pattern, Properties: r.Properties,
			LinkedApps: list(r.LinkedApps), Matches: list(matches[r.Origin]),
		})
	}
	return c.JSON(http.StatusOK, struct {
		Rules    []ruleDocument `json:"rules"`
		Warnings []string       `json:"warnings"`
	}{all, list(append(inv.RuleWarnings(set), inv.Problems().Texts()...))})
}
