package heroku

import (
	"cmp"
	"slices"
	"strings"
)

// web is the process type that visitors come to. It alone is reached by the router.
const web = "web"

// of is a process type. Nil: it is not listed, which does not say that there is none: some have
// seen formations without the types that are scaled to none.
func (f formation) of(kind string) *process {
	i := slices.IndexFunc(f, func(p process) bool { return p.Type == kind })
	if i < 0 {
		return nil
	}
	return &f[i]
}

// quantity is that of a process type.
func (f formation) quantity(kind string) int {
	if p := f.of(kind); p != nil {
		return p.Quantity
	}
	return 0
}

// running are the process types that are to have dynos.
func (f formation) running() formation {
	return slices.DeleteFunc(slices.Clone(f), func(p process) bool { return p.Quantity == 0 })
}

// isEco reports whether Heroku puts the app to sleep by itself: its web is on an eco dyno
// (help.heroku.com/Q8OBM85C: a worker sleeps with it, and never without).
func (f formation) isEco() bool {
	p := f.of(web)
	return p != nil && p.Quantity > 0 && isEco(p.Size)
}

// isEco reports whether a size is that of eco dynos, however it is written.
func isEco(size string) bool { return strings.EqualFold(size, "eco") }

// sorted are the process types by name.
func (f formation) sorted() formation {
	slices.SortFunc(f, func(a, b process) int { return strings.Compare(a.Type, b.Type) })
	return f
}

// toNone is what scales all that run to none.
func (f formation) toNone() []change {
	var all []change
	for _, p := range f.running() {
		all = append(all, change{Type: p.Type})
	}
	return all
}

// restored is what scales the process types as they are kept. One whose size is another than it
// was was given that by somebody since: it keeps it.
func (f formation) restored(kept formation) []change {
	var all []change
	for _, p := range kept {
		c := change{Type: p.Type, Quantity: p.Quantity}
		if now := f.of(p.Type); p.Size != "" && (now == nil || now.Size == "" || strings.EqualFold(now.Size, p.Size)) {
			c.Size = &sized{p.Size}
		}
		all = append(all, c)
	}
	return all
}

// ordered is what process types are after an order.
func ordered(changes []change) formation {
	var f formation
	for _, c := range changes {
		p := process{Type: c.Type, Quantity: c.Quantity}
		if c.Size != nil {
			p.Size = c.Size.Name
		}
		f = append(f, p)
	}
	return f
}

// with is the formation after some process types were scaled.
func (f formation) with(scaled formation) formation {
	all := slices.Clone(f)
	for _, p := range scaled {
		if now := all.of(p.Type); now != nil {
			p.Size = cmp.Or(p.Size, now.Size)
			*now = p
		} else {
			all = append(all, p)
		}
	}
	return all.sorted()
}

// isSameAs reports whether two formations have the same dynos.
func (f formation) isSameAs(o formation) bool {
	return slices.EqualFunc(f.running().sorted(), o.running().sorted(), func(a, b process) bool {
		return a.Type == b.Type && a.Quantity == b.Quantity && strings.EqualFold(a.Size, b.Size)
	})
}
