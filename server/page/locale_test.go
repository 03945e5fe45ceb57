package page

import (
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/registry/reason/reasontest"
	"github.com/paastis/paastis/registry/registrytest"
	"github.com/paastis/paastis/rules"
)

// textsOf are all texts of a language by their keys.
func textsOf(t *locale) map[string]string {
	all := map[string]string{}
	v := reflect.ValueOf(t.texts)
	for i := range v.NumField() {
		if text, is := v.Field(i).Interface().(string); is {
			all[v.Type().Field(i).Name] = text
		}
	}
	return all
}

func TestEachLanguageSaysTheSame(t *testing.T) {
	all, _ := locales()
	if len(all) < 2 || all[0].code != "en" {
		t.Fatalf("%d languages, the first is %s", len(all), all[0].code)
	}
	placeholder := regexp.MustCompile(`\{\w+\}`)
	english := textsOf(all[0])
	for _, in := range all {
		texts := textsOf(in)
		if got, want := slices.Sorted(maps.Keys(texts)), slices.Sorted(maps.Keys(english)); !slices.Equal(got, want) {
			t.Errorf("%s has the keys %q, want %q", in.code, got, want)
		}
		for key, text := range texts {
			got, want := placeholder.FindAllString(text, -1), placeholder.FindAllString(english[key], -1)
			slices.Sort(got)
			slices.Sort(want)
			if text == "" || !slices.Equal(got, want) {
				t.Errorf("%s: %s: %q has %q, want %q", in.code, key, text, got, want)
			}
		}
	}
}

func TestDurationsAreInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                     "1 second, 1 seconde",
		1400 * time.Millisecond:               "1 second, 1 seconde",
		12 * time.Second:                      "12 seconds, 12 secondes",
		time.Minute:                           "1 minute, 1 minute",
		90 * time.Second:                      "1 minute 30 seconds, 1 minute 30 secondes",
		2*time.Hour + 3*time.Minute:           "2 hours 3 minutes, 2 heures 3 minutes",
		59*time.Second + 900*time.Millisecond: "1 minute, 1 minute",
	} {
		if got := localeFor("en").duration(d) + ", " + localeFor("fr").duration(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
	for d, want := range map[time.Duration]time.Duration{
		12400 * time.Millisecond: 12 * time.Second, 72 * time.Second: 70 * time.Second, 1000 * time.Second: 17 * time.Minute,
	} {
		if got := roughly(d); got != want {
			t.Errorf("roughly %s: %s, want %s", d, got, want)
		}
	}
}

// knownReason is a reason, and what visitors read of it. French empty: they read English.
type knownReason struct {
	reason          reason.Reason
	english, french string
}

func knownReasons() []knownReason {
	of := func(kind reason.Kind) reason.Reason { return reason.Reason{Kind: kind} }
	needed := func(app string, why reason.Reason) reason.Reason {
		return reason.Reason{Kind: reason.NeedFailed, Apps: []string{app}, Because: &why}
	}
	refused := func(text string) reason.Reason {
		return reason.Reason{Kind: reason.ProviderRefused, Text: text}
	}
	const minutes = 5 * time.Minute
	return []knownReason{
		{reason.Reason{Kind: reason.Exited, Code: 3}, "It ended with exit code 3.", "Elle s’est arrêtée avec le code de sortie 3."},
		{of(reason.OutOfMemory), "It ran out of memory.", "Elle a manqué de mémoire."},
		{of(reason.Removed), "It was removed.", "Elle a été supprimée."},
		{reason.Reason{Kind: reason.CrashLoop, Count: 5, Code: 1}, "It kept crashing, 5 times within a minute (exit code 1).", "Elle s’est arrêtée 5 fois en une minute (code de sortie 1)."},
		{reason.Reason{Kind: reason.RestartLoop, Limit: minutes, Code: 1}, "It kept restarting for 5m0s (exit code 1).", "Elle n’a cessé de redémarrer pendant 5 minutes (code de sortie 1)."},
		{reason.Reason{Kind: reason.NoTurn, Limit: minutes}, "It waited 5m0s for its turn.", "Elle a attendu son tour pendant 5 minutes."},
		{reason.Reason{Kind: reason.NeedsLate, Limit: 90 * time.Second, Apps: []string{"db", "mail"}}, "It waited 1m30s for db, mail.", "Elle a attendu db, mail pendant 1 minute 30 secondes."},
		{reason.Reason{Kind: reason.NotStarted, Limit: minutes}, "It did not start within 5m0s.", "Elle n’a pas démarré en 5 minutes."},
		{reason.Reason{Kind: reason.NotEnded, Limit: minutes}, "It did not end within 5m0s.", "Elle ne s’est pas terminée en 5 minutes."},
		{reason.Reason{Kind: reason.Unhealthy, Limit: 10 * time.Second}, "It was not healthy within 10s.", "Elle n’était pas en bonne santé au bout de 10 secondes."},
		{reason.Reason{Kind: reason.NoAnswer, Code: 8080, Limit: 10 * time.Second}, "It did not answer on port 8080 within 10s.", "Elle n’a pas répondu sur le port 8080 en 10 secondes."},
		{reason.Reason{Kind: reason.ProbeAnswered, Code: 404, Limit: 40 * time.Second}, "It answered its probe with 404 for 40s.", "Elle a répondu 404 à sa sonde pendant 40 secondes."},
		{reason.Reason{Kind: reason.NotListed, Limit: 10 * time.Second}, "It runs, but Traefik did not list its server within 10s.", "Elle est en marche, mais Traefik n’a pas trouvé son serveur en 10 secondes."},
		{of(reason.ImageMissing), "It could not be started: its image is missing.", "Elle n’a pas pu être démarrée : son image est introuvable."},
		{reason.Reason{Kind: reason.ProviderUnreachable, Pending: true}, "How it fares is not known: its provider cannot be reached.", "On ne sait pas où elle en est : son fournisseur est injoignable."},
		{of(reason.PortTaken), "It could not be started: a port that it needs is taken.", "Elle n’a pas pu être démarrée : un port dont elle a besoin est pris."},
		{of(reason.ProviderRefused), "It could not be started: its provider refused; the log says why.", "Elle n’a pas pu être démarrée : son fournisseur a refusé, le journal dit pourquoi."},
		{reason.Reason{Kind: reason.Queued, Count: 1, Place: 7}, "It waits for its turn: number 7 in the queue, 1 other app on the way up.", "Elle attend son tour : numéro 7 dans la file, 1 autre application démarre."},
		{reason.Reason{Kind: reason.Queued, Count: 4, Place: 7}, "It waits for its turn: number 7 in the queue, 4 other apps on the way up.", "Elle attend son tour : numéro 7 dans la file, 4 autres applications démarrent."},
		{needed("db", of(reason.OutOfMemory)), "db, which it needs, failed: It ran out of memory.", "db, dont elle a besoin, a échoué : Elle a manqué de mémoire."},
		{needed("db", of(reason.ImageMissing)), "db, which it needs, failed: It could not be started: its image is missing.", "db, dont elle a besoin, a échoué : Elle n’a pas pu être démarrée : son image est introuvable."},
		{needed("a", needed("b", of(reason.OutOfMemory))), "a, which it needs, failed: b, which it needs, failed: It ran out of memory.", "a, dont elle a besoin, a échoué : b, dont elle a besoin, a échoué : Elle a manqué de mémoire."},
		{of(reason.Missing), "It does not exist.", "Elle n’existe pas."},
		{of(reason.Unmanaged), "Paastis does not manage it.", "Paastis ne la gère pas."},
		{of(reason.TooManyWakes), "Too many apps were woken from your address. Please wait a moment.", "Trop d’applications ont été réveillées depuis votre adresse. Patientez un instant."},
		// What a provider says is left as it is, and so is what is of before there were kinds.
		{refused("the port 80 is {app}"), "It could not be started: the port 80 is {app}.", ""},
		{needed("db", refused("{app} is {reason}")), "db, which it needs, failed: It could not be started: {app} is {reason}.", ""},
		{reason.Reason{Kind: reason.Earlier, Text: "It waited soon for db."}, "It waited soon for db.", ""},
		{reason.Reason{Kind: "of_tomorrow", Text: "A sentence that is new."}, "A sentence that is new.", ""},
	}
}

func TestReasonsAreToldInTheVisitorsLanguageWhereTheyCanBe(t *testing.T) {
	for _, known := range knownReasons() {
		want, lang := known.french, ""
		if want == "" {
			want, lang = known.english, "en"
		}
		v := registry.View{Name: "shop", State: registry.Failed, Reason: known.reason, Steps: []registry.Step{{Name: "db", Progress: registry.Broken, Reason: known.reason}}}
		d := State{View: v}.data(localeFor("fr"), sizes[0], time.Now())
		if d.Sentence != want || d.SentenceLang != lang || d.Steps[0].Reason != want || d.Steps[0].ReasonLang != lang {
			t.Errorf("%s\n got %q (%s)\nwant %q (%s)", known.english, d.Sentence, d.SentenceLang, want, lang)
		}
		if d := (State{View: v}).data(localeFor("en"), sizes[0], time.Now()); d.Sentence != known.english || d.SentenceLang != "" {
			t.Errorf("%s becomes %q (%s)", known.english, d.Sentence, d.SentenceLang)
		}
	}
}

// TestAReasonMeansTheSameWhateverItsEnglishIs goes by the kind alone: what the page says in
// French, and what a metric would be labelled by.
func TestAReasonMeansTheSameWhateverItsEnglishIs(t *testing.T) {
	label := func(r reason.Reason) string { return "reason=" + string(r.Kind) }
	labels := map[string]reason.Kind{}
	why := reason.Reason{Kind: reason.DiskFull}
	for _, kind := range reason.Kinds() {
		r := reason.Reason{Kind: kind, Apps: []string{"db"}, Count: 4, Code: 3, For: time.Minute, Limit: time.Hour, Because: &why}
		if other, twice := labels[label(r)]; twice {
			t.Errorf("%s and %s are one label", kind, other)
		}
		labels[label(r)] = kind
		english, _ := kind.English()
		if english == "{text}" {
			continue // it is all somebody else's
		}
		french, ok := localeFor("fr").reason(r)
		if !ok || french == r.String() || strings.Contains(french, "{") || french == "" {
			t.Errorf("%s: a French visitor reads %q", kind, french)
		}
	}
	if len(labels) != len(reason.Kinds()) {
		t.Errorf("%d labels", len(labels))
	}
}

func TestAFrenchVisitorReadsTheSameWhenAnEnglishSentenceChanges(t *testing.T) {
	read := func() (french, english map[reason.Kind]string) {
		french, english = map[reason.Kind]string{}, map[reason.Kind]string{}
		for _, kind := range reason.Kinds() {
			why := reason.Reason{Kind: reason.DiskFull}
			r := reason.Reason{Kind: kind, Apps: []string{"db"}, Count: 1, Code: 3, For: time.Minute, Limit: time.Hour, Router: "web", Because: &why}
			v := registry.View{Name: "shop", State: registry.Failed, Reason: r}
			french[kind] = State{View: v}.data(localeFor("fr"), sizes[0], time.Now()).Sentence
			english[kind] = State{View: v}.data(localeFor("en"), sizes[0], time.Now()).Sentence
		}
		return french, english
	}
	french, english := read()
	reasontest.Reword(t, func(text string) string { return "Behold, " + text })
	frenchThen, englishThen := read()
	for _, kind := range reason.Kinds() {
		if text, _ := kind.English(); text == "Behold, {text}" {
			continue // it is all somebody else's
		}
		if frenchThen[kind] != french[kind] || englishThen[kind] == english[kind] {
			t.Errorf("%s: %q was %q; in English %q was %q", kind, frenchThen[kind], french[kind], englishThen[kind], english[kind])
		}
	}
}

// TestEachReasonHasATextInEachLanguage also holds that a text takes all that there is to say,
// and nothing that there is not.
func TestEachReasonHasATextInEachLanguage(t *testing.T) {
	english := map[string]string{}
	for _, kind := range reason.Kinds() {
		text, one := kind.English()
		if english[string(kind)] = text; one != "" {
			english[string(kind)+oneOf] = one
		}
	}
	all, _ := locales()
	placeholder := regexp.MustCompile(`\{\w+\}`)
	for _, in := range all[1:] {
		if got, want := slices.Sorted(maps.Keys(in.texts.Reasons)), slices.Sorted(maps.Keys(english)); !slices.Equal(got, want) {
			t.Errorf("%s has texts of %q, want %q", in.code, got, want)
		}
		for key, text := range in.texts.Reasons {
			got, want := placeholder.FindAllString(text, -1), placeholder.FindAllString(english[key], -1)
			slices.Sort(got)
			slices.Sort(want)
			if text == "" || !slices.Equal(got, want) {
				t.Errorf("%s: %s: %q has %q, want %q", in.code, key, text, got, want)
			}
		}
	}
	image, _ := reason.ImageMissing.English()
	if got, want := fill(all[0].texts.Refused, "why", image), (reason.Reason{Kind: reason.ImageMissing}).String(); got != want {
		t.Errorf("the page says %q, the registry %q", got, want)
	}
	if got, want := fill(all[0].texts.Pending, "why", image), (reason.Reason{Kind: reason.ImageMissing, Pending: true}).String(); got != want {
		t.Errorf("the page says %q, the registry %q", got, want)
	}
}

func TestWhatTheRegistrySaysIsKnownInEachLanguage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := registrytest.NewApp("db")
		broken.Err = provider.ErrImageMissing
		reg := registrytest.Run(t, registry.New(registry.Options{
			Probe:     registrytest.Passes,
			Providers: []provider.Provider{registrytest.NewProvider(registrytest.NewApp("shop", "db", "ghost"), broken)},
			Settings:  inventory.Settings{Defaults: rules.Defaults()},
			Log:       slog.New(slog.DiscardHandler),
		}))
		synctest.Wait()
		shop := reg.Named("shop")
		reg.Wake(shop, false)
		synctest.Wait()
		d := State{View: reg.View(shop)}.data(localeFor("fr"), sizes[0], time.Now())
		if len(d.Steps) != 2 || d.SentenceLang+d.Steps[0].ReasonLang+d.Steps[1].ReasonLang != "" {
			t.Errorf("some of it is in English: %+v", d)
		}
	})
}

func TestTimePassingIsNoOtherPicture(t *testing.T) {
	began := time.Now()
	is := State{View: registry.View{Name: "shop", State: registry.Starting, Began: began, Usual: 10 * time.Second}}
	var percents []int
	for _, after := range []time.Duration{0, 5 * time.Second, 10 * time.Second, 13 * time.Second} {
		d := is.data(localeFor("en"), sizes[0], began.Add(after))
		if d.Poll != string(is.Poll(began)) {
			t.Errorf("another picture after %s", after)
		}
		percents = append(percents, d.Percent)
	}
	if fmt.Sprint(percents) != "[0 50 95 95]" {
		t.Errorf("percent %v", percents)
	}
	if is.Poll(began) == is.Poll(began.Add(14*time.Second)) {
		t.Error("it does not tell when it is late")
	}
}

func TestWhatAVisitorWouldTellFromTheLastIsAnotherPicture(t *testing.T) {
	now := time.Now()
	seen := map[Poll]string{}
	for name, is := range map[string]State{
		"a name":             {View: registry.View{Name: "shop"}},
		"another name":       {View: registry.View{Name: "blog"}},
		"another state":      {View: registry.View{Name: "shop", State: registry.Starting}},
		"a reason":           {View: registry.View{Name: "shop", Reason: reason.Reason{Kind: reason.OutOfMemory}}},
		"log lines":          {View: registry.View{Name: "shop", Logs: []string{"a", "b"}}},
		"other log lines":    {View: registry.View{Name: "shop", Logs: []string{"a b"}}},
		"a step":             {View: registry.View{Name: "shop", Steps: []registry.Step{{Name: "db", Progress: registry.Queued}}}},
		"a step further":     {View: registry.View{Name: "shop", Steps: []registry.Step{{Name: "db", Progress: registry.Waking}}}},
		"a step's reason":    {View: registry.View{Name: "shop", Steps: []registry.Step{{Name: "db", Progress: registry.Waking, Reason: reason.Reason{Kind: reason.Missing}}}}},
		"two steps":          {View: registry.View{Name: "shop", Steps: []registry.Step{{Name: "db"}, {Name: "db"}}}},
		"a form":             {View: registry.View{Name: "shop"}, Form: true},
		"one who is refused": {View: registry.View{Name: "shop"}, Refused: true},
	} {
		if other, same := seen[is.Poll(now)]; same {
			t.Errorf("%s is the same as %s", name, other)
		}
		seen[is.Poll(now)] = name
	}
}

func TestWhyAnAppFailedIsWorthMoreThanThatAVisitorIsRefused(t *testing.T) {
	v := registry.View{Name: "shop", State: registry.Failed, Reason: reason.Reason{Kind: reason.OutOfMemory}}
	if got := (State{View: v, Refused: true}).data(localeFor(""), sizes[0], time.Now()).Sentence; got != v.Reason.String() {
		t.Errorf("told %q", got)
	}
}

func TestBarKnowsHowFarTheAppIs(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		v    registry.View
		want string
	}{
		"no history":      {registry.View{State: registry.Starting, Began: now}, "false -1 0 0"},
		"at the start":    {registry.View{State: registry.Starting, Began: now, Usual: 12 * time.Second}, "true 0 12 12"},
		"half way":        {registry.View{State: registry.Starting, Began: now.Add(-6 * time.Second), Usual: 12 * time.Second}, "true 50 12 6"},
		"over":            {registry.View{State: registry.Starting, Began: now.Add(-time.Hour), Usual: 12 * time.Second}, "true 95 12 0"},
		"ready":           {registry.View{State: registry.Ready, Usual: 12 * time.Second}, "true 100 12 0"},
		"about to begin":  {registry.View{State: registry.Stopping, Usual: 300 * time.Millisecond}, "true 0 1 1"},
		"a clock that is": {registry.View{State: registry.Starting, Began: now.Add(time.Minute), Usual: time.Second}, "true 0 1 1"},
	} {
		d := State{View: c.v}.data(localeFor("en"), sizes[0], now)
		if got := fmt.Sprint(d.Known, d.Percent, d.UsualSeconds, d.Remaining); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
