package server

import (
	"bytes"
	"embed"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"
	"gopkg.in/yaml.v3"
)

// english is the language of the registry's sentences, and of who understands no other
// that there is.
const english = "en"

// longestWish bounds what is read of an Accept-Language.
const longestWish = 200

// Texts are what the waiting page says in one language: a file in texts/. In braces is
// what is to be filled in.
type Texts struct {
	TitleWaking  string `yaml:"title_waking"`
	TitleReady   string `yaml:"title_ready"`
	TitleFailed  string `yaml:"title_failed"`
	TitleStopped string `yaml:"title_stopped"`

	Waking string `yaml:"waking"`
	Ready  string `yaml:"ready"`
	Failed string `yaml:"failed"`

	Usually string `yaml:"usually"`
	Unknown string `yaml:"unknown"`
	Overdue string `yaml:"overdue"`

	FormWaking string `yaml:"form_waking"`
	FormWaits  string `yaml:"form_waits"`
	FormReady  string `yaml:"form_ready"`

	Retry string `yaml:"retry"` // a button
	Back  string `yaml:"back"`  // a button
	Steps string `yaml:"steps"` // names the list of linked apps
	Logs  string `yaml:"logs"`  // names the log lines
	More  string `yaml:"more"`

	Queued     string `yaml:"queued"`
	Starting   string `yaml:"starting"`
	Healthy    string `yaml:"healthy"`
	StepFailed string `yaml:"step_failed"`
	Skipped    string `yaml:"skipped"`

	Second  string `yaml:"second"`
	Seconds string `yaml:"seconds"`
	Minute  string `yaml:"minute"`
	Minutes string `yaml:"minutes"`
	Hour    string `yaml:"hour"`
	Hours   string `yaml:"hours"`

	Reasons map[string]string `yaml:"reasons"` // :: key → sentence of the registry
}

// tongue is a language that the page speaks.
type tongue struct {
	code  string // BCP 47
	texts Texts
}

//go:embed texts/*.yml
var textFiles embed.FS

// tongues are the languages that there are, English first, and who finds the one that a
// visitor understands best.
var tongues = sync.OnceValues(func() ([]*tongue, language.Matcher) {
	all, err := readTongues()
	if err != nil {
		panic(err) // the files are part of the program, and tested
	}
	var tags []language.Tag
	for _, t := range all {
		tags = append(tags, language.MustParse(t.code))
	}
	return all, language.NewMatcher(tags)
})

func readTongues() ([]*tongue, error) {
	files, err := textFiles.ReadDir("texts")
	if err != nil {
		return nil, err
	}
	var all []*tongue
	for _, file := range files {
		t, err := readTongue(file.Name())
		if err != nil {
			return nil, fmt.Errorf("texts/%s: %w", file.Name(), err)
		}
		if t.code == english {
			all = slices.Insert(all, 0, t)
		} else {
			all = append(all, t)
		}
	}
	return all, nil
}

func readTongue(name string) (*tongue, error) {
	text, err := textFiles.ReadFile(path.Join("texts", name))
	if err != nil {
		return nil, err
	}
	t := &tongue{code: strings.TrimSuffix(name, ".yml")}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	return t, d.Decode(&t.texts)
}

// tongueFor is the language that a visitor understands best, by an Accept-Language; English
// if none is wanted that there is.
func tongueFor(wish string) *tongue {
	all, matcher := tongues()
	if len(wish) > longestWish {
		wish = wish[:longestWish]
		wish = wish[:max(strings.LastIndexByte(wish, ','), 0)]
	}
	wanted, _, err := language.ParseAcceptLanguage(wish)
	if err != nil {
		return all[0]
	}
	_, at, _ := matcher.Match(wanted...)
	return all[at]
}

// fill puts values into a text, given as name, value, name, value.
func fill(text string, values ...string) string {
	for i := range values {
		if i%2 == 0 {
			values[i] = "{" + values[i] + "}"
		}
	}
	return strings.NewReplacer(values...).Replace(text)
}

// duration is a time in words, of whole seconds and at least one.
func (t *tongue) duration(d time.Duration) string {
	d = max(d.Round(time.Second), time.Second)
	var words []string
	for _, unit := range []struct {
		of        time.Duration
		one, many string
	}{
		{time.Hour, t.texts.Hour, t.texts.Hours}, {time.Minute, t.texts.Minute, t.texts.Minutes}, {time.Second, t.texts.Second, t.texts.Seconds},
	} {
		n := d / unit.of
		d -= n * unit.of
		switch {
		case n == 1:
			words = append(words, unit.one)
		case n > 1:
			words = append(words, fill(unit.many, "n", strconv.Itoa(int(n))))
		}
	}
	return strings.Join(words, " ")
}

// reason is a sentence of the registry's in this language, and false if it is one that is
// said in English only: it has been made by a provider.
func (t *tongue) reason(sentence string) (string, bool) {
	if t.code == english {
		return sentence, true
	}
	for _, known := range sentences() {
		parts := known.pattern.FindStringSubmatch(sentence)
		if parts == nil {
			continue
		}
		var values []string
		for i, name := range known.pattern.SubexpNames()[1:] {
			value, ok := t.part(name, parts[i+1])
			if !ok {
				return sentence, false
			}
			values = append(values, name, value)
		}
		return fill(t.texts.Reasons[known.key], values...), true
	}
	return sentence, false
}

// part is what fills a sentence of the registry's, in this language.
func (t *tongue) part(name, value string) (string, bool) {
	switch name {
	case "reason", "why":
		return t.reason(value)
	case "time":
		d, err := time.ParseDuration(value)
		return t.duration(d), err == nil
	default:
		return value, true
	}
}

// sentence is one of the registry's: its key in Texts.Reasons, and what it looks like.
type sentence struct {
	key     string
	pattern *regexp.Regexp
}

var placeholder = regexp.MustCompile(`\\\{(\w+)\\\}`)

// sentences are those of the registry's that are known, the most exact first.
var sentences = sync.OnceValue(func() []sentence {
	all, _ := tongues()
	var known []sentence
	for key, text := range all[0].texts.Reasons {
		pattern := placeholder.ReplaceAllString(regexp.QuoteMeta(text), `(?P<$1>.+?)`)
		known = append(known, sentence{key, regexp.MustCompile(`(?s)^` + pattern + `$`)})
	}
	slices.SortFunc(known, func(a, b sentence) int {
		if n := a.pattern.NumSubexp() - b.pattern.NumSubexp(); n != 0 {
			return n
		}
		return strings.Compare(a.key, b.key)
	})
	return known
})
