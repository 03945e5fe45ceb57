package registry

// sparse is a value that few apps have at a time: where it is zero it takes next to no room. The
// zero sparse is that of the zero value.
type sparse[T interface{ IsZero() bool }] struct {
	value *T // nobody changes it; nil: zero
}

// get is the value.
func (r sparse[T]) get() T {
	if r.value == nil {
		var zero T
		return zero
	}
	return *r.value
}

// set makes it another one.
func (r *sparse[T]) set(value T) {
	if r.value = nil; !value.IsZero() {
		r.value = &value
	}
}

// isZero reports whether it is zero.
func (r sparse[T]) isZero() bool { return r.value == nil }
