package registry

import (
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// EventsKept is how many of the last events are remembered.
const EventsKept = 1000

// EventKind tells events apart.
type EventKind string

const (
	// StateEvent: a managed app changed its state.
	StateEvent EventKind = "state"
	// PinEvent: it was pinned, or let go. Its state is the same before and after.
	PinEvent EventKind = "pin"
	// GoneEvent: it no longer exists, or is managed no more.
	GoneEvent EventKind = "gone"
)

// Event is something that happened to an app.
type Event struct {
	// ID grows by one with each event. Those of a Paastis that starts are greater than
	// those of the one before it.
	ID   uint64
	At   time.Time
	Kind EventKind
	// App is the name that the app had.
	App        string
	State, Was State
	// Reason is the one in the log. Zero: none was given.
	Reason reason.Reason
	// Took is for how long it was in the state before. Zero: not known, or no such change.
	Took time.Duration
}

// news is what happened, and who follows it. Guarded by the registry's lock, which is held
// whenever it is used.
type news struct {
	last      uint64  // ID of the last event
	ring      []Event // the last ones; the oldest is at next once it is full
	next      int     // where the next one goes
	followers []*Follower
}

// Events are those after an ID, oldest first: of the last thousand, those of one app if app
// is not empty. If there are more than the limit, they are the first after the ID, and for the
// ID 0 the last of all. A limit of 0 or less is none.
func (r *Registry) Events(after uint64, app string, limit int) []Event {
	r.mu.Lock()
	defer r.unlock()
	events := r.news.after(after)
	if app != "" {
		events = slices.DeleteFunc(events, func(e Event) bool { return e.App != app })
	}
	switch more := len(events) - limit; {
	case limit <= 0 || more <= 0:
		return events
	case after == 0:
		return events[more:]
	default:
		return events[:limit]
	}
}

// after are a copy of those of the last events that come after an ID, oldest first.
func (n *news) after(id uint64) []Event {
	kept := uint64(len(n.ring))
	if oldest := n.last - kept; id < oldest {
		id = oldest
	}
	var events []Event
	for back := n.last - min(id, n.last); back > 0; back-- {
		events = append(events, n.ring[(uint64(n.next)+kept-back)%kept])
	}
	return events
}

// forgot reports whether there were events after an ID that are not remembered. An ID that is
// still to come is one of a clock that was put back.
func (n *news) forgot(id uint64) bool {
	return id != 0 && (id < n.last-uint64(len(n.ring)) || id > n.last)
}

// emit remembers an event, and tells those who follow.
func (n *news) emit(e Event) {
	n.last++
	e.ID = n.last
	if len(n.ring) < EventsKept {
		n.ring = append(n.ring, e)
	} else {
		n.ring[n.next] = e
	}
	n.next = (n.next + 1) % EventsKept
	for _, f := range n.followers {
		f.signal()
	}
}

// add lets somebody follow what happens from now on.
func (n *news) add(f *Follower) { n.followers = append(n.followers, f) }

// remove ends that.
func (n *news) remove(f *Follower) {
	n.followers = slices.DeleteFunc(n.followers, func(other *Follower) bool { return other == f })
}

// markChanged tells who follows that the picture of an app is another; there is none of one that
// is gone.
func (n *news) markChanged(k *Keeper) {
	for _, f := range n.followers {
		f.markChanged(k)
	}
}

// markGone tells who follows that a name is known no more.
func (n *news) markGone(name string) {
	for _, f := range n.followers {
		f.markGone(name)
	}
}

// compare tells of the apps that are others than before by a new inventory, and of those that
// are no longer listed.
func (n *news) compare(before, inv *inventory.Inventory) {
	if len(n.followers) == 0 {
		return
	}
	for _, e := range inv.Definitions {
		if was := before.ByName[e.ID]; was == nil || was.ID != e.ID || !inv.TellsAsMuchOf(e, before, was) {
			n.markChanged(KeeperOf(e))
		}
	}
	for _, was := range before.Definitions {
		if e := inv.ByName[was.Name]; before.Lists(was) && (e == nil || e.Name != was.Name || !inv.Lists(e)) {
			n.markGone(was.Name)
		}
	}
}
