package herokutest

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
)

// Lists are cut (devcenter.heroku.com/articles/platform-api-reference#ranges): 200 at a time,
// unless a greater maximum is asked for.
const (
	defaultPage = 200
	greatest    = 1000
)

// asked is a Range: `id ..; max=1000`, `name ]last..; max=10`.
var asked = regexp.MustCompile(`^(id|name) (\])?([^.;]*)\.\.([^;]*)(?:; *(?:order=(asc|desc), *)?max=(\d+)(?:, *order=(?:asc|desc))?)?$`)

// page is a part of a list.
type page struct {
	by    string
	after string // exclusive; empty: from the first
	max   int
}

// readPage reads which part is asked for; nil: none that there could be.
func readPage(header string) *page {
	if header == "" {
		return &page{by: "id", max: defaultPage}
	}
	m := asked.FindStringSubmatch(header)
	if m == nil {
		return nil
	}
	p := &page{by: m[1], after: m[3], max: defaultPage}
	if m[6] != "" {
		p.max, _ = strconv.Atoi(m[6]) // it is all digits
	}
	if p.max < 1 || p.max > greatest {
		return nil
	}
	return p
}

// key is what apps are in order by.
func (p *page) key(a *app) string {
	if p.by == "name" {
		return a.Name
	}
	return a.id
}

// listApps tells those that the account may see, or those of a team.
func (h *Heroku) listApps(w http.ResponseWriter, r *http.Request) {
	p := readPage(r.Header.Get("Range"))
	if p == nil {
		(&fault{http.StatusRequestedRangeNotSatisfiable, "requested_range_not_satisfiable", "The requested range is not satisfiable."}).write(w)
		return
	}
	w.Header().Set("Accept-Ranges", "id, name, updated_at")
	status, all := http.StatusOK, []any{}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.sorted(p) {
		if team := r.PathValue("team"); team != "" && a.Team != team || p.key(a) <= p.after {
			continue
		}
		if len(all) == p.max {
			w.Header().Set("Next-Range", fmt.Sprintf("%s ]%s..; max=%d", p.by, p.after, p.max))
			status = http.StatusPartialContent
			break
		}
		all = append(all, h.appJSON(a))
		p.after = p.key(a)
	}
	write(w, status, all)
}

// sorted are all apps in the order of a page. Called with the lock held.
func (h *Heroku) sorted(p *page) []*app {
	all := make([]*app, 0, len(h.apps))
	for _, a := range h.apps {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *app) int { return cmp.Compare(p.key(a), p.key(b)) })
	return all
}
