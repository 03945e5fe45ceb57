package problem

import (
	"net/http/httptest"
	"testing"
)

func TestAdminsAnswersAreForNoOtherOrigin(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Origin", "https://spa.test")
	if _ = Write(w, r, InternalError); w.Header()["Access-Control-Allow-Origin"] != nil {
		t.Error(w.Header())
	}
}
