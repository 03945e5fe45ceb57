package page

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
	"time"

	"github.com/paastis/paastis/registry"
)

// PollHeader marks the page's own requests.
const PollHeader = "X-Paastis-Poll"

// PollLimit is how long a poll is held, well under the 30 s that Traefik waits.
const PollLimit = 20 * time.Second

// Poll is what the page sends as PollHeader: which picture it shows. It is another for each
// picture that a visitor would tell from the last.
type Poll string

const (
	// formMark is the end of a poll of a page that answers a form.
	formMark = ".form"
	// failedMark is in that of a page that says that the app has failed.
	failedMark = ".failed"
)

// PollOf is that of a request; empty if the page did not send it.
func PollOf(h http.Header) Poll { return Poll(h.Get(PollHeader)) }

// AnswersForm reports whether the page is the answer to a form.
func (p Poll) AnswersForm() bool { return strings.HasSuffix(string(p), formMark) }

// SaysFailed reports whether the page says that the app has failed, and has a button.
func (p Poll) SaysFailed() bool { return strings.Contains(string(p), failedMark) }

// Poll is that of a page of the state. That time passes is no other picture.
func (s State) Poll(now time.Time) Poll {
	h := fnv.New64a()
	v := s.View
	fmt.Fprintf(h, "%q %d %q %q %t", v.Name, v.State, s.reason(), v.Logs, s.overdue(now))
	for _, step := range v.Steps {
		fmt.Fprintf(h, "%q %q %q", step.Name, step.Progress, step.Reason)
	}
	mark := hex.EncodeToString(h.Sum(nil))
	if v.State == registry.Failed && !v.Gone {
		mark += failedMark
	}
	if s.Form {
		mark += formMark
	}
	return Poll(mark)
}
