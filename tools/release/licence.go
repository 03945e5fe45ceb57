package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// legal is the name of a file that the licence is in, or that it tells to pass on.
// grants is that of one that the licence of code is in.
var (
	legal  = regexp.MustCompile(`(?i)^((un)?licen[cs]e|copying|copyright|notice|patents|authors)([-._].*)?$`)
	grants = regexp.MustCompile(`(?i)^((un)?licen[cs]e|copying)([-._].*)?$`)
)

// licencesOf are the licence texts of modules, below licences/, with a list of them all.
// It notes each module's licences in it. A module without a licence that is known is an
// error: nobody may pass it on.
func licencesOf(modules []module) ([]file, error) {
	var all []file
	var list strings.Builder
	for i := range modules {
		m := &modules[i]
		texts, err := m.texts()
		if err != nil {
			return nil, err
		}
		for _, t := range texts {
			if grants.MatchString(path.Base(t.name)) && path.Ext(t.name) != ".docs" {
				m.licences = append(m.licences, known(t.body)...)
			}
		}
		slices.Sort(m.licences)
		if m.licences = slices.Compact(m.licences); len(m.licences) == 0 {
			return nil, fmt.Errorf("module %s %s: no licence that is known in %s", m.path, m.version, m.root)
		}
		all = append(all, texts...)
		fmt.Fprintf(&list, "%s %s: %s\n", m.path, m.version, strings.Join(m.licences, ", "))
	}
	all = append(all, file{name: "licences/MODULES", mode: 0o644, body: []byte(list.String())})
	slices.SortFunc(all, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// texts are the legal files in the folders of a module.
func (m module) texts() ([]file, error) {
	var all []file
	for _, folder := range m.folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || !legal.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
				continue
			}
			body, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				return nil, err
			}
			below, err := filepath.Rel(m.root, folder)
			if err != nil {
				return nil, err
			}
			all = append(all, file{name: path.Join("licences", m.path+"@"+m.version, filepath.ToSlash(below), e.Name()), mode: 0o644, body: body})
		}
	}
	return all, nil
}

// known are the SPDX identifiers of the licences in a text.
func known(text []byte) []string {
	var all []string
	for _, match := range licensecheck.Scan(text).Match {
		if !match.IsURL { // a mere pointer to a licence is none
			all = append(all, match.ID)
		}
	}
	return all
}
