package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
	kindText     kind = iota
	kindBool          // as strconv.ParseBool reads it
	kindNumber        // of 64 bits
	kindDuration      // or a number of seconds
	kindList          // of texts, which labels separate by commas
	kindTexts         // named texts
	kindNumbers       // named numbers
	kindObject        // with fields
	kindObjects       // a list of them
	kindPlugins       // named objects of any form
	kindIgnored       // Traefik does not take it from labels, nor mind that it is there
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
	// bare reports whether an object may be there without a field: "tls=true".
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
	return []field{{name: name, kind: kindObject, fields: slices.Concat(fields...)}}
}

func bareObjectOf(name string, fields ...[]field) []field {
	return []field{{name: name, kind: kindObject, fields: slices.Concat(fields...), bare: true}}
}

func objectsOf(name string, fields ...[]field) []field {
	return []field{{name: name, kind: kindObjects, fields: slices.Concat(fields...)}}
}

// newer makes fields those that no Traefik before a version knows.
func newer(since string, fields []field) []field {
	for i := range fields {
		fields[i].since = since
	}
	return fields
}

// decoder turns labels into values for JSON, and keeps those that Traefik cannot read.
type decoder struct {
	invalid []string // labels whose values cannot be read
	unknown []string // labels that no Traefik that Paastis knows has
	newer   []string // labels that only one later than 3.6.12 has
}

// refuse notes a label. What refuse returns is that of a value that is not there.
func (d *decoder) refuse(path string) (any, bool) {
	d.invalid = append(d.invalid, path)
	return nil, false
}

// object reads the fields that are there. Those that Traefik cannot read are left out.
func (d *decoder) object(fields []field, node *parser.Node, path string) map[string]any {
	values := make(map[string]any)
	for _, child := range node.Children {
		at := joined(path, child.Name)
		place := slices.IndexFunc(fields, func(f field) bool { return f.is(child.Name) })
		if place < 0 {
			d.unknown = append(d.unknown, at)
			continue
		}
		if fields[place].since != "" {
			d.newer = append(d.newer, at)
		}
		if value, there := d.value(fields[place], child, at); there {
			values[fields[place].name] = value
		}
	}
	return values
}

// is reports whether labels call the field so.
func (f field) is(name string) bool {
	if f.label != "" {
		return strings.EqualFold(f.label, name)
	}
	return strings.EqualFold(f.name, name)
}

// value is false for one that is not there as far as Traefik is concerned, or that it
// cannot read.
func (d *decoder) value(f field, node *parser.Node, path string) (any, bool) {
	switch f.kind {
	case kindIgnored:
		return nil, false
	case kindObject:
		return d.objectOrNone(f, node, path)
	case kindObjects:
		return d.objects(f, node, path), true
	case kindList:
		return d.list(node, path)
	case kindTexts:
		return d.texts(node, path)
	case kindNumbers:
		return d.numbers(node, path)
	case kindPlugins:
		return d.plugins(node, path)
	}
	if len(node.Children) > 0 {
		return d.refuse(path)
	}
	return d.scalar(f.kind, node.Value, path)
}

func (d *decoder) scalar(kind kind, value, path string) (any, bool) {
	switch kind {
	case kindBool:
		if set, err := strconv.ParseBool(value); err == nil {
			return set, true
		}
	case kindNumber:
		if number, err := strconv.ParseInt(value, 10, 64); err == nil {
			return number, true
		}
	case kindDuration:
		_, err := time.ParseDuration(value)
		if _, seconds := strconv.ParseInt(value, 10, 64); err == nil || seconds == nil {
			return value, true
		}
	default:
		return value, true
	}
	return d.refuse(path)
}

// objectOrNone is for an object that stands alone.
func (d *decoder) objectOrNone(f field, node *parser.Node, path string) (any, bool) {
	if len(node.Children) == 0 && !f.bare {
		return d.refuse(path)
	}
	values := d.object(f.fields, node, path)
	if f.bare && node.Value != "" && !strings.EqualFold(node.Value, "true") {
		return nil, false // "tls=false" wins over "tls.options"
	}
	return values, f.bare || len(values) > 0
}

func (d *decoder) objects(f field, node *parser.Node, path string) any {
	list := make([]any, 0, len(node.Children)) // none is [], not null
	for _, child := range node.Children {
		list = append(list, d.object(f.fields, child, joined(path, child.Name)))
	}
	return list
}

// list takes no account of "middlewares[0]", as Traefik does.
func (d *decoder) list(node *parser.Node, path string) (any, bool) {
	for _, child := range node.Children {
		if len(child.Children) > 0 {
			return d.refuse(path)
		}
	}
	if strings.Contains(node.Value, listMark) {
		return d.refuse(path)
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

func (d *decoder) texts(node *parser.Node, path string) (any, bool) {
	values := make(map[string]any)
	for _, child := range node.Children {
		d.flatten(values, child.Name, child, path)
	}
	if len(values) == 0 {
		return d.refuse(path)
	}
	return values, true
}

// flatten puts names with dots together again.
func (d *decoder) flatten(values map[string]any, name string, node *parser.Node, path string) {
	for _, child := range node.Children {
		d.flatten(values, name+"."+child.Name, child, path)
	}
	if len(node.Children) > 0 {
		return
	}
	if !IsKey(name) {
		d.refuse(joined(path, name))
		return
	}
	values[name] = node.Value
}

func (d *decoder) numbers(node *parser.Node, path string) (any, bool) {
	values := make(map[string]any)
	for _, child := range node.Children {
		at := joined(path, child.Name)
		if !IsKey(child.Name) {
			d.refuse(at)
		} else if value, there := d.scalar(kindNumber, child.Value, at); there {
			values[child.Name] = value
		}
	}
	if len(values) == 0 {
		return d.refuse(path)
	}
	return values, true
}

// plugins are told whatever labels say, as texts.
func (d *decoder) plugins(node *parser.Node, path string) (any, bool) {
	values := make(map[string]any)
	for _, child := range node.Children {
		at := joined(path, child.Name)
		if !IsKey(child.Name) {
			d.refuse(at)
		} else if len(child.Children) == 0 {
			values[child.Name] = map[string]any{}
		} else if told, named := d.anything(child, at, 1).(map[string]any); named {
			values[child.Name] = told
		} else {
			d.refuse(at)
		}
	}
	if len(values) == 0 {
		return d.refuse(path)
	}
	return values, true
}

func (d *decoder) anything(node *parser.Node, path string, depth int) any {
	if len(node.Children) == 0 {
		if strings.Contains(node.Value, listMark) {
			d.refuse(path)
		}
		return node.Value
	}
	if depth > maxDepth {
		d.refuse(path)
		return ""
	}
	if isIndex(node.Children[0].Name) {
		return d.anythings(node, path, depth)
	}
	values := make(map[string]any)
	for _, child := range node.Children {
		if !IsKey(child.Name) || isIndex(child.Name) {
			d.refuse(joined(path, child.Name))
		}
		values[child.Name] = d.anything(child, joined(path, child.Name), depth+1)
	}
	return values
}

// anythings are either texts or not: Traefik's decoder loses texts among others.
func (d *decoder) anythings(node *parser.Node, path string, depth int) any {
	leaves := len(node.Children[0].Children) == 0
	var values []any
	for _, child := range node.Children {
		at := joined(path, child.Name)
		if (len(child.Children) == 0) != leaves {
			d.refuse(at)
		}
		values = append(values, d.anything(child, at, depth+1))
	}
	return values
}

// IsKey reports whether Traefik's YAML parser takes the name as a key of JSON.
func IsKey(name string) bool {
	if len(name) <= maxKey/6 { // a byte is \u0000 at most
		return true
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(name); err != nil {
		return false
	}
	return len(Escaped(b.Bytes()))-1 <= maxKey // without the end of the line
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

// Escaped is JSON that Traefik can read as YAML, which does not take some characters as
// they are.
func Escaped(body []byte) []byte {
	if !slices.ContainsFunc(body, func(b byte) bool { return b >= 0x7f }) {
		return body
	}
	var all []byte
	for _, char := range string(body) {
		if char >= 0x7f && char <= 0x9f || char == 0xfeff || char == 0xfffe || char == 0xffff {
			all = fmt.Appendf(all, `\u%04x`, char)
		} else {
			all = utf8.AppendRune(all, char)
		}
	}
	return all
}
