package idle

import (
	"testing"
	"time"

	"github.com/paastis/paastis/registry/reason"
	"github.com/paastis/paastis/rules"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// unused is an app that was last used a while ago, and sleeps after ten minutes.
func unused(ago time.Duration, change func(s *Snapshot)) Snapshot {
	s := Snapshot{LastUse: noon.Add(-ago), MaxIdle: 10 * time.Minute}
	change(&s)
	return s
}

func TestAnAppSleepsForOneReasonAndStaysAwakeForTheFirstThatHolds(t *testing.T) {
	traffic := reason.Reason{Kind: reason.Traffic, Rate: 5000}
	seenQuiet := func(s *Snapshot) {
		s.Sampled, s.SampledAt, s.Quiet, s.Use = true, noon.Add(-time.Second), 10*time.Second, Use{Quiet: true}
	}
	for what, c := range map[string]struct {
		ago   time.Duration
		is    func(s *Snapshot)
		sleep bool
		kind  reason.Kind
	}{
		"unused for long":         {time.Hour, func(*Snapshot) {}, true, reason.Unused},
		"used a moment ago":       {time.Minute, func(*Snapshot) {}, false, reason.UsedRecently},
		"never":                   {time.Hour, func(s *Snapshot) { s.MaxIdle = rules.Never }, false, reason.NeverSleeps},
		"needed":                  {time.Hour, func(s *Snapshot) { s.NeededBy, s.Open = []string{"shop"}, 1 }, false, reason.NeededBy},
		"a linked app starts":     {time.Hour, func(s *Snapshot) { s.Waking, s.Open = "back", 1 }, false, reason.LinkedAppStarting},
		"a request is open":       {time.Hour, func(s *Snapshot) { s.Open, s.Kept = 1, traffic }, false, reason.OpenRequests},
		"pinned":                  {time.Hour, func(s *Snapshot) { s.Kept, s.KeptUntil = reason.Reason{Kind: reason.Pinned}, noon.Add(1) }, false, reason.Pinned},
		"a stop has failed":       {time.Hour, func(s *Snapshot) { s.NotBefore = noon.Add(time.Second) }, false, reason.StopFailed},
		"not sampled so far":      {time.Hour, func(s *Snapshot) { s.Sampled = true }, false, reason.CheckingUse},
		"seen in use":             {time.Hour, func(s *Snapshot) { seenQuiet(s); s.Use = Use{Reason: traffic} }, false, reason.Traffic},
		"seen quiet":              {time.Hour, seenQuiet, true, reason.Unused},
		"seen quiet too long ago": {time.Hour, func(s *Snapshot) { seenQuiet(s); s.SampledAt = noon.Add(-time.Minute) }, false, reason.CheckingUse},

		"put to sleep":                     {time.Minute, func(s *Snapshot) { s.SleepAsked = noon }, true, reason.PutToSleep},
		"put to sleep, and in use":         {time.Minute, func(s *Snapshot) { s.SleepAsked, s.Open = noon, 1 }, false, reason.OpenRequests},
		"put to sleep by force":            {time.Minute, func(s *Snapshot) { s.SleepAsked, s.Forced, s.Open = noon, true, 1 }, true, reason.PutToSleep},
		"put to sleep, needed":             {time.Minute, func(s *Snapshot) { s.SleepAsked, s.Forced, s.NeededBy = noon, true, []string{"shop"} }, false, reason.NeededBy},
		"put to sleep, and used since":     {0, func(s *Snapshot) { s.SleepAsked, s.Forced = noon.Add(-time.Second), true }, false, reason.UsedRecently},
		"put to sleep that never does":     {time.Minute, func(s *Snapshot) { s.MaxIdle, s.SleepAsked = rules.Never, noon }, true, reason.PutToSleep},
		"idle at once, and just got ready": {time.Second, func(s *Snapshot) { s.MaxIdle = 0 }, false, reason.UsedRecently},
	} {
		got := Decide(unused(c.ago, c.is), noon)
		if got.Sleep != c.sleep || got.Reason.Kind != c.kind {
			t.Errorf("%s: sleeps %t, because %q; want %t, %s", what, got.Sleep, got.Reason, c.sleep, c.kind)
		}
	}
}

func TestARequestThatComesWhileAnAppIsDecidedOfIsNoTimeAgo(t *testing.T) {
	said := Decide(unused(-time.Second, func(*Snapshot) {}), noon).Reason.String()
	if want := "used 0s ago, sleeps after 10m0s"; said != want {
		t.Errorf("%q instead of %q", said, want)
	}
}

func TestAnAppIsSampledEarlyEnoughToSleepInTime(t *testing.T) {
	s := Snapshot{LastUse: noon, MaxIdle: 10 * time.Minute, Sampled: true, Quiet: 30 * time.Second}
	begin := noon.Add(9*time.Minute + 30*time.Second)
	if d := Decide(s, noon); d.Sample || !d.Again.Equal(begin) {
		t.Errorf("in its idle time: sampled %t, and again at %s", d.Sample, d.Again)
	}
	if d := Decide(s, begin); !d.Sample || !d.Again.Equal(noon.Add(10*time.Minute)) {
		t.Errorf("as long before its end as it must be quiet: sampled %t, and again at %s", d.Sample, d.Again)
	}
	s.SampledAt = begin
	if d := Decide(s, begin.Add(time.Second)); d.Sample || !d.Again.Equal(begin.Add(10*time.Second)) {
		t.Errorf("after a sample: sampled %t, and again at %s", d.Sample, d.Again)
	}
}

func TestAnAppOfWhichNoRequestIsSeenIsSampledWhileOthersNeedIt(t *testing.T) {
	s := Snapshot{LastUse: noon, MaxIdle: time.Hour, NeededBy: []string{"shop"}, Sampled: true, SampledAt: noon, Every: time.Minute}
	if d := Decide(s, noon.Add(59*time.Second)); d.SampleCounters || !d.Again.Equal(noon.Add(time.Minute)) {
		t.Errorf("too early: %+v", d)
	}
	if d := Decide(s, noon.Add(time.Minute)); !d.SampleCounters || d.Sample {
		t.Errorf("in time: %+v", d)
	}
}

// A sample that costs something is not taken again and again while it keeps the app awake. One that
// was quiet is worth nothing once the app was used again: the next is due when the app may sleep.
func TestASampleAtAPriceWaitsOnlyWhileTheLastOneToldOfAUse(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	s := Snapshot{LastUse: now.Add(-11 * time.Minute), MaxIdle: 10 * time.Minute, Sampled: true, SampledAt: now.Add(-time.Minute), Quiet: 10 * time.Second, Pause: 5 * time.Minute, Use: Use{Quiet: true}}
	if d := Decide(s, now); !d.Sample || d.Sleep {
		t.Errorf("after a quiet sample that is old: %+v", d)
	}
	s.Use = Use{Reason: reason.Reason{Kind: reason.OneOffs, Count: 1}}
	if d := Decide(s, now); d.Sample || !d.Again.Equal(now.Add(4*time.Minute)) {
		t.Errorf("after one that told of a use: %+v", d)
	}
	s.LastUse = now.Add(-10*time.Minute + time.Second)
	s.SampledAt, s.Use = time.Time{}, Use{}
	if d := Decide(s, now); d.Sample {
		t.Errorf("before the app may sleep: %+v", d)
	}
}
