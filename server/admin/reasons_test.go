package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/provider"
	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/registry/reason/reasontest"
)

// reasonCodes are those that there are.
func reasonCodes() []string {
	var codes []string
	for _, kind := range reason.Kinds() {
		codes = append(codes, string(kind))
	}
	return codes
}

func TestEachReasonCodeIsInTheDescriptionOfTheAPI(t *testing.T) {
	var file struct {
		Components struct {
			Schemas map[string]struct {
				Enum []string `yaml:"enum"`
			} `yaml:"schemas"`
		} `yaml:"components"`
	}
	if err := yaml.Unmarshal(openAPI, &file); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(slices.Values(file.Components.Schemas["ReasonCode"].Enum))
	if want := append([]string{""}, reasonCodes()...); !slices.Equal(got, want) {
		t.Errorf("it has %q, want %q", got, want)
	}
	got = slices.Sorted(slices.Values(file.Components.Schemas["ProblemCode"].Enum))
	if want := problemCodes(); !slices.Equal(got, want) {
		t.Errorf("of problems it has %q, want %q", got, want)
	}
}

// problemCodes are those that there are.
func problemCodes() []string {
	var codes []string
	for _, kind := range inventory.ProblemKinds() {
		codes = append(codes, string(kind))
	}
	return codes
}

func TestEachProblemCodeIsInTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| .+ \\|$").FindAllStringSubmatch(string(page), -1) {
		told = append(told, row[1])
	}
	slices.Sort(told)
	if want := problemCodes(); !slices.Equal(told, want) {
		t.Errorf("it has %q, want %q", told, want)
	}
}

func TestAProblemIsToldWithItsCodeWhateverItsWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop", "ghost"), asleep("blog").Label("paastis.max_idle_time", "soon"))
		var health struct {
			Problems []string `json:"problems"`
			Codes    []string `json:"problem_codes"`
		}
		decode(t, r.order("GET", "/api/v1/health"), &health)
		if want := []string{"setting_unreadable", "link_missing"}; !slices.Equal(health.Codes, want) || len(health.Problems) != len(want) {
			t.Errorf("%q mean %q, want %q", health.Problems, health.Codes, want)
		}
	})
}

func TestEachReasonCodeIsInTheDocsWithItsSentence(t *testing.T) {
	page, err := os.ReadFile("../../docs/reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.*) \\|$").FindAllStringSubmatch(string(page), -1) {
		told[row[1]] = row[2]
	}
	if got, want := slices.Sorted(maps.Keys(told)), reasonCodes(); !slices.Equal(got, want) {
		t.Errorf("it has %q, want %q", got, want)
	}
	for code, sentence := range told {
		if want, _ := reason.Kind(code).English(); sentence != want {
			t.Errorf("%s is told as %q, want %q", code, sentence, want)
		}
	}
}

func TestAReasonIsToldWithItsCodeWhateverItsWords(t *testing.T) {
	t.Run("as they are", wantReasonCodes)
	t.Run("reworded", func(t *testing.T) {
		reasontest.Reword(t, func(text string) string { return "Behold, " + text })
		wantReasonCodes(t)
	})
}

func wantReasonCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := asleep("broken")
		broken.Err = provider.ErrImageMissing
		r := open(t, asleep("shop", "db"), asleep("db"), broken)
		r.order("POST", "/api/v1/apps/shop/wake")
		r.order("POST", "/api/v1/apps/broken/wake")
		time.Sleep(5 * time.Second)
		type reason struct {
			Code string   `json:"reason_code"`
			Apps []string `json:"reason_apps"`
		}
		var db, failed struct {
			reason
			Failure *struct {
				reason
				Kind string `json:"kind"`
			} `json:"failure"`
		}
		decode(t, r.order("GET", "/api/v1/apps/db"), &db)
		if db.Code != "needed_by" || !slices.Equal(db.Apps, []string{"shop"}) {
			t.Errorf("db is awake by %q of %q", db.Code, db.Apps)
		}
		var refused struct {
			Code string `json:"reason_code"`
		}
		time.Sleep(10 * time.Second)
		decode(t, r.order("POST", "/api/v1/apps/db/sleep"), &refused)
		if refused.Code != "needed_by" {
			t.Errorf("it is not put to sleep by %q", refused.Code)
		}
		decode(t, r.order("GET", "/api/v1/apps/broken"), &failed)
		if f := failed.Failure; failed.Code != "image_missing" || f == nil || f.Code != "image_missing" || f.Kind != "image missing" {
			t.Errorf("it failed by %q: %+v", failed.Code, f)
		}
		var events struct{ Events []json.RawMessage }
		decode(t, r.order("GET", "/api/v1/events?app=broken"), &events)
		if told := fmt.Sprintf("%s", events.Events); !strings.Contains(told, `"reason_code":"image_missing"`) || !strings.Contains(told, `"reason_code":"asked"`) {
			t.Errorf("events: %s", told)
		}
	})
}

func TestAReasonThatEndsSaysWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, asleep("shop").Awake())
		type told struct {
			Code  string     `json:"reason_code"`
			Until *time.Time `json:"reason_until"`
		}
		var before, pinned told
		decode(t, r.order("GET", "/api/v1/apps/shop"), &before)
		end := time.Now().Add(2 * time.Hour)
		r.order("POST", "/api/v1/apps/shop/pin", `body {"for":7200}`)
		decode(t, r.order("GET", "/api/v1/apps/shop"), &pinned)
		if before.Until != nil || pinned.Code != "pinned" || pinned.Until == nil || !pinned.Until.Equal(end) {
			t.Errorf("before it ends at %v; pinned it is awake by %q until %v, want %v", before.Until, pinned.Code, pinned.Until, end)
		}
		var happened struct{ Events []told }
		decode(t, r.order("GET", "/api/v1/events?app=shop"), &happened)
		if last := happened.Events[len(happened.Events)-1]; last.Code != "pinned" || last.Until == nil || !last.Until.Equal(end) {
			t.Errorf("the event ends at %v", last.Until)
		}
	})
}

func TestWhyAnAppIsNotManagedHasACodeToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		off := asleep("off")
		off.Labels["paastis.enable"] = "false"
		r := open(t, off)
		var app, refused struct {
			Code string `json:"reason_code"`
			Text string `json:"reason"`
		}
		decode(t, r.order("GET", "/api/v1/apps/off"), &app)
		if app.Code != "disabled" || app.Text != "disabled by label paastis.enable on container off" {
			t.Errorf("%s: %s", app.Code, app.Text)
		}
		decode(t, r.order("POST", "/api/v1/apps/off/wake"), &refused)
		if refused.Code != "not_managed" {
			t.Errorf("it is not woken by %q", refused.Code)
		}
	})
}
