package rules

// Source is a rule as its author wrote it: references to groups stand as they are.
type Source struct {
	// Origin is the rule's place, as "paastis.yml:12".
	Origin  string
	Pattern string
	// Properties :: key → value, without linked_apps. Never nil.
	Properties map[string]string
	// LinkedApps as they are written in a label. Nil: none.
	LinkedApps []string
}

// Rules are the rules in the order of the file.
func (s *Set) Rules() []Source {
	if s == nil {
		return nil
	}
	var all []Source
	for _, r := range s.rules {
		all = append(all, s.source(r))
	}
	return all
}

func (s *Set) source(r rule) Source {
	w := Source{Origin: s.place(r.line), Pattern: r.pattern.String(), Properties: map[string]string{}}
	var values Properties
	for _, set := range r.sets {
		_ = set.property.set(&values, set.value, verbatim) // tried when it was read
		if set.property.Key != "linked_apps" {
			w.Properties[set.property.Key] = set.property.Text(values)
		}
	}
	for _, l := range values.LinkedApps {
		w.LinkedApps = append(w.LinkedApps, l.String())
	}
	return w
}
