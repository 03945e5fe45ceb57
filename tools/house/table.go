package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// printTables writes the figures of one house, or of two side by side, the older first.
func printTables(w io.Writer, houses []house, top int) {
	last := houses[len(houses)-1]
	columns := []string{"now"}
	if len(houses) == 2 {
		columns = []string{"before", "now"}
	}
	section(w, "figure", columns, func(row func(string, ...string)) {
		for _, f := range figures {
			row(f.name, each(houses, f.of)...)
		}
	})
	section(w, "methods of a type, and their files", columns, func(row func(string, ...string)) {
		for _, name := range names(houses, top, func(h house) []typeSize { return h.types }, func(t typeSize) string { return t.name }) {
			row(name, each(houses, func(h house) string { return h.sizeOf(name) })...)
		}
	})
	section(w, "fields written from two files or more, and from another than the struct's", columns, func(row func(string, ...string)) {
		for _, name := range names(houses, top, func(h house) []structUse { return h.structs }, func(s structUse) string { return s.name }) {
			row(name, each(houses, func(h house) string { return h.sharedOf(name) })...)
		}
	})
	section(w, "such fields, with their files", nil, func(row func(string, ...string)) {
		for _, s := range last.structs[:min(top, len(last.structs))] {
			for _, f := range s.shared() {
				row(s.name, f.name, strings.Join(f.files, " "))
			}
		}
	})
	section(w, "longest functions, in lines", []string{"now"}, func(row func(string, ...string)) {
		for _, f := range last.functions[:min(top, len(last.functions))] {
			row(f.name, fmt.Sprint(f.lines))
		}
	})
	section(w, "longest files, in lines", []string{"now"}, func(row func(string, ...string)) {
		for _, f := range last.files[:min(top, len(last.files))] {
			row(f.path, fmt.Sprint(f.lines))
		}
	})
	section(w, "exported without a comment", nil, func(row func(string, ...string)) {
		for _, name := range last.bare {
			row(name)
		}
	})
	section(w, "room", []string{"files", "lines", "imports"}, func(row func(string, ...string)) {
		for _, r := range last.rooms {
			row(r.path, fmt.Sprint(r.files), fmt.Sprint(r.lines), strings.Join(r.imports, " "))
		}
	})
}

// section writes a table. It is left out if it has no row.
func section(w io.Writer, title string, columns []string, rows func(row func(string, ...string))) {
	var body strings.Builder
	rows(func(first string, rest ...string) {
		fmt.Fprintln(&body, strings.Join(append([]string{first}, rest...), "\t"))
	})
	if body.Len() == 0 {
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(append([]string{strings.ToUpper(title)}, columns...), "\t"))
	io.WriteString(table, body.String())
	table.Flush()
	fmt.Fprintln(w)
}

// figures are the lines of the first table.
var figures = []struct {
	name string
	of   func(house) string
}{
	{"methods of the largest type", func(h house) string {
		return first(h.types, func(t typeSize) string { return t.name + " " + t.String() })
	}},
	{"types with more than 30 methods", func(h house) string { return count(h.types, func(t typeSize) bool { return t.methods > 30 }) }},
	{"structs with fields written from two files", func(h house) string {
		return count(h.structs, func(s structUse) bool { return len(s.shared()) > 0 })
	}},
	{"fields written from two files or more", func(h house) string { return h.sum(structUse.shared) }},
	{"fields written from another file than their struct's", func(h house) string { return h.sum(structUse.outside) }},
	{"functions, median lines", func(h house) string { return fmt.Sprintf("%d, %d", len(h.functions), h.median()) }},
	{"longest function", func(h house) string {
		return first(h.functions, func(f function) string { return fmt.Sprintf("%s %d", f.name, f.lines) })
	}},
	{"functions of more than 60 lines", func(h house) string { return count(h.functions, func(f function) bool { return f.lines > 60 }) }},
	{"longest file", func(h house) string {
		return first(h.files, func(f file) string { return fmt.Sprintf("%s %d", f.path, f.lines) })
	}},
	{"documented exports", func(h house) string { return fmt.Sprintf("%d of %d", h.exported-len(h.bare), h.exported) }},
	{"rooms, imports between them", func(h house) string { return fmt.Sprintf("%d, %d", len(h.rooms), h.arrows()) }},
	{"README, lines and kB", func(h house) string { return fmt.Sprintf("%d, %d", h.readme.lines, (h.readme.bytes+500)/1000) }},
}

func (t typeSize) String() string {
	return fmt.Sprintf("%d in %d %s", t.methods, t.files, plural(t.files, "file"))
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

func (h house) sizeOf(name string) string {
	if i := slices.IndexFunc(h.types, func(t typeSize) bool { return t.name == name }); i >= 0 {
		return h.types[i].String()
	}
	return "-"
}

func (h house) sharedOf(name string) string {
	if i := slices.IndexFunc(h.structs, func(s structUse) bool { return s.name == name }); i >= 0 {
		s := h.structs[i]
		return fmt.Sprintf("%d, %d of %d", len(s.shared()), len(s.outside()), len(s.fields))
	}
	return "-"
}

func (h house) sum(fields func(structUse) []*fieldUse) string {
	n := 0
	for _, s := range h.structs {
		n += len(fields(s))
	}
	return fmt.Sprint(n)
}

// median returns the length of the function in the middle. 0: there is none.
func (h house) median() int {
	if len(h.functions) == 0 {
		return 0
	}
	return h.functions[len(h.functions)/2].lines
}

func (h house) arrows() int {
	n := 0
	for _, r := range h.rooms {
		n += len(r.imports)
	}
	return n
}

func first[T any](all []T, text func(T) string) string {
	if len(all) == 0 {
		return "-"
	}
	return text(all[0])
}

func count[T any](all []T, is func(T) bool) string {
	n := 0
	for _, x := range all {
		if is(x) {
			n++
		}
	}
	return fmt.Sprint(n)
}

func each(houses []house, text func(house) string) []string {
	var all []string
	for _, h := range houses {
		all = append(all, text(h))
	}
	return all
}

// names are the first of each house's list, those of the last house before others.
func names[T any](houses []house, top int, list func(house) []T, name func(T) string) []string {
	var all []string
	for _, h := range slices.Backward(houses) {
		for i, x := range list(h) {
			if i < top && !slices.Contains(all, name(x)) {
				all = append(all, name(x))
			}
		}
	}
	return all
}
