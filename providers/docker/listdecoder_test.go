package docker

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	api "github.com/moby/moby/api/types/container"
)

// slimmed is a list as the client gets it.
func slimmed(body io.Reader) ([]byte, error) {
	r := &http.Response{
		StatusCode: http.StatusOK, Body: io.NopCloser(body),
		Request: &http.Request{URL: &url.URL{Path: "/v1.41/containers/json"}},
	}
	decodeList(r)
	return io.ReadAll(iotest.OneByteReader(r.Body))
}

func TestALeanListHasAllThatOutlinesAreMadeOf(t *testing.T) {
	raw, err := os.ReadFile("testdata/list.json")
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := slimmed(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	var whole, read []api.Summary
	for text, list := range map[string]*[]api.Summary{string(raw): &whole, string(decoded): &read} {
		if err := json.Unmarshal([]byte(text), list); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "containers", len(read), len(whole))
	for i := range whole {
		equal(t, "ID", read[i].ID, whole[i].ID)
		equal(t, "fingerprint", fingerprintOfListed(read[i]), fingerprintOfListed(whole[i]))
	}
	if len(decoded) > len(raw)/2 {
		t.Errorf("%d of %d bytes are left", len(decoded), len(raw))
	}
}

func TestALeanListIsReadWhateverIsInIt(t *testing.T) {
	for body, want := range map[string]string{
		`[]`:     `[]`,
		` [ ] `:  `[]`,
		`[{}]`:   `[{"Id":"","Names":null,"State":"","Status":""}` + "\n]",
		`[`:      "unexpected EOF",
		`[{}`:    "unexpected EOF",
		`[{},`:   "unexpected EOF",
		`[{"Id"`: "unexpected EOF",
		``:       "unexpected EOF",
		`{}`:     "{ where a list of containers should be",
		`null`:   "<nil> where a list of containers should be",
		`[7]`:    "json: cannot unmarshal number into Go value of type docker.listedContainer",
		`<html>`: "invalid character '<' looking for beginning of value",
	} {
		got, err := slimmed(strings.NewReader(body))
		if err != nil {
			got = []byte(err.Error())
		}
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

func TestOnlyListsAreMadeLean(t *testing.T) {
	for path, status := range map[string]int{"/v1.41/containers/c0ffee/json": 200, "/v1.41/containers/json": 500} {
		r := &http.Response{
			StatusCode: status, Body: io.NopCloser(strings.NewReader("as it is")),
			Request: &http.Request{URL: &url.URL{Path: path}},
		}
		decodeList(r)
		if text, _ := io.ReadAll(r.Body); string(text) != "as it is" {
			t.Errorf("%s %d: %s", path, status, text)
		}
	}
}
