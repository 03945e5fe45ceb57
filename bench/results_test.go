package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFiguresAreOneSortedObjectALineEach(t *testing.T) {
	r := &Results{}
	r.Set("b.two", 2)
	r.Samples("b.samples", []float64{1.5, 2})
	r.Set("a.one", 0.000123456789)
	r.note("machine", `2 "cores"`)
	const want = `{
  "a.one": 0.000123457,
  "b.samples": [1.5, 2],
  "b.two": 2,
  "machine": "2 \"cores\""
}
`
	if got := string(r.encode()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var read map[string]any
	if err := json.Unmarshal(r.encode(), &read); err != nil {
		t.Error(err)
	}
}

func TestNumbersHaveSixDigitsAndNoPowerOfTen(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1", -2.5: "-2.5", 1234567: "1234570", 10_000_000: "10000000", 0.98765432: "0.987654",
		1e-9: "0.000000001", math.NaN(): "null", math.Inf(1): "null",
	} {
		if got := number(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}

func TestMergeKeepsWhatIsNotMeasuredAnew(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.json")
	first, second := &Results{}, &Results{}
	first.Set("old.figure", 1)
	first.Set("both.figure", 1)
	first.Samples("old.samples", []float64{1, 2})
	second.Set("both.figure", 2)
	for _, r := range []*Results{first, second} {
		if _, err := merge(file, r); err != nil {
			t.Fatal(err)
		}
	}
	const want = "{\n  \"both.figure\": 2,\n  \"old.figure\": 1,\n  \"old.samples\": [1, 2]\n}\n"
	if got := read(t, file); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFileThatIsNoJSONIsLeftAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.json")
	write(t, file, "mine")
	if _, err := merge(file, &Results{}); err == nil || read(t, file) != "mine" {
		t.Errorf("error %v, file %q", err, read(t, file))
	}
}

func TestSectionReplacesItselfAndNothingElse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	write(t, file, "before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n<!-- soak -->\nx\n<!-- end of soak -->\n")
	for range 2 {
		if err := section(file, "figures", "new\n"); err != nil {
			t.Fatal(err)
		}
	}
	want := "before\n<!-- figures -->\nnew\n<!-- end of figures -->\nafter\n<!-- soak -->\nx\n<!-- end of soak -->\n"
	if got := read(t, file); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := section(file, "more", "added\n"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, file); got != want+"\n<!-- more -->\nadded\n<!-- end of more -->\n" {
		t.Errorf("got %q", got)
	}
}

func TestSectionWithoutAnEndIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	write(t, file, "<!-- figures -->\nall the rest\n")
	if err := section(file, "figures", "new\n"); err == nil || !strings.Contains(read(t, file), "all the rest") {
		t.Errorf("error %v, file %q", err, read(t, file))
	}
}

func TestTableHasFiguresOnly(t *testing.T) {
	r := &Results{}
	r.Set("a.ratio", 0.95)
	r.Samples("a.samples", []float64{1})
	r.note("machine", "2 cores")
	if got := r.table(); !strings.Contains(got, "| `a.ratio` | 0.95 |\n") || strings.Contains(got, "samples") || strings.Contains(got, "machine") {
		t.Error(got)
	}
}

func TestPercentileIsBetweenTwoSamplesInProportion(t *testing.T) {
	samples := []float64{4, 1, 3, 2}
	for percent, want := range map[float64]float64{0: 1, 50: 2.5, 75: 3.25, 100: 4} {
		if got := percentile(samples, percent); got != want {
			t.Errorf("%v %% is %v, want %v", percent, got, want)
		}
	}
	if samples[0] != 4 {
		t.Error("the samples were sorted")
	}
	if got := median([]float64{7}); got != 7 {
		t.Error(got)
	}
	if !math.IsNaN(median(nil)) {
		t.Error("nothing has a median")
	}
}

func TestPartsAreChosenByName(t *testing.T) {
	all := []Part{{Name: "auth"}, {Name: "scale"}, {Name: "wake"}}
	for names, want := range map[string]string{"": "auth scale wake", "wake auth": "auth wake", "scale": "scale"} {
		chosen, err := choose(all, strings.Fields(names))
		var got []string
		for _, p := range chosen {
			got = append(got, p.Name)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q, %v", names, got, err)
		}
	}
	if _, err := choose(all, []string{"auht"}); err == nil {
		t.Error("a part that is none was chosen")
	}
}

func TestPartThatFailsLeavesItsOldFigures(t *testing.T) {
	results, readme := filepath.Join(t.TempDir(), "results.json"), filepath.Join(t.TempDir(), "README.md")
	value, fails := 1.0, error(nil)
	p := Part{Name: "x", Run: func(_ context.Context, r *Results) error {
		r.Set("x.figure", value)
		return fails
	}}
	if err := p.record(t.Context(), results, readme, t.Output()); err != nil {
		t.Fatal(err)
	}
	value, fails = 2, errors.New("no engine")
	if err := p.record(t.Context(), results, readme, t.Output()); !errors.Is(err, fails) {
		t.Fatal(err)
	}
	if got := read(t, results); !strings.Contains(got, `"x.figure": 1`) {
		t.Error(got)
	}
	if got := read(t, readme); !strings.Contains(got, "| `x.figure` | 1 |") {
		t.Error(got)
	}
}

func TestUnknownPartAndFlagAreUsageErrors(t *testing.T) {
	for _, arg := range []string{"-nonsense", "nonsense"} {
		flags := flag.NewFlagSet("bench", flag.ContinueOnError)
		flags.SetOutput(t.Output())
		if code := run(t.Context(), flags, []string{arg}, t.Output(), t.Output()); code != 2 {
			t.Errorf("%s: exit code %d", arg, code)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
