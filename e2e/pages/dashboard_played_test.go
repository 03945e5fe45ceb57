package pages

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

// What the other tests show is worth something only if the real API answers like this.
func TestTheAPIIsPlayedAsItIsDescribed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../server/admin/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	described, errs := validator.NewValidator(document)
	if errs != nil {
		t.Fatal(errs)
	}
	f := newFakeAdmin(t, sampleApps())
	for _, call := range []string{
		"GET session", "GET apps", "GET apps/" + sampleApps()[0].Name, "GET apps/nobody", "GET apps/" + sampleApps()[0].Name + "/history?days=30",
		"POST apps/" + sampleApps()[0].Name + "/wake", "GET events", "GET rules", "GET health",
	} {
		method, path, _ := strings.Cut(call, " ")
		req, err := http.NewRequest(method, f.url+"api/v1/"+path, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Paastis-CSRF", "the-csrf")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if ok, faults := described.ValidateHttpResponse(req, resp); !ok {
			for _, fault := range faults {
				t.Errorf("%s: %s: %s %v", call, fault.Message, fault.Reason, fault.SchemaValidationErrors)
			}
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}
