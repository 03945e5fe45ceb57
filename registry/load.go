package registry

import (
	"context"
	"errors"
	"time"

	"github.com/paastis/paastis/registry/provider"
)

// errLate is of a provider that takes longer than the others.
var errLate = errors.New("no answer so far")

const (
	// loadPatience is how much longer Load waits for the other providers once one has answered.
	loadPatience = 500 * time.Millisecond
	// silentPatience is how long it waits for the first one.
	silentPatience = 800 * time.Millisecond
	// reportPatience is for how long after the start a request that is no app's so far may wait
	// for the providers that have not answered.
	reportPatience = 5 * time.Second
	// firstLimit bounds the first listing of a provider, which goes on while Paastis serves.
	firstLimit = 30 * time.Second
)

// firstListings are those that Load begins. The zero value: it was not called.
type firstListings struct {
	over map[provider.Provider]chan struct{} // closed when that of a provider is; never changed once Load asks
	end  context.CancelFunc                  // ends all that go on; nil: none were begun
}

// endAll ends those that go on.
func (f *firstListings) endAll() {
	if f.end != nil {
		f.end()
	}
}

// await blocks until that of a provider is over, if one was begun, or ctx ends, and reports
// whether it went on until then.
func (f *firstListings) await(ctx context.Context, p provider.Provider) bool {
	over := f.over[p]
	if over == nil {
		return false
	}
	select {
	case <-over:
		return false
	default:
	}
	select {
	case <-over:
	case <-ctx.Done():
	}
	return true
}

// loadProviders asks all providers for their apps at once, and blocks as Load does. Those that
// have not answered by then go on, and are taken in when they come.
func (i *intake) loadProviders(parent context.Context) {
	i.began = time.Now()
	ctx, end := context.WithCancel(parent)
	i.first = firstListings{over: map[provider.Provider]chan struct{}{}, end: end}
	for _, p := range i.providers {
		i.first.over[p] = make(chan struct{})
	}
	heard := make(chan bool, len(i.providers))
	for _, p := range i.providers {
		i.tasks.running.Go(func() {
			one := i.loadFirst(ctx, p)
			close(i.first.over[p]) // before it is heard: who was is not late
			heard <- one
		})
	}
	if i.awaitLoaded(ctx, heard); parent.Err() != nil {
		i.tasks.running.Wait()
	}
	i.tellLate()
}

// awaitLoaded waits until all have been heard, or have failed, but not for who is too late.
func (i *intake) awaitLoaded(ctx context.Context, heard <-chan bool) {
	patience := time.NewTimer(silentPatience)
	defer patience.Stop()
	some := false
	for range i.providers {
		select {
		case one := <-heard:
			if one && !some {
				some = true
				patience.Reset(loadPatience)
			}
		case <-patience.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// loadFirst takes in the first listing of a provider, and reports whether there is one.
func (i *intake) loadFirst(ctx context.Context, p provider.Provider) bool {
	ctx, cancel := context.WithTimeout(ctx, firstLimit)
	defer cancel()
	report, err := p.List(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return false // Paastis ends, or it was told already that there is no answer
	case err != nil:
		i.tellSilent(p, err)
		return false
	}
	i.apply(p, report)
	i.noteContact(p, nil)
	return true
}

// tellLate tells of the providers whose first listing goes on.
func (i *intake) tellLate() {
	for _, p := range i.providers {
		select {
		case <-i.first.over[p]:
		default:
			i.tellSilent(p, errLate)
		}
	}
}

// tellSilent tells of a provider that was not heard.
func (i *intake) tellSilent(p provider.Provider, err error) {
	i.noteContact(p, err)
	i.log.Warn("provider does not answer: Paastis begins without its apps, and asks again", "provider", p.ID(), "error", err)
}

// list takes in what a provider reports now, if it answers before ctx ends. If its first listing
// goes on, that is waited for instead.
func (i *intake) list(ctx context.Context, p provider.Provider) {
	if i.first.await(ctx, p) {
		return
	}
	if report, err := p.List(ctx); err == nil {
		i.apply(p, report)
	}
}
