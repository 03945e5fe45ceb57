package main

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// writes are the structs of a module, and the files that write their fields.
//
// A write is an assignment to the field or to what it holds by index or pointer, ++ and --,
// delete, clear and copy, a field that a range fills, and a method of sync/atomic that stores.
// None are: the composite literal that makes the struct, and a call of the field's own methods.
type writes struct {
	fset   *token.FileSet
	all    []*structUse
	fields map[*types.Var]*fieldUse
}

// structUse is a struct, and what is known of its fields.
type structUse struct {
	name   string
	file   string // in which it is declared
	fields []*fieldUse
}

// fieldUse is a field of a struct, and the files in which it is written.
type fieldUse struct {
	name  string
	files []string
}

// shared returns the fields that are written in two files or more.
func (s structUse) shared() []*fieldUse {
	return s.which(func(f *fieldUse) bool { return len(f.files) > 1 })
}

// outside returns the fields that are written in another file than the struct's own.
func (s structUse) outside() []*fieldUse {
	return s.which(func(f *fieldUse) bool {
		return slices.ContainsFunc(f.files, func(name string) bool { return name != s.file })
	})
}

func (s structUse) which(is func(*fieldUse) bool) []*fieldUse {
	var found []*fieldUse
	for _, f := range s.fields {
		if is(f) {
			found = append(found, f)
		}
	}
	return found
}

func newWrites(pkgs []*packages.Package) *writes {
	w := &writes{fields: map[*types.Var]*fieldUse{}}
	for _, pkg := range pkgs {
		w.declare(pkg)
	}
	for _, pkg := range pkgs {
		for _, f := range pkg.Syntax {
			w.read(pkg, f)
		}
	}
	return w
}

// structs returns those with a field that is written in two files, the most such fields first.
func (w *writes) structs() []structUse {
	var found []structUse
	for _, s := range w.all {
		if len(s.shared())+len(s.outside()) > 0 {
			found = append(found, *s)
		}
	}
	slices.SortStableFunc(found, func(a, b structUse) int {
		return cmp.Or(cmp.Compare(len(b.shared()), len(a.shared())), cmp.Compare(len(b.outside()), len(a.outside())))
	})
	return found
}

// declare notes the structs that a package has at its top, with structs within them.
func (w *writes) declare(pkg *packages.Package) {
	for _, f := range pkg.Syntax {
		for _, decl := range f.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range d.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok {
					w.declareType(pkg, fileName(pkg, f), qualified(pkg, t.Name.Name), t.Type)
				}
			}
		}
	}
}

func (w *writes) declareType(pkg *packages.Package, file, name string, t ast.Expr) {
	s, ok := t.(*ast.StructType)
	if !ok {
		return
	}
	use := &structUse{name: name, file: file}
	for _, list := range s.Fields.List {
		for _, field := range fieldNames(list) {
			if v, ok := pkg.TypesInfo.Defs[field].(*types.Var); ok {
				w.fields[v] = &fieldUse{name: field.Name}
				use.fields = append(use.fields, w.fields[v])
			}
			w.declareType(pkg, file, name+"."+field.Name, list.Type)
		}
	}
	w.all = append(w.all, use)
}

// fieldNames are the names of a line of fields. An embedded one has its type's.
func fieldNames(list *ast.Field) []*ast.Ident {
	if len(list.Names) > 0 {
		return list.Names
	}
	t := list.Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.SelectorExpr:
			return []*ast.Ident{x.Sel}
		case *ast.Ident:
			return []*ast.Ident{x}
		default:
			return nil
		}
	}
}

// read finds the writes of a file.
func (w *writes) read(pkg *packages.Package, f *ast.File) {
	name := fileName(pkg, f)
	write := func(targets ...ast.Expr) {
		for _, target := range targets {
			w.note(pkg, name, target)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.AssignStmt:
			write(x.Lhs...)
		case *ast.IncDecStmt:
			write(x.X)
		case *ast.RangeStmt:
			write(x.Key, x.Value)
		case *ast.CallExpr:
			write(changedBy(pkg.TypesInfo, x))
		}
		return true
	})
}

// changedBy returns what a call of a builtin or of an atomic changes. Nil: nothing.
func changedBy(info *types.Info, call *ast.CallExpr) ast.Expr {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		if _, ok := info.Uses[fun].(*types.Builtin); ok && len(call.Args) > 0 && slices.Contains([]string{"delete", "clear", "copy"}, fun.Name) {
			return call.Args[0]
		}
	case *ast.SelectorExpr:
		if method, ok := info.Uses[fun.Sel].(*types.Func); ok && stores(method) {
			return fun.X
		}
	}
	return nil
}

// stores reports whether a method of sync/atomic changes its receiver.
func stores(method *types.Func) bool {
	if method.Pkg() == nil || method.Pkg().Path() != "sync/atomic" || method.Signature().Recv() == nil {
		return false
	}
	return !strings.HasPrefix(method.Name(), "Load")
}

// note takes down that a file writes what target selects, if that is a field.
func (w *writes) note(pkg *packages.Package, file string, target ast.Expr) {
	for target != nil {
		switch x := target.(type) {
		case *ast.ParenExpr:
			target = x.X
		case *ast.IndexExpr:
			target = x.X
		case *ast.SliceExpr:
			target = x.X
		case *ast.StarExpr:
			target = x.X
		case *ast.SelectorExpr:
			w.noteField(pkg.TypesInfo.Uses[x.Sel], file)
			return
		default:
			return
		}
	}
}

func (w *writes) noteField(used types.Object, file string) {
	v, ok := used.(*types.Var)
	if !ok {
		return
	}
	if use := w.fields[v.Origin()]; use != nil && !slices.Contains(use.files, file) {
		use.files = append(use.files, file)
		slices.Sort(use.files)
	}
}
