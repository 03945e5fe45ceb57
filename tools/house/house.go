package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// house is what one checkout measures.
type house struct {
	types     []typeSize // the largest first
	structs   []structUse
	functions []function // the longest first
	exported  int
	bare      []string // exported names without a doc comment
	rooms     []room
	files     []file // the longest first
	readme    file
}

// typeSize is how many methods a type declares, and in which files.
type typeSize struct {
	name    string // registry.Registry
	methods int
	files   int
}

// function is a function or method with a body, and its length in lines, signature and
// closing brace included.
type function struct {
	name  string
	lines int
}

// room is a package and what it imports of this module, both as paths below the module.
type room struct {
	path    string
	imports []string
	files   int
	lines   int
}

// file is a file of the checkout by its path from there.
type file struct {
	path  string
	lines int
	bytes int
}

// measure measures the checkout of a module.
func measure(dir string) (house, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return house{}, err
	}
	pkgs, err := load(dir)
	if err != nil {
		return house{}, err
	}
	var h house
	written := newWrites(pkgs)
	for _, pkg := range pkgs {
		h.types = append(h.types, typeSizes(pkg)...)
		h.functions = append(h.functions, functions(pkg)...)
		exported, bare := documented(pkg)
		h.exported, h.bare = h.exported+exported, append(h.bare, bare...)
		h.rooms = append(h.rooms, roomOf(pkg))
	}
	h.structs = written.structs()
	slices.SortStableFunc(h.types, func(a, b typeSize) int { return cmp.Compare(b.methods, a.methods) })
	slices.SortStableFunc(h.functions, func(a, b function) int { return cmp.Compare(b.lines, a.lines) })
	return h, h.readFiles(dir)
}

// load type-checks all packages of the module in dir, without their tests.
func load(dir string) ([]*packages.Package, error) {
	const mode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
		packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedModule
	pkgs, err := packages.Load(&packages.Config{Mode: mode, Dir: dir, Fset: token.NewFileSet()}, "./...")
	if err != nil {
		return nil, err
	}
	var faults []error
	for _, pkg := range pkgs {
		for _, e := range pkg.Errors {
			faults = append(faults, e)
		}
	}
	return pkgs, errors.Join(faults...)
}

// below returns a package's path without its module's. The module's own is ".".
func below(pkg *packages.Package) string { return cutModule(pkg, pkg.PkgPath) }

func cutModule(pkg *packages.Package, path string) string {
	if pkg.Module == nil {
		return path
	}
	if path == pkg.Module.Path {
		return "."
	}
	return strings.TrimPrefix(path, pkg.Module.Path+"/")
}

func roomOf(pkg *packages.Package) room {
	r := room{path: below(pkg), files: len(pkg.Syntax)}
	for _, f := range pkg.Syntax {
		r.lines += pkg.Fset.File(f.FileStart).LineCount()
	}
	for path := range pkg.Imports {
		if pkg.Module != nil && strings.HasPrefix(path, pkg.Module.Path+"/") {
			r.imports = append(r.imports, cutModule(pkg, path))
		}
	}
	slices.Sort(r.imports)
	return r
}

// written by hand are files with these names; generated ones, pictures and sums are not.
var writtenByHand = []string{".go", ".js", ".css", ".html", ".yml", ".yaml", ".md", ".tmpl"}

// readFiles counts the lines of all files that git knows and somebody has written.
func (h *house) readFiles(dir string) error {
	listed, err := exec.Command("git", "-C", dir, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return fmt.Errorf("list files with git: %w", err)
	}
	for path := range strings.SplitSeq(string(listed), "\x00") {
		if !slices.Contains(writtenByHand, filepath.Ext(path)) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			return err
		}
		f := file{path: path, lines: bytes.Count(data, []byte("\n")), bytes: len(data)}
		if path == "README.md" {
			h.readme = f
		}
		h.files = append(h.files, f)
	}
	slices.SortStableFunc(h.files, func(a, b file) int { return cmp.Compare(b.lines, a.lines) })
	return nil
}
