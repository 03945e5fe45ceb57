package scalingo

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// amountAndSize is how an event may tell both: "2:L", "2 x L", "2".
var amountAndSize = regexp.MustCompile(`^\s*(\d+)(?:[\s:x×*]+([0-9A-Za-z-]+))?\s*$`)

// spelledPart is a part as an event tells it.
func spelledPart(name string, value any) (part, error) {
	switch v := value.(type) {
	case float64:
		return part{Name: name, Amount: int(v)}, nil
	case string:
		if m := amountAndSize.FindStringSubmatch(v); m != nil {
			amount, err := strconv.Atoi(m[1])
			return part{Name: name, Amount: amount, Size: m[2]}, err
		}
	}
	return part{}, fmt.Errorf("read a formation: %s is %v", name, value)
}

func sortParts(parts []part) {
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.Name, b.Name) })
}

// runs reports whether the parts are more than nothing.
func runs(parts []part) bool {
	return slices.ContainsFunc(parts, func(p part) bool { return p.Amount > 0 })
}

// alike reports whether both scale the same types to the same amounts, whatever the sizes are.
func alike(a, b []part) bool { return slices.Equal(amounts(a), amounts(b)) }

// amounts are the parts that are not 0, sorted, without their sizes.
func amounts(parts []part) []part {
	var some []part
	for _, p := range parts {
		if p.Amount > 0 {
			some = append(some, part{Name: p.Name, Amount: p.Amount})
		}
	}
	sortParts(some)
	return some
}

// some are the parts that are not 0.
func some(parts []part) []part {
	return slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return p.Amount == 0 })
}

// withoutSizes leaves the sizes to Scalingo, which keeps those of what is scaled to 0: whoever has
// changed one meanwhile has his way.
func withoutSizes(parts []part) []part {
	without := slices.Clone(parts)
	for i := range without {
		without[i].Size = ""
	}
	return without
}

func hasType(parts []part, name string) bool {
	return slices.ContainsFunc(parts, func(p part) bool { return p.Name == name })
}

// toNone scales every type of the parts to 0.
func toNone(parts []part) []part {
	none := make([]part, 0, len(parts))
	for _, p := range parts {
		none = append(none, part{Name: p.Name})
	}
	return none
}

// told are the parts for people: "web:2:L worker:1:M".
func told(parts []part) string {
	var texts []string
	for _, p := range parts {
		text := p.Name + ":" + strconv.Itoa(p.Amount)
		if p.Size != "" {
			text += ":" + p.Size
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

// kept is what outlives Paastis of an app that sleeps.
type kept struct {
	// Version is that of the form; see keptVersion.
	Version int `json:"v"`
	// Containers are the types of containers with their amounts and sizes, sorted.
	Containers []part `json:"containers"`
	// Autoscalers are the IDs of those that were on, sorted.
	Autoscalers []string `json:"autoscalers,omitempty"`
}

const keptVersion = 1

// write is the text that is kept.
func (k kept) write() ([]byte, error) {
	k.Version = keptVersion
	sortParts(k.Containers)
	slices.Sort(k.Autoscalers)
	return json.Marshal(k)
}

// readKept reads what write wrote, in this version or in an earlier one.
func readKept(text []byte) (kept, error) {
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return kept{}, fmt.Errorf("read what is kept: %w", err)
	}
	switch {
	case k.Version > keptVersion:
		return kept{}, fmt.Errorf("read what is kept: it is of version %d, of a later Paastis", k.Version)
	case !runs(k.Containers):
		return kept{}, errors.New("read what is kept: it has no containers")
	}
	return k, nil
}
