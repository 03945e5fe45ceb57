package paastest

import "maps"

// AddFields is a change that puts fields into every object, which nobody knows today. They
// replace none.
func AddFields(fields map[string]any) func(any) any {
	return func(value any) any {
		return everyObject(value, func(object map[string]any) {
			more := maps.Clone(fields)
			maps.Copy(more, object)
			maps.Copy(object, more)
		})
	}
}

// Retype is a change of the type of all fields of that name, at any depth: a text becomes an
// object, all else a text or a list.
func Retype(field string) func(any) any {
	return func(value any) any {
		return everyObject(value, func(object map[string]any) {
			if was, there := object[field]; there {
				object[field] = retyped(was)
			}
		})
	}
}

// Drop is a change that leaves out all fields of that name, at any depth.
func Drop(field string) func(any) any {
	return func(value any) any {
		return everyObject(value, func(object map[string]any) { delete(object, field) })
	}
}

// Replace is a change of the value of all fields of that name, at any depth.
func Replace(field string, by any) func(any) any {
	return func(value any) any {
		return everyObject(value, func(object map[string]any) {
			if _, there := object[field]; there {
				object[field] = by
			}
		})
	}
}

func retyped(value any) any {
	switch v := value.(type) {
	case string:
		return map[string]any{"value": v}
	case map[string]any, nil:
		return []any{v}
	default:
		return "changed"
	}
}

// everyObject calls change with every object in the value, the innermost first, and returns the
// value.
func everyObject(value any, change func(map[string]any)) any {
	switch v := value.(type) {
	case map[string]any:
		for _, part := range v {
			everyObject(part, change)
		}
		change(v)
	case []any:
		for _, part := range v {
			everyObject(part, change)
		}
	}
	return value
}
