package traefik

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/traefik/paerser/parser"
)

// Traefik refuses a whole configuration for one thing in it that its YAML parser does
// not take.
const (
	maxKey   = 1000 // bytes of a key as JSON; the parser takes 1024 characters
	maxDepth = 100  // of what plugins are told; the parser takes 10,000
	// listMark is what Traefik's decoder joins lists with on its way, and then splits at.
	listMark = "║"
)

// kind is what a value of Traefik's configuration is.
type kind int

const (
	text     kind = iota
	truth         // as strconv.ParseBool reads it
	number        // of 64 bits
	duration      // or a number of seconds
	list          // of texts, which labels separate by commas
	byText        // named texts
	byNumber      // named numbers
	object        // with fields
	objects       // a list of them
	plugins       // named objects of any form
	ignored       // Traefik does not take it from labels, nor mind that it is there
)

// field is a place in Traefik's configuration that labels can fill.
type field struct {
	// name as Traefik's documentation writes it. Labels may have it in any case.
	name string
	// label is another name for it in labels. Empty: there is none.
	label  string
	kind   kind
	fields []field // of an object, or of each of several
	// since is the Traefik that knows it first. Empty: 3.6.12 does.
	since string
	// bare tells that an object may be there without a field: "tls=true".
	bare bool
}

// fieldsOf makes fields of the same kind.
func fieldsOf(kind kind, names ...string) []field {
	fields := make([]field, len(names))
	for i, name := range names {
		fields[i] = field{name: name, kind: kind}
	}
	return fields
}

func objectOf(name string, fields ...[]field) []field {
	return []field{{name: name, kind: object, fields: slices.Concat(fields...)}}
}

func bareObjectOf(name string, fields ...[]field) []field {
	return []field{{name: name, kind: object, fields: slices.Concat(fields...), bare: true}}
}

func objectsOf(name string, fields ...[]field) []field {
	return []field{{name: name, kind: objects, fields: slices.Concat(fields...)}}
}

// newer makes fields those that no Traefik before a version knows.
func newer(since string, fields []field) []field {
	for i := range fields {
		fields[i].since = since
	}
	return fields
}

// reading turns labels into values for JSON, and keeps those that Traefik cannot read.
type reading struct {
	unread  []string // labels whose values cannot be read
	unknown []string // labels that no Traefik that Paastis knows has
	newer   []string // labels that only one later than 3.6.12 has
}

// refuse notes a label. What refuse returns is that of a value that is not there.
func (r *reading) refuse(path string) (any, bool) {
	r.unread = append(r.unread, path)
	return nil, false
}

// object reads the fields that are there. Those that Traefik cannot read are left out.
func (r *reading) object(fields []field, node *parser.Node, path string) map[string]any {
	values := make(map[string]any)
	for _, child := range node.Children {
		at := joined(path, child.Name)
		place := slices.IndexFunc(fields, func(f field) bool { return f.is(child.Name) })
		if place < 0 {
			r.unknown = append(r.unknown, at)
			continue
		}
		if fields[place].since != "" {
			r.newer = append(r.newer, at)
		}
		if value, there := r.value(fields[place], child, at); there {
			values[fields[place].name] = value
		}
	}
	return values
}

// is tells whether labels call the field so.
func (f field) is(name string) bool {
	if f.label != "" {
		return strings.EqualFold(f.label, name)
	}
	return strings.EqualFold(f.name, name)
}

// value is false for one that is not there as far as Traefik is concerned, or that it
// cannot read.
func (r *reading) value(f field, node *parser.Node, path string) (any, bool) {
	switch f.kind {
	case ignored:
		return nil, false
	case object:
		return r.objectOrNone(f, node, path)
	case objects:
		return r.objects(f, node, path), true
	case list:
		return r.list(node, path)
	case byText:
		return r.texts(node, path)
	case byNumber:
		return r.numbers(node, path)
	case plugins:
		return r.plugins(node, path)
	}
	if len(node.Children) > 0 {
		return r.refuse(path)
	}
	return r.scalar(f.kind, node.Value, path)
}

func (r *reading) scalar(kind kind, value, path string) (any, bool) {
	switch kind {
	case truth:
		if truth, err := strconv.ParseBool(value); err == nil {
			return truth, true
		}
	case number:
		if number, err := strconv.ParseInt(value, 10, 64); err == nil {
			return number, true
		}
	case duration:
		_, err := time.ParseDuration(value)
		if _, seconds := strconv.ParseInt(value, 10, 64); err == nil || seconds == nil {
			return value, true
		}
	default:
		return value, true
	}
	return r.refuse(path)
}

// objectOrNone is for an object that stands alone.
func (r *reading) objectOrNone(f field, node *parser.Node, path string) (any, bool) {
	if len(node.Children) == 0 && !f.bare {
		return r.refuse(path)
	}
	values := r.object(f.fields, node, path)
	if f.bare && node.Value != "" && !strings.EqualFold(node.Value, "true") {
		return nil, false // "tls=false" wins over "tls.options"
	}
	return values, f.bare || len(values) > 0
}

func (r *reading) objects(f field, node *parser.Node, path string) any {
	list := make([]any, 0, len(node.Children)) // none is [], not null
	for _, child := range node.Children {
		list = append(list, r.object(f.fields, child, joined(path, child.Name)))
	}
	return list
}

// list takes no account of "middlewares[0]", as Traefik does.
func (r *reading) list(node *parser.Node, path string) (any, bool) {
	for _, child := range node.Children {
		if len(child.Children) > 0 {
			return r.refuse(path)
		}
	}
	if strings.Contains(node.Value, listMark) {
		return r.refuse(path)
	}
	if node.Value == "" {
		return []string{}, true
	}
	values := strings.Split(node.Value, ",")
	for i := range values {
		values[i] = strings.TrimSpace(values[i])
	}
	return values, true
}

func (r *reading) texts(node *parser.Node, path string) (any, bool) {
	values := make(map[string]any)
	for _, child := range node.Children {
		r.flatten(values, child.Name, child, path)
	}
	if len(values) == 0 {
		return r.refuse(path)
	}
	return values, true
}

// flatten puts names with dots together again.
func (r *reading) flatten(values map[string]any, name string, node *parser.Node, path string) {
	for _, child := range node.Children {
		r.flatten(values, name+"."+child.Name, child, path)
	}
	if len(node.Children) > 0 {
		return
	}
	if !isKey(name) {
		r.refuse(joined(path, name))
		return
	}
	values[name] = node.Value
}

func (r *reading) numbers(node *parser.Node, path string) (any, bool) {
	values := make(map[string]any)
	for _, child := range node.Children {
		at := joined(path, child.Name)
		if !isKey(child.Name) {
			r.refuse(at)
		} else if value, there := r.scalar(number, child.Value, at); there {
			values[child.Name] = value
		}
	}
	if len(values) == 0 {
		return r.refuse(path)
	}
	return values, true
}

// plugins are told whatever labels say, as texts.
func (r *reading) plugins(node *parser.Node, path string) (any, bool) {
	values := make(map[string]any)
	for _, child := range node.Children {
		at := joined(path, child.Name)
		if !isKey(child.Name) {
			r.refuse(at)
		} else if len(child.Children) == 0 {
			values[child.Name] = map[string]any{}
		} else if told, named := r.anything(child, at, 1).(map[string]any); named {
			values[child.Name] = told
		} else {
			r.refuse(at)
		}
	}
	if len(values) == 0 {
		return r.refuse(path)
	}
	return values, true
}

func (r *reading) anything(node *parser.Node, path string, depth int) any {
	if len(node.Children) == 0 {
		if strings.Contains(node.Value, listMark) {
			r.refuse(path)
		}
		return node.Value
	}
	if depth > maxDepth {
		r.refuse(path)
		return ""
	}
	if isIndex(node.Children[0].Name) {
		return r.anythings(node, path, depth)
	}
	values := make(map[string]any)
	for _, child := range node.Children {
		if !isKey(child.Name) || isIndex(child.Name) {
			r.refuse(joined(path, child.Name))
		}
		values[child.Name] = r.anything(child, joined(path, child.Name), depth+1)
	}
	return values
}

// anythings are either texts or not: Traefik's decoder loses texts among others.
func (r *reading) anythings(node *parser.Node, path string, depth int) any {
	leaves := len(node.Children[0].Children) == 0
	var values []any
	for _, child := range node.Children {
		at := joined(path, child.Name)
		if (len(child.Children) == 0) != leaves {
			r.refuse(at)
		}
		values = append(values, r.anything(child, at, depth+1))
	}
	return values
}

// isKey tells whether Traefik's YAML parser takes the name as a key of JSON.
func isKey(name string) bool {
	if len(name) <= maxKey/6 { // a byte is \u0000 at most
		return true
	}
	var w writer
	w.value(name)
	return len(escaped(w.Bytes())) <= maxKey
}

func isIndex(name string) bool {
	return strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]")
}

func joined(path, name string) string {
	if isIndex(name) {
		return path + name
	}
	return path + "." + name
}
