package clevercloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/providers/internal/paas"
)

// What the API answers, as far as it is used here. A field of another type than it has today is as
// one that is missing: one app that cannot be read must not hide the others.

// summary is everything that an account may see. Its personal space may be in it twice.
type summary struct {
	User          rawOwner    `json:"user"`
	Organisations *[]rawOwner `json:"organisations"`
}

// rawOwner is an organisation, or a user with a personal space.
type rawOwner struct {
	ID           text      `json:"id"`
	Name         text      `json:"name"`
	Applications *[]rawApp `json:"applications"`
}

// errUnread is of an answer that lacks what it has to have: what is not in it may be there all the
// same.
var errUnread = errors.New("the answer is none that Paastis can read")

// owners are all owners, each once, or an error if they are not all there: an app that is missing
// would be taken for one that was deleted.
func (s summary) owners() ([]rawOwner, error) {
	if s.Organisations == nil || s.User.ID == "" {
		return nil, fmt.Errorf("%w: it lacks user or organisations", errUnread)
	}
	s.User.Name = "the personal space"
	var all []rawOwner
	for _, o := range append([]rawOwner{s.User}, *s.Organisations...) {
		if o.ID == "" || o.Applications == nil || slices.ContainsFunc(*o.Applications, func(a rawApp) bool { return a.ID == "" }) {
			return nil, fmt.Errorf("%w: an owner or an app has no id", errUnread)
		}
		if !slices.ContainsFunc(all, func(other rawOwner) bool { return other.ID == o.ID }) {
			all = append(all, o)
		}
	}
	return all, nil
}

// rawApp is an app, by the summary or by the list of its owner.
type rawApp struct {
	ID       text          `json:"id"`
	Name     text          `json:"name"`
	State    text          `json:"state"`
	Archived lenient[bool] `json:"archived"`

	// The rest is not in the summary.

	Commit     text                       `json:"commitId"`
	Created    stamp                      `json:"creationDate"`
	VHosts     lenient[[]json.RawMessage] `json:"vhosts"`
	Instance   lenient[rawScale]          `json:"instance"`
	Deployment lenient[struct {
		Type text `json:"type"`
	}] `json:"deployment"`
}

// rawScale is what an app runs as.
type rawScale struct {
	Min    lenient[float64] `json:"minInstances"`
	Flavor lenient[struct {
		Name text `json:"name"`
	}] `json:"minFlavor"`
	Lifetime text `json:"lifetime"`
}

// hosts are the domains of the app: a name, and perhaps a path.
func (a rawApp) hosts() []string {
	var all []string
	for _, raw := range a.VHosts.value {
		var host struct {
			FQDN text `json:"fqdn"`
		}
		if json.Unmarshal(raw, &host) == nil && host.FQDN != "" {
			all = append(all, string(host.FQDN))
		}
	}
	return all
}

// rawDeployment is one of an app.
type rawDeployment struct {
	UUID   text  `json:"uuid"`
	State  text  `json:"state"`
	Action text  `json:"action"`
	Date   stamp `json:"date"`
}

// rawInstance is one of an app.
type rawInstance struct {
	State  text `json:"state"`
	Commit text `json:"commit"`
}

// text is a text, or empty where it is something else.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var s lenient[string]
	_ = s.UnmarshalJSON(raw) // never fails
	*t = text(strings.TrimSpace(paas.Line(s.value)))
	return nil
}

// lenient is a value, or none where it is something else.
type lenient[T any] struct{ value T }

func (m *lenient[T]) UnmarshalJSON(raw []byte) error {
	var v T
	if json.Unmarshal(raw, &v) == nil {
		m.value = v
	}
	return nil
}

// stamp is a time in ms since 1970, or written as RFC 3339 has it; 0 where it is something else.
type stamp int64

func (s *stamp) UnmarshalJSON(raw []byte) error {
	var ms lenient[float64]
	var written lenient[time.Time]
	_, _ = ms.UnmarshalJSON(raw), written.UnmarshalJSON(raw) // never fail
	*s = stamp(ms.value)
	if !written.value.IsZero() {
		*s = stamp(written.value.UnixMilli())
	}
	return nil
}
