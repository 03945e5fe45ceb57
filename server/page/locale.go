package page

import (
	"bytes"
	"embed"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/paastis/paastis/registry/reason"
	"golang.org/x/text/language"
	"gopkg.in/yaml.v3"
)

// english is the language of the registry itself, which has all reasons in it, and of who understands no other
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

	Refused string `yaml:"refused"` // a sentence of why a provider did not start it
	Pending string `yaml:"pending"` // a sentence of why it is not known whether one did

	Reasons map[string]string `yaml:"reasons"` // :: reason.Kind → text
}

// locale is a language that the page speaks.
type locale struct {
	code  string // BCP 47
	texts Texts
}

//go:embed texts/*.yml
var textFiles embed.FS

// locales are the languages that there are, English first, and who finds the one that a
// visitor understands best.
var locales = sync.OnceValues(func() ([]*locale, language.Matcher) {
	all, err := readLocales()
	if err != nil {
		panic(err) // the files are part of the program, and tested
	}
	var tags []language.Tag
	for _, t := range all {
		tags = append(tags, language.MustParse(t.code))
	}
	return all, language.NewMatcher(tags)
})

func readLocales() ([]*locale, error) {
	files, err := textFiles.ReadDir("texts")
	if err != nil {
		return nil, err
	}
	var all []*locale
	for _, file := range files {
		t, err := readLocale(file.Name())
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

func readLocale(name string) (*locale, error) {
	text, err := textFiles.ReadFile(path.Join("texts", name))
	if err != nil {
		return nil, err
	}
	t := &locale{code: strings.TrimSuffix(name, ".yml")}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	return t, d.Decode(&t.texts)
}

// localeFor is the language that a visitor understands best, by an Accept-Language; English
// if none is wanted that there is.
func localeFor(wish string) *locale {
	all, matcher := locales()
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
func (t *locale) duration(d time.Duration) string {
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

// reason is a reason in this language, and false if some of it is said in English only: by a
// provider, or as it was kept by a Paastis of before.
func (t *locale) reason(r reason.Reason) (string, bool) {
	if t.code == english {
		return r.String(), true
	}
	phrase, ok := t.phrase(r)
	if ok && r.Kind.OfProvider() && r.Pending {
		return fill(t.texts.Pending, "why", phrase), true
	}
	if ok && r.Kind.OfProvider() {
		return fill(t.texts.Refused, "why", phrase), true
	}
	if !ok {
		return r.String(), false
	}
	return phrase, true
}

// phrase is a reason as it stands in a sentence.
func (t *locale) phrase(r reason.Reason) (string, bool) {
	text, known := t.texts.Reasons[string(r.Kind)]
	if one := t.texts.Reasons[string(r.Kind)+oneOf]; one != "" && r.Count == 1 {
		text = one
	}
	if !known || r.Kind == reason.Earlier || r.Kind.OfProvider() && r.Text != "" {
		return "", false
	}
	var values []string
	for _, name := range []string{"app", "apps", "named", "n", "place", "code", "bytes", "percent", "until", "router", "text"} {
		values = append(values, name, r.Value(name))
	}
	values = append(values, "time", t.duration(r.For), "limit", t.duration(r.Limit))
	if r.Because != nil {
		why, ok := t.reason(*r.Because)
		refusal, _ := t.phrase(*r.Because)
		if !ok {
			return "", false
		}
		values = append(values, "why", why, "refusal", refusal)
	}
	return fill(text, values...), true
}

// oneOf ends the key of the text that a reason has if it counts one of something.
const oneOf = "_one"
