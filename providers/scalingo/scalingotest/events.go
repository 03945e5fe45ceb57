package scalingotest

import (
	"net/http"
	"strconv"
	"time"
)

// event is something that has happened.
type event struct {
	ID        string         `json:"id"`
	CreatedAt time.Time      `json:"created_at"`
	User      person         `json:"user"`
	Type      string         `json:"type"`
	AppID     string         `json:"app_id"`
	AppName   string         `json:"app_name"` // as it was then
	TypeData  map[string]any `json:"type_data"`

	region string
}

// note keeps an event of an app. Called with the lock held.
func (p *Platform) note(a *app, what string, data map[string]any) {
	if p.deaf {
		return
	}
	p.events = append(p.events, event{
		ID: p.id(""), CreatedAt: p.now(), User: owner(), Type: what,
		AppID: a.id, AppName: a.name, TypeData: data, region: a.region,
	})
}

// person is a user as the API tells of one.
type person struct {
	Username string `json:"username"`
	Email    string `json:"email"`
	ID       string `json:"id"`
}

func owner() person { return person{Username: "played", Email: "played@example.com", ID: "us-played"} }

// ofAccount answers with the events of a region, ofApp with those of one app.
func (p *Platform) ofAccount(w http.ResponseWriter, r *http.Request, region string) {
	p.page(w, r, func(e event) bool { return e.region == region })
}

func (p *Platform) ofApp(w http.ResponseWriter, r *http.Request, a *app) {
	p.page(w, r, func(e event) bool { return e.AppID == a.id })
}

// page answers with a page of events, the newest first; with all of the last hours if "from" says
// so. Called with the lock held.
func (p *Platform) page(w http.ResponseWriter, r *http.Request, is func(event) bool) {
	found := []event{}
	for i := len(p.events) - 1; i >= 0; i-- {
		if is(p.events[i]) {
			found = append(found, p.events[i])
		}
	}
	total, per, page := len(found), p.cfg.EventsPerPage, max(1, number(r, "page"))
	if asked := number(r, "per_page"); asked > 0 {
		per = min(asked, per)
	}
	if hours := number(r, "from"); hours > 0 {
		since := p.now().Add(-time.Duration(hours) * time.Hour)
		for i, e := range found {
			if e.CreatedAt.Before(since) {
				found = found[:i]
				break
			}
		}
		per, page, total = max(1, len(found)), 1, len(found)
	}
	from := min((page-1)*per, len(found))
	pages := (total + per - 1) / per
	answer(w, http.StatusOK, map[string]any{
		"events": found[from:min(from+per, len(found))],
		"meta": map[string]any{"pagination": map[string]any{
			"current_page": page, "prev_page": near(page-1, pages), "next_page": near(page+1, pages),
			"total_pages": pages, "total_count": total,
		}},
	})
}

// near is the number of a page beside another one; nil: there is none.
func near(page, pages int) any {
	if page < 1 || page > pages {
		return nil
	}
	return page
}

func number(r *http.Request, key string) int {
	n, err := strconv.Atoi(r.URL.Query().Get(key))
	if err != nil {
		return 0
	}
	return n
}
