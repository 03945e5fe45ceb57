package main

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// typeSizes returns the types of a package that have methods.
func typeSizes(pkg *packages.Package) []typeSize {
	methods := map[string]int{}
	files := map[string]map[string]bool{}
	var order []string
	for f, decl := range funcDecls(pkg) {
		receiver := receiverOf(decl)
		if receiver == "" {
			continue
		}
		if methods[receiver] == 0 {
			order = append(order, receiver)
			files[receiver] = map[string]bool{}
		}
		methods[receiver]++
		files[receiver][fileName(pkg, f)] = true
	}
	var sizes []typeSize
	for _, name := range order {
		sizes = append(sizes, typeSize{qualified(pkg, name), methods[name], len(files[name])})
	}
	return sizes
}

func functions(pkg *packages.Package) []function {
	var all []function
	for _, decl := range funcDecls(pkg) {
		if decl.Body == nil {
			continue
		}
		lines := pkg.Fset.Position(decl.End()).Line - pkg.Fset.Position(decl.Pos()).Line + 1
		all = append(all, function{qualified(pkg, funcName(decl)), lines})
	}
	return all
}

// funcDecls are the functions of a package, each with its file.
func funcDecls(pkg *packages.Package) func(yield func(*ast.File, *ast.FuncDecl) bool) {
	return func(yield func(*ast.File, *ast.FuncDecl) bool) {
		for _, f := range pkg.Syntax {
			for _, decl := range f.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok && !yield(f, fn) {
					return
				}
			}
		}
	}
}

// documented counts the exported names of a package, and returns those without a comment.
// Nobody imports a command, so it has none. A name in a group has the comment of the group.
func documented(pkg *packages.Package) (exported int, bare []string) {
	if pkg.Name == "main" {
		return 0, nil
	}
	take := func(name string, comments ...*ast.CommentGroup) {
		if !ast.IsExported(name[strings.LastIndex(name, ".")+1:]) {
			return
		}
		exported++
		if !slices.ContainsFunc(comments, func(c *ast.CommentGroup) bool { return c.Text() != "" }) {
			bare = append(bare, qualified(pkg, name))
		}
	}
	for _, f := range pkg.Syntax {
		for _, decl := range f.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if receiver := receiverOf(d); receiver == "" || ast.IsExported(receiver) {
					take(funcName(d), d.Doc)
				}
			case *ast.GenDecl:
				takeSpecs(d, take)
			}
		}
	}
	return exported, bare
}

func takeSpecs(d *ast.GenDecl, take func(string, ...*ast.CommentGroup)) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			take(s.Name.Name, d.Doc, s.Doc, s.Comment)
		case *ast.ValueSpec:
			for _, name := range s.Names {
				take(name.Name, d.Doc, s.Doc, s.Comment)
			}
		}
	}
}

// receiverOf returns the name of a method's type. Empty: it is a function.
func receiverOf(decl *ast.FuncDecl) string {
	if decl.Recv == nil || len(decl.Recv.List) == 0 {
		return ""
	}
	t := decl.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func funcName(decl *ast.FuncDecl) string {
	if receiver := receiverOf(decl); receiver != "" {
		return receiver + "." + decl.Name.Name
	}
	return decl.Name.Name
}

// qualified returns a name of a package as others write it. Packages with equal names are
// told apart by their folder.
func qualified(pkg *packages.Package, name string) string {
	if path := below(pkg); path != "." {
		return path + "." + name
	}
	return pkg.Name + "." + name
}

func fileName(pkg *packages.Package, f *ast.File) string { return baseName(pkg, f.FileStart) }

func baseName(pkg *packages.Package, at token.Pos) string {
	return filepath.Base(pkg.Fset.Position(at).Filename)
}
