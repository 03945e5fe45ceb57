package rules_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/paastis/paastis/rules"
)

// one is a file that gives one property to all apps.
func one(key, value string) string {
	return "rules:\n  - pattern: '.*'\n    " + key + ": " + value + "\n"
}

func TestBareNumberIsMinutesForIdleTimeAndSecondsElsewhere(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"0": 0, "30": 30 * time.Minute, "'30'": 30 * time.Minute, "0.5": 30 * time.Second,
		"90s": 90 * time.Second, "2h": 2 * time.Hour, "1h30m": 90 * time.Minute, " 5m ": 5 * time.Minute,
		"never": rules.Never, "Never": rules.Never,
	} {
		equal(t, value, properties(t, load(t, one("max_idle_time", value)), "a").MaxIdleTime, want)
		equal(t, value, properties(t, load(t, one("app_max_idle_time", value)), "a").MaxIdleTime, want)
	}
	equal(t, "hold", properties(t, load(t, one("hold_timeout", "5")), "a").HoldTimeout, 5*time.Second)
	equal(t, "no hold", properties(t, load(t, one("hold_timeout", "0")), "a").HoldTimeout, 0)
	equal(t, "start", properties(t, load(t, one("start_timeout", "90")), "a").StartTimeout, 90*time.Second)
}

func TestValuesThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	const forms = "; write auto, none, tcp, tcp:PORT, http:/path, http:PORT/path or the same with https"
	for _, c := range []struct{ key, value, want string }{
		{"max_idle_time", "soon", `"soon" is no duration; write one such as 90s, 30m or 2h, or never`},
		{"max_idle_time", "5 minutes", `"5 minutes" is no duration; write one such as 90s, 30m or 2h, or never`},
		{"max_idle_time", "''", `"" is no duration; write one such as 90s, 30m or 2h, or never`},
		{"max_idle_time", "-5m", `"-5m" is negative; write one such as 90s, 30m or 2h, or never`},
		{"max_idle_time", "-1", `"-1" is negative; write one such as 90s, 30m or 2h, or never`},
		{"max_idle_time", "1e300", `"1e300" is too long, or never`},
		{"max_idle_time", "Inf", `"Inf" is too long, or never`},
		{"max_idle_time", "NaN", `"NaN" is too long, or never`},
		{"mode", "fast", `"fast" is unknown; write auto, forwardauth or direct`},
		{"port", "0", `"0" is no port; write a number from 1 to 65535`},
		{"port", "http", `"http" is no port; write a number from 1 to 65535`},
		{"hold_timeout", "26s", `26s is too long: 25s at most`},
		{"hold_timeout", "never", `"never" is no duration; write one such as 90s, 30m or 2h`},
		{"start_timeout", "0", `0 is too short`},
		{"stop_method", "kill", `"kill" is unknown; write stop or pause`},
		{"unseen", "never", `"never" is unknown; write awake or sleep`},
		{"manual_stop", "hold", `"hold" is unknown; write stay or wake`},
		{"enable", "maybe", `"maybe" is neither true nor false`},
		{"traffic_floor", "much", `"much" is no size; write one such as 500B, 1kB or 2MB, or off`},
		{"traffic_floor", "-1", `"-1" is no size; write one such as 500B, 1kB or 2MB, or off`},
		{"quiet_time", "0", `0 is too short`},
		{"cpu_floor", "-5%", `"-5%" is no part of a core; write one such as 5%, or off`},
		{"cpu_floor", "NaN", `"NaN" is no part of a core; write one such as 5%, or off`},
		{"awake_until", "tomorrow", `"tomorrow" is no time; write one such as 2026-12-24T18:00:00+01:00`},
		{"max_concurrent_starts", "-1", `"-1" is no number of apps; write one such as 4, or 0 for any number`},
		{"show_logs", "some", `"some" is neither true nor false`},
		{"busy", "ls", `"ls" is no such check; write exec:COMMAND, http:/path or http:PORT/path`},
		{"busy", "'exec: '", `"exec:" is no such check; write exec:COMMAND, http:/path or http:PORT/path`},
		{"busy", "http:0/x", `"http:0/x" is no such check; write exec:COMMAND, http:/path or http:PORT/path`},
		{"busy", "[]", `write exec:COMMAND, http:/path or http:PORT/path`},
		{"probe", "udp", `"udp" is unknown` + forms},
		{"probe", "none:80", `"none:80" is unknown` + forms},
		{"probe", "tcp:0", `"tcp:0": "0" is no port` + forms},
		{"probe", "tcp:65536", `"tcp:65536": "65536" is no port` + forms},
		{"probe", "tcp:80/x", `"tcp:80/x": tcp has no path` + forms},
		{"probe", "http:shop/x", `"http:shop/x": "shop" is no port` + forms},
		{"probe_scheme", "tcp", `"tcp" is unknown; write http or https`},
		{"probe_host", "http://shop.test/", `"http://shop.test/" is no host; write shop.example.com, or with a port`},
		{"probe_status", "200-", `"200-": "200-" is neither a status of HTTP nor a range of them; write 200-399,401`},
		{"probe_status", "200,99", `"200,99": "99" is neither a status of HTTP nor a range of them; write 200-399,401`},
		{"probe_status", "399-200", `"399-200": "399-200" is neither a status of HTTP nor a range of them; write 200-399,401`},
	} {
		equal(t, c.key+" "+c.value, faults(one(c.key, c.value)), "paastis.yml:3: "+c.key+": "+c.want)
	}
}

func TestProbesAreReadAndWrittenAlike(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]struct {
		probe rules.Probe
		text  string
	}{
		"auto":               {rules.Probe{}, "auto"},
		"none":               {rules.Probe{Kind: rules.NoProbe}, "none"},
		"tcp":                {rules.Probe{Kind: rules.TCPProbe}, "tcp"},
		"tcp:5432":           {rules.Probe{Kind: rules.TCPProbe, Port: 5432}, "tcp:5432"},
		"tcp://:5432":        {rules.Probe{Kind: rules.TCPProbe, Port: 5432}, "tcp:5432"},
		"http":               {rules.Probe{Kind: rules.HTTPProbe, Path: "/"}, "http:/"},
		"http:/ready?full=1": {rules.Probe{Kind: rules.HTTPProbe, Path: "/ready?full=1"}, "http:/ready?full=1"},
		"http:8080/ready":    {rules.Probe{Kind: rules.HTTPProbe, Port: 8080, Path: "/ready"}, "http:8080/ready"},
		"http://:8080/a/b":   {rules.Probe{Kind: rules.HTTPProbe, Port: 8080, Path: "/a/b"}, "http:8080/a/b"},
		"https:8443/ready":   {rules.Probe{Kind: rules.HTTPProbe, Port: 8443, Path: "/ready", TLS: true}, "https:8443/ready"},
		"https":              {rules.Probe{Kind: rules.HTTPProbe, Path: "/", TLS: true}, "https:/"},
	} {
		got := properties(t, load(t, one("probe", value)), "a").Probe
		equal(t, value, got, want.probe)
		equal(t, value, got.String(), want.text)
		equal(t, value+" again", properties(t, load(t, one("probe", got.String())), "a").Probe, got)
	}
}

func TestSignsOfLifeAreNoFaultsOfTheApp(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{200: true, 204: true, 302: true, 399: true, 401: true, 403: true, 400: false, 402: false, 404: false, 500: false, 503: false} {
		equal(t, strconv.Itoa(status), rules.Defaults().ProbeStatus.Has(status), want)
	}
}

func TestSwitchesAndMethods(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"true": true, "false": false, "'TRUE'": true} {
		got := properties(t, load(t, one("enable", value)), "a").Enable
		if got == nil || *got != want {
			t.Errorf("enable: %s is %v", value, got)
		}
	}
	equal(t, "pause", properties(t, load(t, one("stop_method", "pause")), "a").StopMethod, rules.PauseContainer)
	equal(t, "stop", properties(t, load(t, one("stop_method", "stop")), "a").StopMethod, rules.StopContainer)
	equal(t, "sleep", properties(t, load(t, one("unseen", "sleep")), "a").Unseen, rules.UnseenSleep)
	equal(t, "awake", properties(t, load(t, one("unseen", "awake")), "a").Unseen, rules.UnseenAwake)
}

func TestEveryPropertyTellsItsValue(t *testing.T) {
	t.Parallel()
	p := properties(t, load(t, `rules:
  - pattern: .*
    app_name: shop
    linked_apps: [back, {name: db, condition: started}, {name: mail, condition: completed, optional: true}]
    app_group: all
    max_idle_time: never
    hold_timeout: 10
    direct_hold_timeout: 5m
    mode: direct
    rule: Host("shop.test")
    host: ['{name}.test', www.test]
    entry_points: web
    tls: true
    cert_resolver: le
    middlewares: [auth@file]
    pass_host: true
    port: 8080
    start_timeout: 90
    job_timeout: 2h
    stop_method: pause
    unseen: sleep
    manual_stop: wake
    probe: http:8080/ready
    probe_host: shop.test
    probe_scheme: https
    probe_status: 200 - 299, 404
    enable: true
`), "a")
	texts := func(p rules.Properties) map[string]string {
		all := map[string]string{}
		for _, k := range rules.Keys() {
			all[k.Key] = k.Text(p)
		}
		for _, newer := range []string{"traffic_floor", "quiet_time", "stream_quiet_time", "cpu_floor", "busy", "keep_awake", "awake_until", "max_concurrent_starts", "show_logs", "theme", "brand_color", "brand_accent", "brand_logo"} {
			delete(all, newer) // see TestSizesPartsTimesAndChecksAreReadAndWrittenAlike
		}
		return all
	}
	equal(t, "texts", texts(p), map[string]string{
		"app_name": "shop", "linked_apps": "back, db:started, mail:completed?", "app_group": "all",
		"max_idle_time": "never", "hold_timeout": "10s", "start_timeout": "1m30s", "job_timeout": "2h0m0s",
		"direct_hold_timeout": "5m0s", "mode": "direct", "rule": `Host("shop.test")`, "port": "8080",
		"host": "{name}.test, www.test", "entry_points": "web", "tls": "true", "cert_resolver": "le", "middlewares": "auth@file", "pass_host": "true",
		"stop_method": "pause", "manual_stop": "wake", "unseen": "sleep", "probe": "http:8080/ready", "enable": "true",
		"probe_host": "shop.test", "probe_scheme": "https", "probe_status": "200-299,404",
	})
	equal(t, "texts of defaults", texts(rules.Defaults().Properties), map[string]string{
		"app_name": "", "linked_apps": "", "app_group": "", "enable": "",
		"direct_hold_timeout": "2m0s", "mode": "auto", "rule": "", "port": "", "host": "", "entry_points": "", "tls": "", "cert_resolver": "", "middlewares": "", "pass_host": "",
		"max_idle_time": "15m0s", "hold_timeout": "25s", "start_timeout": "5m0s", "job_timeout": "1h0m0s", "stop_method": "stop", "manual_stop": "stay", "unseen": "awake", "probe": "auto",
		"probe_host": "", "probe_scheme": "", "probe_status": "200-399,401,403",
	})
}

func TestSettingForAllAppsStandsBelowTheRules(t *testing.T) {
	t.Parallel()
	base := rules.Defaults()
	for key, value := range map[string]string{"max_idle_time": "5", "hold_timeout": "5", "start_timeout": "1m", "stop_method": "pause", "probe": "none"} {
		if err := base.SetGlobal(key, value, "PAASTIS_X"); err != nil {
			t.Error(err)
		}
	}
	r, _ := load(t, one("probe", "tcp")).Resolve("a", base, nil, "")
	equal(t, "rule", r.Probe.Kind, rules.TCPProbe)
	equal(t, "setting", r.MaxIdleTime, 5*time.Minute)
	equal(t, "origin", r.Origins["max_idle_time"], "PAASTIS_X")
}

func TestSettingForOneAppAloneOrWithABadValueIsRefused(t *testing.T) {
	t.Parallel()
	for key, c := range map[string]struct{ value, want string }{
		"app_name":     {"a", `"app_name" is no setting for all apps`},
		"nonsense":     {"a", `"nonsense" is no setting for all apps`},
		"hold_timeout": {"1m", "1m is too long: 25s at most"},
	} {
		base := rules.Defaults()
		err := base.SetGlobal(key, c.value, "flag")
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", key, err, c.want)
		}
		equal(t, key, base, rules.Defaults())
	}
}

func TestNearestWordIsAtMostTwoLettersOrAThirdAway(t *testing.T) {
	t.Parallel()
	known := []string{"max_idle_time", "probe", "enable"}
	for word, want := range map[string]string{
		"prob": "probe", "porbe": "probe", "probes": "probe", "max-idle-time": "max_idle_time", "max_idle": "", "max_idletime_in": "max_idle_time",
		"enabled": "enable", "probe": "probe", "p": "", "": "", "xyz": "", "colour": "",
	} {
		equal(t, word, rules.Nearest(word, known), want)
	}
	equal(t, "nothing known", rules.Nearest("a", nil), "")
}

func TestTheDefaultOfAPropertyIsWhatItIsWithoutAWord(t *testing.T) {
	t.Parallel()
	for _, p := range rules.Keys() {
		if p.Default != "" {
			equal(t, p.Key, properties(t, load(t, one(p.Key, p.Default)), "a"), rules.Defaults().Properties)
		}
	}
}
