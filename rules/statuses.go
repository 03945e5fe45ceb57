package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Statuses are those of HTTP with which an app may answer. The zero value: none.
type Statuses []StatusRange

// StatusRange is all statuses from one to another, both included.
type StatusRange struct{ From, To int }

// signsOfLife are the statuses of an app that serves: it answers, leads elsewhere, or wants
// to know who asks.
const signsOfLife = "200-399,401,403"

// Has reports whether a status is one of them.
func (s Statuses) Has(status int) bool {
	return slices.ContainsFunc(s, func(r StatusRange) bool { return r.From <= status && status <= r.To })
}

// String is the statuses as they are written in rules: "200-399,401".
func (s Statuses) String() string {
	var parts []string
	for _, r := range s {
		part := strconv.Itoa(r.From)
		if r.To != r.From {
			part += "-" + strconv.Itoa(r.To)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ",")
}

func setProbeStatus(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	statuses, err := parseStatuses(text)
	if err == nil {
		p.ProbeStatus = statuses
	}
	return err
}

// parseStatuses reads "200-399,401".
func parseStatuses(text string) (Statuses, error) {
	var statuses Statuses
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		from, errFrom := strconv.Atoi(strings.TrimSpace(first))
		to, errTo := strconv.Atoi(strings.TrimSpace(last))
		if errFrom != nil || errTo != nil || from < 100 || to > 599 || from > to {
			return nil, fmt.Errorf("%q: %q is neither a status of HTTP nor a range of them; write 200-399,401", text, part)
		}
		statuses = append(statuses, StatusRange{from, to})
	}
	return statuses, nil
}

func setProbeScheme(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	if text != "http" && text != "https" {
		return fmt.Errorf("%q is unknown; write http or https", text)
	}
	p.ProbeScheme = text
	return nil
}

func setProbeHost(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	if text == "" || strings.ContainsAny(text, "/@?# \t\r\n") {
		return fmt.Errorf("%q is no host; write shop.example.com, or with a port", text)
	}
	p.ProbeHost = text
	return nil
}
