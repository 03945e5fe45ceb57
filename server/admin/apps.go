package admin

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/paastis/paastis/registry"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/reason"
)

const (
	// mostDays is how far the history goes back.
	mostDays = uint64(history.Kept / (24 * time.Hour))
	// longestPin is how long an app can be pinned: longer ones are slips of the pen.
	longestPin = 10 * 365 * 24 * time.Hour
)

// apps is what the API says of apps, and what it orders for them.
type apps struct{ registry *registry.Registry }

// list answers with all apps.
func (a apps) list(c echo.Context) error {
	l := a.registry.Listing()
	all := make([]appDocument, 0, len(l.Details))
	for _, d := range l.Details {
		all = append(all, appOf(d))
	}
	return c.JSON(http.StatusOK, struct {
		Now    time.Time      `json:"now"`
		Apps   []appDocument  `json:"apps"`
		Totals totalsDocument `json:"totals"`
	}{time.Now().UTC(), all, totalsOf(l)})
}

// one answers with one app.
func (a apps) one(c echo.Context) error {
	k, err := a.find(c)
	if err != nil {
		return err
	}
	return a.show(c, http.StatusOK, k)
}

// show answers with an app as it is now.
func (a apps) show(c echo.Context, status int, k *registry.Keeper) error {
	d := a.registry.Detail(k)
	return c.JSON(status, struct {
		Now time.Time `json:"now"`
		appDocument
		Wakes []wakeDocument `json:"wakes"`
	}{time.Now().UTC(), appOf(d), wakesOf(d.Wakes)})
}

// history answers with what an app did in the last days.
func (a apps) history(c echo.Context) error {
	k, err := a.find(c)
	if err != nil {
		return err
	}
	days, err := number(c, "days", 1, 1, mostDays)
	if err != nil {
		return err
	}
	from := time.Now().Add(-time.Duration(days) * 24 * time.Hour)
	spans := a.registry.History(k, from)
	answer := historyDocument{Now: time.Now().UTC(), From: from.UTC(), Spans: make([]spanDocument, 0, len(spans)), Wakes: []wakeDocument{}}
	for _, s := range spans {
		answer.Spans = append(answer.Spans, spanDocument{From: s.From.UTC(), To: s.To.UTC(), State: string(s.State)})
	}
	if n := len(spans); n > 0 { // both are of one instant
		answer.From, answer.Now = spans[0].From.UTC(), spans[n-1].To.UTC()
	}
	for _, w := range a.registry.Detail(k).Wakes {
		if !w.At.Before(from) {
			answer.Wakes = append(answer.Wakes, wakeOf(w))
		}
	}
	return c.JSON(http.StatusOK, answer)
}

func (a apps) wake(c echo.Context) error  { return a.wakeManually(c, false) }
func (a apps) retry(c echo.Context) error { return a.wakeManually(c, true) }

// wakeManually wakes an app, also one that was stopped by hand, and whatever its back-off if the
// admin insists. Who does so means to use it: its idle time begins anew.
func (a apps) wakeManually(c echo.Context, insist bool) error {
	k, err := a.findManaged(c, &struct{}{})
	if err != nil {
		return err
	}
	k.Pass(time.Now())
	a.registry.WakeManually(k, insist)
	return a.show(c, http.StatusAccepted, k)
}

// sleep puts an app to sleep, unless something is against it.
func (a apps) sleep(c echo.Context) error {
	var order struct {
		Force bool `json:"force"`
	}
	k, err := a.findManaged(c, &order)
	if err != nil {
		return err
	}
	if err := a.registry.Sleep(k, order.Force); err != nil {
		var why registry.SleepRefusal
		errors.As(err, &why)
		refused := a.conflict(k, why.Reason)
		refused.Force = errors.Is(err, registry.ErrUnlessForced)
		return refused
	}
	return a.show(c, http.StatusAccepted, k)
}

// pin keeps an app awake.
func (a apps) pin(c echo.Context) error {
	var order pinOrder
	k, err := a.findManaged(c, &order)
	if err != nil {
		return err
	}
	until, err := order.end(time.Now())
	if err != nil {
		return err
	}
	a.registry.Pin(k, until)
	return a.show(c, http.StatusOK, k)
}

// unpin lets go of it.
func (a apps) unpin(c echo.Context) error {
	k, err := a.findManaged(c, &struct{}{})
	if err != nil {
		return err
	}
	a.registry.Pin(k, time.Time{})
	return a.show(c, http.StatusOK, k)
}

// pinOrder is until when, or for how many seconds.
type pinOrder struct {
	Until *time.Time `json:"until"`
	For   *float64   `json:"for"`
}

// end is when the pin ends.
func (o pinOrder) end(now time.Time) (time.Time, error) {
	longest := now.Add(longestPin)
	switch {
	case (o.Until == nil) == (o.For == nil):
		return time.Time{}, bad(`give either "until", a time such as %q, or "for", a number of seconds`, now.Add(time.Hour).UTC().Format(time.RFC3339))
	case o.For != nil && !(*o.For > 0 && *o.For <= longestPin.Seconds()):
		return time.Time{}, bad(`"for" must be more than 0 and at most %.0f seconds (ten years)`, longestPin.Seconds())
	case o.For != nil:
		return now.Add(time.Duration(*o.For * float64(time.Second))), nil
	case !o.Until.After(now):
		return time.Time{}, bad(`"until" is past; to let go of a pin there is unpin`)
	case o.Until.After(longest):
		return time.Time{}, bad(`"until" is more than ten years from now`)
	default:
		return *o.Until, nil
	}
}

// find is the app that a path names.
func (a apps) find(c echo.Context) (*registry.Keeper, error) {
	name := c.Param("name")
	if c.Request().URL.RawPath != "" { // Echo leaves its escapes in then
		if plain, err := url.PathUnescape(name); err == nil {
			name = plain
		}
	}
	e := a.registry.Inventory().Named(name)
	if e == nil {
		return nil, &refusal{Status: http.StatusNotFound, Title: "There is no such app", Detail: "It may be gone, or go by another name; api/v1/apps has all.", App: name}
	}
	return registry.KeeperOf(e), nil
}

// findManaged reads the body of an order, and finds the app that it is for.
func (a apps) findManaged(c echo.Context, order any) (*registry.Keeper, error) {
	k, err := a.find(c)
	if err != nil {
		return nil, err
	}
	if !k.Definition().Managed {
		return nil, a.conflict(k, reason.Reason{Kind: reason.NotManaged, Because: new(k.Definition().Why)})
	}
	return k, readJSON(c, order)
}

// conflict says why an app cannot be moved.
func (a apps) conflict(k *registry.Keeper, why reason.Reason) *refusal {
	d := a.registry.Detail(k)
	return &refusal{Status: http.StatusConflict, Title: "The app stays as it is", Detail: why.String(), Reason: why.Kind, App: d.Name, State: d.State.String()}
}

// number is a number of the query, or what it is without.
func number(c echo.Context, name string, without, least, most uint64) (uint64, error) {
	text := c.QueryParam(name)
	if text == "" {
		return without, nil
	}
	return parseNumber(name, text, least, most)
}

func parseNumber(name, text string, least, most uint64) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n < least || n > most {
		return 0, bad("%s must be a number from %d to %d", name, least, most)
	}
	return n, nil
}
