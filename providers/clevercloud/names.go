package clevercloud

import (
	"cmp"
	"slices"
)

// names gives each app the name by which it is known: the one that its owner gave it. Names need
// not be unique at Clever Cloud; of several apps of one name it is the oldest's, and the others are
// known by their ids, as is one without a name, or that is called as an app's id. So an app that is
// made later takes nobody's name.
func names(all map[string]*app) map[string]*app {
	byAge := make([]*app, 0, len(all))
	for _, a := range all {
		byAge = append(byAge, a)
	}
	slices.SortFunc(byAge, func(a, b *app) int {
		return cmp.Or(cmp.Compare(a.age(), b.age()), cmp.Compare(a.id, b.id))
	})
	named := make(map[string]*app, len(all))
	for _, a := range byAge {
		_, isID := all[a.name]
		if a.name == "" || isID || named[a.name] != nil {
			named[a.id] = a
			continue
		}
		named[a.name] = a
	}
	return named
}

// age sorts apps: the oldest first, and one whose age is not known last.
func (a *app) age() uint64 { return uint64(a.created - 1) }
