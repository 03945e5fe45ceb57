package registry

// rare is a value that few apps have at a time: where it is zero it takes next to no room. The
// zero rare is that of the zero value.
type rare[T interface{ IsZero() bool }] struct {
	value *T // nobody changes it; nil: zero
}

// get is the value.
func (r rare[T]) get() T {
	if r.value == nil {
		var zero T
		return zero
	}
	return *r.value
}

// set makes it another one.
func (r *rare[T]) set(value T) {
	if r.value = nil; !value.IsZero() {
		r.value = &value
	}
}

// isZero reports whether it is zero.
func (r rare[T]) isZero() bool { return r.value == nil }
