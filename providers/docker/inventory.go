package docker

import (
	"maps"
	"slices"
	"sync"

	api "github.com/moby/moby/api/types/container"
)

// inventory holds the newest look at each container. Looks are numbered when they
// begin; one that ends after a later one was stored is dropped. All methods may be
// called concurrently and none does I/O.
type inv struct {
	mu sync.Mutex

	// clock is the last number given: to a look, to a listing or to a snapshot.
	clock uint64
	// open are the looks and listings that began and did not end.
	open map[uint64]bool
	// newest :: container ID → the newest look at it.
	newest map[string]look
	// removed :: ID of a container that is gone → the look that found out. It is kept
	// as long as an older look, which may still have seen the container, is open.
	removed map[string]uint64
	// stops :: container ID → who has stopped it, as far as events tell.
	stops map[string]stop
	// doubted is the last look that changes may have gone unnoticed since.
	doubted uint64
}

// look is one inspection of one container.
type look struct {
	seq       uint64
	container *container
}

// begin numbers a look or a listing. end, drop or compare must follow.
func (i *inv) begin() uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.open == nil {
		i.open, i.newest, i.removed = map[uint64]bool{}, map[string]look{}, map[string]uint64{}
	}
	i.clock++
	i.open[i.clock] = true
	return i.clock
}

// end stores what look seq found under that ID: nil if there is no such container.
func (i *inv) end(seq uint64, id string, found *container) {
	i.mu.Lock()
	defer i.mu.Unlock()
	defer i.closeLocked(seq)
	switch {
	case seq < i.newest[id].seq || seq < i.removed[id]:
	case found == nil:
		i.removeLocked(seq, id)
	default:
		i.newest[id] = look{seq, found}
	}
}

// drop ends a look or a listing that found nothing out.
func (i *inv) drop(seq uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closeLocked(seq)
}

// compare ends listing seq. It removes what is not in the list, and returns the IDs of
// the containers that need a look.
func (i *inv) compare(seq uint64, list []api.Summary) []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	defer i.closeLocked(seq)
	there := make(map[string]bool, len(list))
	var changed []string
	for _, s := range list {
		there[s.ID] = true
		if i.changedLocked(seq, s) {
			changed = append(changed, s.ID)
		}
	}
	for id, l := range i.newest {
		if !there[id] && l.seq < seq {
			i.removeLocked(seq, id)
		}
	}
	return changed
}

// changedLocked reports whether listing seq knows better than the newest look.
func (i *inv) changedLocked(seq uint64, s api.Summary) bool {
	if i.removed[s.ID] > seq {
		return false
	}
	l, seen := i.newest[s.ID]
	return !seen || l.seq <= i.doubted || l.seq < seq && l.container.fingerprint != fingerprintOfListed(s)
}

func (i *inv) removeLocked(seq uint64, id string) {
	delete(i.newest, id)
	delete(i.stops, id)
	i.removed[id] = seq
}

func (i *inv) closeLocked(seq uint64) {
	delete(i.open, seq)
	for id, found := range i.removed {
		if !i.olderOpenLocked(found) {
			delete(i.removed, id)
		}
	}
}

func (i *inv) olderOpenLocked(seq uint64) bool {
	for open := range i.open {
		if open < seq {
			return true
		}
	}
	return false
}

// doubt makes the next listing look at every container again.
func (i *inv) doubt() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.doubted = i.clock
}

// contents are every container, sorted by ID, who has stopped which, and a number greater
// than that of any look in it and of any snapshot before.
func (i *inv) contents() ([]*container, map[string]stop, uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.clock++
	all := make([]*container, 0, len(i.newest))
	for _, id := range slices.Sorted(maps.Keys(i.newest)) {
		all = append(all, i.newest[id].container)
	}
	return all, maps.Clone(i.stops), i.clock
}
