package scalingo

import (
	"encoding/json"
	"testing"
)

func TestEventsTellAFormationInNumbersAndInTexts(t *testing.T) {
	for text, want := range map[string]string{
		`{"web": 2, "worker": 0}`:           "web:2 worker:0",
		`{"web": "2:L", "worker": "1:M"}`:   "web:2:L worker:1:M",
		`{"web": "2 x L", "worker": "3"}`:   "web:2:L worker:3",
		`{"worker": "1 × XL", "clock": 10}`: "clock:10 worker:1:XL",
	} {
		var parts spelled
		if err := json.Unmarshal([]byte(text), &parts); err != nil || told(parts) != want {
			t.Errorf("%s: %s, %v; want %s", text, told(parts), err, want)
		}
	}
	for _, text := range []string{`[]`, `{"web": "many"}`, `{"web": null}`, `{"web": {"amount": 2}}`, `3`} {
		var parts spelled
		if err := json.Unmarshal([]byte(text), &parts); err == nil {
			t.Errorf("%s is %s", text, told(parts))
		}
	}
}

func TestWhatIsKeptIsReadAgainAndOfALaterPaastisRefused(t *testing.T) {
	text, err := kept{Containers: []part{{"worker", 1, "M"}, {"web", 2, "L"}}, Autoscalers: []string{"au-2", "au-1"}}.write()
	if want := `{"v":1,"containers":[{"name":"web","amount":2,"size":"L"},{"name":"worker","amount":1,"size":"M"}],"autoscalers":["au-1","au-2"]}`; err != nil || string(text) != want {
		t.Errorf("kept is %s, %v; want %s", text, err, want)
	}
	for _, text := range []string{`{"v":2,"containers":[{"name":"web","amount":2}]}`, `{"v":1}`, `web:2`, `{"v":1,"containers":[{"name":"web","amount":0}]}`} {
		if was, err := readKept([]byte(text)); err == nil {
			t.Errorf("%s is read as %+v", text, was)
		}
	}
}
