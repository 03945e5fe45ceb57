package registry

import (
	"context"
	"reflect"
	"slices"
	"time"
)

// viewPause is how often a picture is looked at without a sign of a change, in case one
// was not told: many wait for one app.
const viewPause = 10 * time.Second

// ViewAfter blocks until the picture of an app is another than one that was seen, or
// until ctx ends. It returns the picture as it is then, and whether it is another.
func (r *Registry) ViewAfter(ctx context.Context, k *Keeper, seen View) (View, bool) {
	for {
		changes := r.changesAround(k)
		switch v := r.View(k); {
		case !v.equal(seen):
			return v, true
		case ctx.Err() != nil:
			return v, false
		}
		waitAny(ctx, changes, viewPause)
	}
}

// changesAround are closed at the next change of an app or of one that it needs.
func (r *Registry) changesAround(k *Keeper) []<-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	changes := []<-chan struct{}{k.next()}
	inv := r.inventory.Load()
	for _, name := range inv.Graph.Closure(k.Name()) {
		if e := inv.names[name]; e != nil && e.keeper != k {
			changes = append(changes, e.keeper.next())
		}
	}
	return changes
}

func (v View) equal(o View) bool {
	return v.Name == o.Name && v.State == o.State && v.Reason == o.Reason &&
		slices.Equal(v.Logs, o.Logs) && slices.Equal(v.Steps, o.Steps)
}

// waitAny blocks until one of the channels is closed, ctx ends, or the time is up.
func waitAny(ctx context.Context, channels []<-chan struct{}, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	cases := []reflect.SelectCase{receiveFrom(ctx.Done()), receiveFrom(timer.C)}
	for _, c := range channels {
		cases = append(cases, receiveFrom(c))
	}
	reflect.Select(cases)
}

func receiveFrom(channel any) reflect.SelectCase {
	return reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(channel)}
}
