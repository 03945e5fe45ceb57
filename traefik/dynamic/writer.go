package dynamic

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// entry is a part of the configuration.
type entry struct {
	name  string
	value any
}

// writer writes JSON on one line.
type writer struct{ bytes.Buffer }

// part is left out if it has no entries.
func (w *writer) part(name string, entries []entry) {
	if len(entries) == 0 {
		return
	}
	w.value(name)
	w.WriteString(":{")
	for _, e := range entries {
		w.value(e.name)
		w.WriteByte(':')
		w.value(e.value)
		w.WriteByte(',')
	}
	w.closed()
	w.WriteByte(',')
}

// closed ends an object, after whose last field there may be a comma.
func (w *writer) closed() {
	if bytes.HasSuffix(w.Bytes(), []byte(",")) {
		w.Truncate(w.Len() - 1)
	}
	w.WriteByte('}')
}

// value is for those that cannot fail.
func (w *writer) value(value any) {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("encode %T: %v", value, err))
	}
	w.Truncate(w.Len() - 1) // the end of the line
}
