package rules_test

import (
	"testing"
	"time"

	"github.com/paastis/paastis/rules"
)

const windowHint = "; write one such as 'Mon-Fri 08:00-19:00 Europe/Paris', with wake at its end to wake the app as it begins"

func window(t *testing.T, text string) rules.Window {
	t.Helper()
	all := properties(t, load(t, one("keep_awake", text)), "a").KeepAwake
	if len(all) != 1 {
		t.Fatalf("%s: %d windows", text, len(all))
	}
	return all[0]
}

func TestWindowsContainTheirTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		window, at  string // the time in UTC
		inside      bool
		from, until string
	}{
		{"Mon-Fri 08:00-19:00 Europe/Paris", "2026-11-24T06:59:59Z", false, "2026-11-24T07:00:00Z", "2026-11-24T18:00:00Z"},
		{"Mon-Fri 08:00-19:00 Europe/Paris", "2026-11-24T07:00:00Z", true, "2026-11-24T07:00:00Z", "2026-11-24T18:00:00Z"},
		{"Mon-Fri 08:00-19:00 Europe/Paris", "2026-11-24T18:00:00Z", false, "2026-11-25T07:00:00Z", "2026-11-25T18:00:00Z"},
		{"Mon-Fri 08:00-19:00 Europe/Paris", "2026-11-27T18:00:00Z", false, "2026-11-30T07:00:00Z", "2026-11-30T18:00:00Z"},
		{"Mon-Fri 08:00-19:00 Europe/Paris", "2026-07-14T06:00:00Z", true, "2026-07-14T06:00:00Z", "2026-07-14T17:00:00Z"},
		{"sat,sun 9:30-24:00 UTC", "2026-11-29T23:59:59Z", true, "2026-11-29T09:30:00Z", "2026-11-30T00:00:00Z"},
		{"Friday 22:00-02:00 UTC", "2026-11-28T01:00:00Z", true, "2026-11-27T22:00:00Z", "2026-11-28T02:00:00Z"},
		{"Friday 22:00-02:00 UTC", "2026-11-28T22:30:00Z", false, "2026-12-04T22:00:00Z", "2026-12-05T02:00:00Z"},
		{"Sat-Mon 10:00-11:00 UTC", "2026-11-30T10:30:00Z", true, "2026-11-30T10:00:00Z", "2026-11-30T11:00:00Z"},
		// In the night of 29 March 2026 the clock of Paris goes from 02:00 to 03:00.
		{"01:00-04:00 Europe/Paris", "2026-03-29T01:59:00Z", true, "2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		from, until, inside := window(t, c.window).At(at)
		what := c.window + " at " + c.at
		equal(t, what, inside, c.inside)
		equal(t, what+" from", from.UTC().Format(time.RFC3339), c.from)
		equal(t, what+" until", until.UTC().Format(time.RFC3339), c.until)
	}
}

func TestWindowsAreReadFromRulesAndLabelsAlike(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"['Mon 08:00-09:00 UTC', 'Sat 10:00-12:00 UTC wake']",
		"[{window: 'Mon 08:00-09:00 UTC'}, {window: 'Sat 10:00-12:00 UTC', wake: true}]",
	} {
		p := properties(t, load(t, one("keep_awake", text)), "a")
		equal(t, text, keyText(t, "keep_awake", p), "Mon 08:00-09:00 UTC; Sat 10:00-12:00 UTC wake")
	}
	r, warnings := labelled(t, "", map[string]string{"paastis.keep_awake": "Mon 08:00-09:00 UTC; Sat 10:00-12:00 UTC wake"})
	equal(t, "warnings", warnings, nil)
	equal(t, "label", keyText(t, "keep_awake", r.Properties), "Mon 08:00-09:00 UTC; Sat 10:00-12:00 UTC wake")
}

func TestWindowsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"always":                               `"always" is no window` + windowHint,
		"Mon-Fri":                              `"Mon-Fri" is no window` + windowHint,
		"Mun 08:00-09:00":                      `"Mun" are no days of the week` + windowHint,
		"08:00-25:00":                          `"08:00-25:00" are no times of the day` + windowHint,
		"08:00-08:00":                          `"08:00-08:00" are no times of the day` + windowHint,
		"08:00-09:60":                          `"08:00-09:60" are no times of the day` + windowHint,
		"08:00-09:00 Mars/Olympus":             `"Mars/Olympus" is no time zone such as Europe/Paris` + windowHint,
		"08:00-09:00 UTC and so on":            `"08:00-09:00 UTC and so on" is no window` + windowHint,
		"{wake: true}":                         `a window without a time` + windowHint,
		"{windw: '08:00-09:00'}":               `unknown key "windw" of a window; did you mean "window"?`,
		"{window: '8:00-9:00', wake: perhaps}": `wake: "perhaps" is neither true nor false`,
	} {
		equal(t, value, faults(one("keep_awake", value)), "paastis.yml:3: keep_awake: "+want)
	}
}

func TestSizesPartsTimesAndChecksAreReadAndWrittenAlike(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ key, value, want string }{
		{"traffic_floor", "1kB", "1.0 kB"}, {"traffic_floor", "512", "512 B"}, {"traffic_floor", "OFF", "off"},
		{"cpu_floor", "5%", "5%"}, {"cpu_floor", "2.5", "2.5%"}, {"cpu_floor", "off", "off"},
		{"max_concurrent_starts", "0", "any"}, {"max_concurrent_starts", "3", "3"},
		{"show_logs", "true", "true"},
		{"busy", "exec:/app/busy --jobs", "exec:/app/busy --jobs"}, {"busy", "[/app/busy, --jobs]", "exec:/app/busy --jobs"},
		{"busy", "http:/busy", "http:/busy"}, {"busy", "http:8080/busy?x=1", "http:8080/busy?x=1"},
		{"awake_until", "2026-12-24T18:00:00+01:00", "2026-12-24T18:00:00+01:00"},
		{"awake_until", "2026-12-24", "2026-12-24T00:00:00Z"},
	} {
		equal(t, c.key+" "+c.value, keyText(t, c.key, properties(t, load(t, one(c.key, c.value)), "a")), c.want)
	}
}

// keyText is a property's value as people read it.
func keyText(t *testing.T, key string, p rules.Properties) string {
	t.Helper()
	for _, property := range rules.Keys() {
		if property.Key == key {
			return property.Text(p)
		}
	}
	t.Fatalf("no property %s", key)
	return ""
}

// In some zones the clock goes forward at midnight: the day begins at one.
func TestWindowsHoldOnEveryDayOfTheYear(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"America/Santiago", "America/Havana", "Africa/Cairo", "Asia/Beirut", "Europe/Paris"} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for day := range 400 {
			noon := time.Date(2026, 1, 1+day, 12, 0, 0, 0, location)
			from, until, inside := window(t, noon.Format("Mon")+" 08:00-19:00 "+zone).At(noon)
			if !inside || from.Hour() != 8 || until.Hour() != 19 || from.Day() != noon.Day() || until.Day() != noon.Day() {
				t.Errorf("%s: inside %t, from %s until %s", noon, inside, from, until)
			}
		}
	}
}

func TestTheNextOccurrenceOfAWindowIsNeverInThePast(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"01:30-02:30", "02:30-03:00", "23:30-00:30", "00:00-24:00", "00:15-00:45"} {
		w := window(t, text+" America/Havana")
		for quarter := range 400 * 24 * 4 {
			at := time.Date(2026, 1, 1, 0, 15*quarter, 0, 0, time.UTC)
			from, until, inside := w.At(at)
			if inside && (at.Before(from) || !at.Before(until)) || !inside && !from.After(at) {
				t.Fatalf("%s at %s: inside %t, from %s until %s", text, at, inside, from, until)
			}
		}
	}
}
