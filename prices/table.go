package prices

import "strings"

// Table has the prices of providers, by their IDs. The nil Table has none.
type Table map[string]List

// List has the prices of one provider.
type List struct {
	sizes map[string]Price // by their names in small letters
	all   *Price           // of a container of any other size; nil: there is none
}

// Price is what a container of a size costs at a provider, whose names do not depend on capitals.
// False: that is not known.
func (t Table) Price(provider, size string) (Price, bool) {
	list := t[provider]
	if p, known := list.sizes[strings.ToLower(size)]; known {
		return p, true
	}
	if list.all != nil {
		return *list.all, true
	}
	return Price{}, false
}

// Has reports whether there is some price of a provider.
func (t Table) Has(provider string) bool {
	list := t[provider]
	return list.all != nil || len(list.sizes) > 0
}
