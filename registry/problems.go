package registry

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/handover"
	"github.com/paastis/paastis/registry/inventory"
)

// settleTime is how long a problem lasts before it is told. Containers are made and replaced
// one after the other: for an instant a stack lacks an app, or has one twice.
const settleTime = 10 * time.Second

// problem is one of the inventory's.
type problem struct {
	since time.Time // zero: since Paastis runs
	told  bool
}

// problems are those that there are, and those that were told. Guarded by the registry's lock,
// which is held whenever it is used.
type problems struct {
	*core
	inForce   *inForce
	keepers   *keeperSet
	publisher *Publisher
	byProblem map[inventory.Problem]*problem
	untold    bool // there are some that were not told yet
}

// refresh finds which there are now.
func (o *problems) refresh(now time.Time) { o.set(o.warnings(), now) }

// warnings are the inventory's problems, and those of publishing to the Traefiks that fetch
// the routes. Called with the lock held.
func (o *problems) warnings() inventory.Problems {
	var told inventory.Problems
	for p := range o.publisher.pollers.All() {
		told = append(told, p.To().Problems...)
	}
	told = append(told, o.contradictions(time.Now())...)
	slices.SortFunc(told, byText)
	return append(o.inForce.inventory.Load().Problems(), slices.Compact(told)...)
}

// set takes in which problems there are now. Called with the lock held.
func (o *problems) set(all inventory.Problems, now time.Time) {
	if o.keepers.loading {
		now = time.Time{}
	}
	before := o.byProblem
	o.byProblem = make(map[inventory.Problem]*problem, len(all))
	for _, one := range all {
		known := before[one]
		if known == nil {
			known = &problem{since: now}
			o.untold = true
		}
		o.byProblem[one] = known
	}
}

// tell logs, once, each problem that has lasted, and returns when the next one will have. Zero:
// none is waited for.
func (o *problems) tell(now time.Time) (next time.Time) {
	if !o.untold {
		return next
	}
	o.untold = false
	for _, one := range o.warnings() {
		switch it := o.byProblem[one]; {
		case it == nil || it.told:
		case now.Sub(it.since) >= settleTime:
			o.journal.say(slog.LevelWarn, one.Text)
			it.told = true
		default:
			o.untold = true
			if due := it.since.Add(settleTime); next.IsZero() || due.Before(next) {
				next = due
			}
		}
	}
	return next
}

// contradictions are where the API of a Traefik says something else than what is known of
// it: it has a router that it should leave out, or lacks one that is published to it. Called
// with the lock held.
func (o *problems) contradictions(now time.Time) inventory.Problems {
	var all inventory.Problems
	for _, endpoint := range slices.Sorted(maps.Keys(o.publisher.listed)) {
		fetching := slices.DeleteFunc(o.publisher.pollers.Live(now), func(p *handover.Poller) bool { return p.Endpoint != endpoint })
		if len(fetching) == 1 { // else it is not known whose API it is
			all = append(all, o.contradicts(fetching[0].To(), o.publisher.listed[endpoint], now)...)
		}
	}
	return all
}

func (o *problems) contradicts(d *handover.Destination, is listed, now time.Time) inventory.Problems {
	has := func(rt *inventory.Route) bool {
		return slices.ContainsFunc(rt.Router.RunningNames(rt.Definition.TraefikProvider()), func(name string) bool { return is.names[name] })
	}
	var all inventory.Problems
	for rt, why := range d.Withheld {
		if !rt.Router.Own && has(rt) && d.Refuses(rt) != "" {
			all = append(all, inventory.Problem{Kind: inventory.TraefikHasRouter, Text: fmt.Sprintf("router %q on %s is not published to Traefik, for %s; but its API has it: correct %s and the like", rt.Router.Name, rt.Definition.App.Origin, why, d.Key("constraints"))})
		}
	}
	for _, rt := range d.Routes {
		k := KeeperOfRoute(rt.Route)
		settled := k.state == Ready && now.Sub(k.since) > settleTime+o.inForce.settings.Throttle && rt.Definition.KeptAs(k.app)
		if len(is.names) > 0 && settled && !rt.Router.Own && !has(rt.Route) {
			all = append(all, inventory.Problem{Kind: inventory.TraefikLacksRouter, Text: fmt.Sprintf("router %q on %s is published to Traefik, but its API lacks it: if its constraints or exposedByDefault leave it out, set %s and %s as it has them", rt.Router.Name, rt.Definition.App.Origin, d.Key("constraints"), d.Key("exposed_by_default"))})
		}
	}
	slices.SortFunc(all, byText)
	return all
}

// byText orders problems as people read them.
func byText(a, b inventory.Problem) int { return strings.Compare(a.Text, b.Text) }
