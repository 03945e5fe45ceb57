package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// module is one that has code in a binary. That of Go's standard library is "std".
type module struct {
	path, version string
	sum           string   // as in go.sum; empty for the standard library
	root          string   // its folder
	folders       []string // those of its packages that are linked, and their parents up to root
	licences      []string // SPDX identifiers, once licencesOf found them
}

// modules are those of a binary for a target, by path: as the binary itself lists them,
// with the folders that Go compiled.
func (s source) modules(ctx context.Context, t target, binary []byte) ([]module, error) {
	info, err := buildinfo.Read(bytes.NewReader(binary))
	if err != nil {
		return nil, fmt.Errorf("read the modules of the binary: %w", err)
	}
	listed, err := s.packages(ctx, t)
	if err != nil {
		return nil, err
	}
	goroot, err := output(ctx, s.root, nil, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	goroot = strings.TrimSpace(goroot)
	all := []module{{path: "std", version: strings.TrimPrefix(info.GoVersion, "go"), root: goroot, folders: []string{goroot}}}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			return nil, fmt.Errorf("module %s is replaced by %s: what is released has to be what its name says", dep.Path, dep.Replace.Path)
		}
		m := module{path: dep.Path, version: dep.Version, sum: dep.Sum}
		m.root, m.folders = folders(m.path, listed)
		if m.root == "" {
			return nil, fmt.Errorf("module %s: go list does not know it", m.path)
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.path, b.path) })
	return all, nil
}

// listedPackage is what go list tells of a package.
type listedPackage struct {
	Dir    string
	Module *struct{ Path, Dir string } // nil in the standard library
}

// packages are all that Paastis links for a target.
func (s source) packages(ctx context.Context, t target) ([]listedPackage, error) {
	text, err := output(ctx, s.root, t.environment(), "go", "list", "-deps", "-json=Dir,Module", ".")
	if err != nil {
		return nil, err
	}
	var all []listedPackage
	for d := json.NewDecoder(strings.NewReader(text)); ; {
		var p listedPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		all = append(all, p)
	}
}

// folders are a module's own, and those from its linked packages up to it, sorted. The
// root is empty if none of the packages is the module's.
func folders(path string, packages []listedPackage) (root string, all []string) {
	for _, p := range packages {
		if p.Module == nil || p.Module.Path != path {
			continue
		}
		root = p.Module.Dir
		for folder := p.Dir; len(folder) >= len(root); folder = filepath.Dir(folder) {
			all = append(all, folder)
		}
	}
	slices.Sort(all)
	return root, slices.Compact(all)
}
