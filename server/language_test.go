package server

import (
	"strings"
	"testing"
	"testing/synctest"
)

func TestVisitorsAreSpokenToInTheLanguageThatTheyUnderstandBest(t *testing.T) {
	for wish, want := range map[string]string{
		"":                                   "en",
		"en-US,en;q=0.9":                     "en",
		"fr":                                 "fr",
		"fr-CA,fr;q=0.9,en;q=0.8":            "fr",
		"en;q=0.5, fr;q=0.8":                 "fr",
		"en;q=0.8, fr;q=0.5":                 "en",
		"ja, fr;q=0.2":                       "fr",
		"fr;q=0, en":                         "en",
		"ja":                                 "en",
		"*":                                  "en",
		"FR-fr":                              "fr",
		"no language":                        "en",
		";;;q=,":                             "en",
		strings.Repeat("x-", 5000):           "en",
		strings.Repeat("ja,", 100) + "fr":    "en", // nobody reads that far
		strings.Repeat("fr,", 5000):          "fr",
		"fr;q=" + strings.Repeat("0", 10000): "en",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := live(t, service("shop").At("shop.test")).answerTo("http://shop.test/", browser, "Accept-Language: "+wish)
			page := w.Body.String()
			if w.Header().Get("Content-Language") != want || !strings.Contains(page, `<html lang="`+want+`">`) {
				t.Errorf("%.50q gets %q", wish, w.Header().Get("Content-Language"))
			}
			if french := strings.Contains(page, "se réveille"); french != (want == "fr") {
				t.Errorf("%.50q gets\n%s", wish, page)
			}
		})
	}
}
