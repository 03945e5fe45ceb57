package registry

import (
	"cmp"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/paastis/paastis/prices"
	"github.com/paastis/paastis/registry/history"
	"github.com/paastis/paastis/registry/provider"
)

// Avoided is what was not billed because apps slept: for how long their containers did not run,
// and what they would have cost. What somebody else has stopped does not count, nor does what
// ended by itself. It shares nothing with the registry.
type Avoided struct {
	// Since is when the first of them was put to sleep. Zero: none was, and nothing is avoided.
	Since time.Time
	// Sizes are by provider and size.
	Sizes []AvoidedSize
}

// AvoidedSize is what containers of one size have avoided.
type AvoidedSize struct {
	// Provider is its ID. Size is what its platform calls theirs; empty: it has no sizes.
	Provider, Size string
	Time           history.ContainerTime
	// Price of one. Nil: it is not known.
	Price *prices.Price
}

// Time is for how long all of the containers did not run.
func (a Avoided) Time() history.ContainerTime {
	var all history.ContainerTime
	for _, s := range a.Sizes {
		all += s.Time
	}
	return all
}

// Cost is what they would have cost by the prices of today, as far as those are known.
func (a Avoided) Cost() prices.Sum {
	var cost prices.Sum
	for _, s := range a.Sizes {
		if s.Price != nil {
			cost.Add(*s.Price, int64(s.Time))
		}
	}
	return cost
}

// avoided is what an app has avoided. The zero value: nothing.
type avoided struct {
	kept *avoidedSoFar // nil: nothing; most apps that sleep have not slept for Paastis so far
}

type avoidedSoFar struct {
	history.Avoided
	// seen is when the Paastis before knew the app last, for as long as its provider has not told
	// of it since. Zero: it has.
	seen time.Time
}

// isZero reports whether nothing is avoided.
func (a *avoided) isZero() bool { return a.kept == nil }

// goes reports whether the app sleeps for Paastis.
func (a *avoided) goes() bool { return a.kept != nil && a.kept.Goes() }

// begin takes in what does not run from now on.
func (a *avoided) begin(missing []history.Containers, now time.Time) {
	if a.kept == nil {
		a.kept = &avoidedSoFar{}
	}
	a.kept.Begin(missing, now)
}

// end takes in that the app does not sleep any more, and when it was woken. Zero: that is not known;
// then it slept for as long as it was seen to.
func (a *avoided) end(woken, now time.Time) {
	switch {
	case a.kept == nil:
	case !woken.IsZero():
		a.kept.End(woken)
	case !a.kept.seen.IsZero():
		a.kept.End(a.kept.seen)
	default:
		a.kept.End(now)
	}
}

// restore goes on with what is kept. A sleep goes on as well if the app was there all the while: it
// has another name now, or was updated, or it is in its provider's first report.
func (a *avoided) restore(m history.App, loading bool, now time.Time) {
	if m.Avoided.IsZero() {
		return
	}
	a.kept = &avoidedSoFar{m.Avoided.Clone(), m.Seen}
	if a.kept.GoOn(now); m.Seen.After(now) { // the clock was put back
		a.kept.seen = now
	}
	if now.Sub(m.Seen) > updateMoment && (!loading || !m.RemovedAsleep.IsZero()) {
		a.kept.End(m.Seen)
	}
}

// unheard is when the app was last known to sleep, if its provider has not told of it since. Zero:
// it has.
func (a *avoided) unheard() time.Time {
	if a.kept == nil {
		return time.Time{}
	}
	return a.kept.seen
}

// hear notes that the app's provider tells what has become of it.
func (a *avoided) hear() {
	if a.kept != nil {
		a.kept.seen = time.Time{}
	}
}

// giveAway leaves to another app what was avoided: it is the same one under another name.
func (a *avoided) giveAway() { a.kept = nil }

// soFar is a copy of it.
func (a *avoided) soFar() history.Avoided {
	if a.kept == nil {
		return history.Avoided{}
	}
	return a.kept.Clone()
}

// avoidedNow is what is to outlive Paastis. Of an app that is being stopped that is known from now
// on, for the next Paastis may find it asleep.
func (k *Keeper) avoidedNow(now time.Time) history.Avoided {
	kept := k.avoided.soFar()
	if k.state == Stopping && !k.attempt.hasPendingFailure() {
		kept.Begin(k.missing(), now)
	}
	return kept
}

// missing are the containers that do not run while the app sleeps: those that its provider tells,
// else one for each of its instances. Called with the lock held.
func (k *Keeper) missing() []history.Containers {
	var all []history.Containers
	if p, ok := k.provider.(provider.Sized); ok {
		for _, part := range p.Formation(k.app.Name, slices.Clone(k.resume.get().kept)) {
			all = append(all, history.Containers{Size: part.Size, Amount: part.Amount})
		}
	}
	if sizes := history.SizesOf(all); len(sizes) > 0 {
		return sizes
	}
	return []history.Containers{{Amount: max(1, len(k.app.Instances))}}
}

// beginAvoided takes in that Paastis has put an app to sleep. Called with the lock held.
func (t *transitions) beginAvoided(k *Keeper, now time.Time) {
	missing := k.missing()
	k.avoided.begin(missing, now)
	id := k.provider.ID()
	for _, c := range missing {
		if _, known := t.inForce.settings.Prices.Price(id, c.Size); known || !t.inForce.settings.Prices.Has(id) {
			continue
		}
		if key := id + "/" + c.Size; !t.unpriced[key] {
			t.unpriced[key] = true
			t.journal.say(slog.LevelWarn, "no price is known of containers of this size: their hours are counted, their cost is not; add it to prices in paastis.yml", "provider", id, "size", c.Size, "app", k.Name())
		}
	}
}

// followAvoided takes in that an app may run from now on, or is no longer Paastis's to put to
// sleep, if that is so. Called with the lock held.
func (k *Keeper) followAvoided(now time.Time) {
	if !k.avoided.goes() {
		return
	}
	if woken := k.wokenUnseen(now); !k.sleepsByPaastis() || !woken.IsZero() {
		k.avoided.end(woken, now)
	}
}

// sleepsByPaastis reports whether the app does not run, and nobody but Paastis has seen to that.
func (k *Keeper) sleepsByPaastis() bool {
	asleep := k.state == Asleep || k.state == Starting && !k.attempt.startSent
	return asleep && k.Definition().Managed && !k.removal.gone && !k.app.Alive() && !k.manual.stopped()
}

// wokenUnseen is when the app was started while no Paastis ran, by its provider's clock. Zero: it
// was not, or that is not known.
func (k *Keeper) wokenUnseen(now time.Time) time.Time {
	unheard := k.avoided.unheard()
	if unheard.IsZero() {
		return time.Time{}
	}
	var last time.Time
	for _, i := range k.app.Instances {
		last = latest(last, i.StartedAt)
	}
	if !last.After(unheard) || last.After(now) {
		return time.Time{}
	}
	return last
}

// avoidedOf is what an app has avoided. Called with the lock held.
func (f *inForce) avoidedOf(k *Keeper, now time.Time) Avoided {
	if k.avoided.isZero() {
		return Avoided{}
	}
	return f.priced(map[string]*history.Avoided{k.provider.ID(): &k.avoided.kept.Avoided}, now)
}

// priced is what was avoided by the prices in force, of providers by their IDs. Called with the
// lock held.
func (f *inForce) priced(byProvider map[string]*history.Avoided, now time.Time) Avoided {
	var all Avoided
	for id, avoided := range byProvider {
		if first := avoided.First(); !first.IsZero() && (all.Since.IsZero() || first.Before(all.Since)) {
			all.Since = first
		}
		for size, slept := range avoided.Times(now) {
			s := AvoidedSize{Provider: id, Size: size, Time: slept}
			if p, known := f.settings.Prices.Price(id, size); known {
				s.Price = &p
			}
			all.Sizes = append(all.Sizes, s)
		}
	}
	slices.SortFunc(all.Sizes, func(a, b AvoidedSize) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Size, b.Size))
	})
	return all
}

// avoided is what the apps of each provider have avoided, by its ID, with what is known of those that
// are no more.
func (s *keeperSet) avoided(gone map[string]history.Avoided, now time.Time) map[string]*history.Avoided {
	sums := map[string]*history.Avoided{}
	for id, theirs := range gone {
		sums[id] = &theirs
	}
	for id, k := range s.byID {
		if k.avoided.isZero() {
			continue
		}
		name, _, _ := strings.Cut(id, "/")
		if sums[name] == nil {
			sums[name] = &history.Avoided{}
		}
		sums[name].Add(&k.avoided.kept.Avoided, now)
	}
	return sums
}
