package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Results are figures by dotted keys such as wake.static_ms_p50. The zero value is
// empty. It may be used by many at once.
type Results struct {
	mu     sync.Mutex
	values map[string]json.RawMessage // :: key → a number, a list of numbers, or a fact in words
}

// Set keeps a figure, to six digits.
func (r *Results) Set(key string, value float64) { r.keep(key, number(value)) }

// Samples keeps what a figure was made of; its key is by custom that of the figure or of
// its group, and ".samples".
func (r *Results) Samples(key string, samples []float64) {
	texts := make([]string, 0, len(samples))
	for _, s := range samples {
		texts = append(texts, number(s))
	}
	r.keep(key, "["+strings.Join(texts, ", ")+"]")
}

// note keeps a fact in words.
func (r *Results) note(key, text string) {
	quoted, _ := json.Marshal(text) // no string is refused
	r.keep(key, string(quoted))
}

func (r *Results) keep(key, value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values == nil {
		r.values = map[string]json.RawMessage{}
	}
	r.values[key] = json.RawMessage(value)
}

// encode is one object with sorted keys, a line for each.
func (r *Results) encode() []byte {
	var b bytes.Buffer
	b.WriteString("{")
	for i, key := range slices.Sorted(maps.Keys(r.values)) {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "\n  %q: %s", key, r.values[key])
	}
	b.WriteString("\n}\n")
	return b.Bytes()
}

// lines are the figures for people, without samples.
func (r *Results) lines() string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(r.values)) {
		if value := string(r.values[key]); value[0] != '[' {
			fmt.Fprintf(&b, "  %-40s %s\n", key, value)
		}
	}
	return b.String()
}

// table is the figures as Markdown, without samples and facts.
func (r *Results) table() string {
	var b strings.Builder
	b.WriteString("| figure | |\n|---|---:|\n")
	for _, key := range slices.Sorted(maps.Keys(r.values)) {
		if value := string(r.values[key]); value[0] != '[' && value[0] != '"' {
			fmt.Fprintf(&b, "| `%s` | %s |\n", key, value)
		}
	}
	return b.String()
}

// merge puts results into a file, over those of the same keys, and returns all that are
// in it now.
func merge(file string, r *Results) (*Results, error) {
	all := &Results{values: map[string]json.RawMessage{}}
	old, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(old, &all.values); err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
	}
	maps.Copy(all.values, r.values)
	return all, os.WriteFile(file, all.encode(), 0o644)
}

// section replaces a part of a document, or adds it. Comments in the document say where
// it begins and ends.
func section(file, name, text string) error {
	begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->\n"
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	before, rest, found := strings.Cut(string(old), begin)
	_, after, closed := strings.Cut(rest, end)
	if found && !closed {
		return fmt.Errorf("%s: %q is not followed by %q", file, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	if !found && before != "" {
		before += "\n"
	}
	return os.WriteFile(file, []byte(before+begin+text+end+after), 0o644)
}

// number writes six digits, and no power of ten.
func number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "null"
	}
	if v != 0 {
		scale := math.Pow(10, 5-math.Floor(math.Log10(math.Abs(v))))
		v = math.Round(v*scale) / scale
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// machine says what the figures were taken on.
func machine() string {
	return fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// median is the middle of samples, which it leaves as they are; NaN of none.
func median(samples []float64) float64 { return percentile(samples, 50) }

// percentile is the value below which so many percent of the samples are, between two of
// them in proportion. It leaves them as they are; NaN of none.
func percentile(samples []float64, percent float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(samples))
	place := percent / 100 * float64(len(sorted)-1)
	below := int(place)
	if below+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[below] + (place-float64(below))*(sorted[below+1]-sorted[below])
}
