package scalingo

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// This is what Scalingo's API says, as far as it is read
// (https://developers.scalingo.com, github.com/Scalingo/go-scalingo).

// appInfo is an app in a list.
type appInfo struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
	// BaseURL is the one that Scalingo has made. URL may be a canonical domain of the owner's,
	// which may lead to Traefik, and from there back to here.
	BaseURL string `json:"base_url"`
}

// appList is all apps of a region.
type appList struct {
	Apps *[]json.RawMessage `json:"apps"`
}

// listed are the apps of an answer. What cannot be read of one is empty. It is an error if the answer has no list, or an app without a name.
func listed(apps *[]json.RawMessage) ([]appInfo, error) {
	if apps == nil {
		return nil, errors.New(`the answer has no "apps"`)
	}
	found := make([]appInfo, 0, len(*apps))
	for _, raw := range *apps {
		var a appInfo
		_ = json.Unmarshal(raw, &a) // a field of another type is as one that is missing
		if a.ID == "" || a.Name == "" {
			return nil, errors.New("the answer has an app without id and name")
		}
		found = append(found, a)
	}
	return found, nil
}

// part is a type of containers, and how many there are of what size.
type part struct {
	Name   string `json:"name"`
	Amount int    `json:"amount"`
	// Size is empty where it is to stay as it is.
	Size string `json:"size,omitempty"`
}

// formation is what an app is scaled to. The API answers with all types, also those with 0.
type formation struct {
	Containers *[]partInfo `json:"containers"`
}

// partInfo is a part as it is told: what is missing is not 0.
type partInfo struct {
	Name   string `json:"name"`
	Amount *int   `json:"amount"`
	Size   string `json:"size"`
}

// parts are those of an answer.
func (f formation) parts() ([]part, error) {
	if f.Containers == nil {
		return nil, errors.New(`the answer has no "containers"`)
	}
	var parts []part
	for _, c := range *f.Containers {
		if c.Name == "" || c.Amount == nil || *c.Amount < 0 {
			return nil, errors.New("the answer has containers without name and amount")
		}
		parts = append(parts, part{Name: c.Name, Amount: *c.Amount, Size: c.Size})
	}
	return parts, nil
}

// operation is what becomes of an order.
type operation struct {
	Operation struct {
		ID     string `json:"id"`
		Status string `json:"status"`
		Error  string `json:"error"`
	} `json:"operation"`
}

// ended reports whether the operation has, and why it failed. Empty: it did not.
func (o operation) ended() (ended bool, fault string) {
	switch o.Operation.Status {
	case "done":
		return true, ""
	case "error":
		if o.Operation.Error == "" {
			return true, "the operation failed"
		}
		return true, o.Operation.Error
	default:
		return false, ""
	}
}

// autoscalers are those of an app.
type autoscalers struct {
	Autoscalers *[]autoscaler `json:"autoscalers"`
}

type autoscaler struct {
	ID            string    `json:"id"`
	ContainerType string    `json:"container_type"`
	Disabled      bool      `json:"disabled"`
	UpdatedAt     time.Time `json:"updated_at"`
}

// all are those of an answer.
func (a autoscalers) all() ([]autoscaler, error) {
	if a.Autoscalers == nil {
		return nil, errors.New(`the answer has no "autoscalers"`)
	}
	return *a.Autoscalers, nil
}

// page is a page of events, the newest first.
type page struct {
	Events *[]event `json:"events"`
	Meta   struct {
		Pagination struct {
			NextPage *int `json:"next_page"`
		} `json:"pagination"`
	} `json:"meta"`
}

// event is something that somebody did.
type event struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	AppID     string          `json:"app_id"`
	CreatedAt time.Time       `json:"created_at"`
	TypeData  json.RawMessage `json:"type_data"`
}

// scaling is what an event of the type "scale" tells.
type scaling struct {
	Previous   spelled `json:"previous_containers"`
	Containers spelled `json:"containers"`
}

// scaling is what the event tells. False: it is no scale, or cannot be read.
func (e event) scaling() (s scaling, ok bool) {
	if e.Type != "scale" || json.Unmarshal(e.TypeData, &s) != nil {
		return scaling{}, false
	}
	return s, s.Previous != nil && s.Containers != nil
}

// spelled is a formation as events tell it. The documentation has numbers, the vendor's client
// reads texts that have the size as well: "2:L".
type spelled []part

// UnmarshalJSON reads both.
func (s *spelled) UnmarshalJSON(text []byte) error {
	var told map[string]any
	if err := json.Unmarshal(text, &told); err != nil {
		return fmt.Errorf("read a formation: %w", err)
	}
	parts := spelled{}
	for name, value := range told {
		p, err := spelledPart(name, value)
		if err != nil {
			return err
		}
		parts = append(parts, p)
	}
	sortParts(parts)
	*s = parts
	return nil
}
