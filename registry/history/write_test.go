package history

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowStore takes a second for a write, and one at a time.
type slowStore struct {
	Store
	t      *testing.T
	writes atomic.Int32
	inside atomic.Int32
	err    error
	mu     sync.Mutex
	kept   State
}

func (s *slowStore) Save(ctx context.Context, m State) error {
	s.writes.Add(1)
	if s.inside.Add(1) > 1 {
		s.t.Error("two writes at once")
	}
	defer s.inside.Add(-1)
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.err != nil {
		return s.err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = m
	return nil
}

func (s *slowStore) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, has := s.kept.Apps[id]
	return has
}

// shared are apps that some note, and all save.
type shared struct {
	*Archive
	store *slowStore
}

func newShared(t *testing.T, err error) shared {
	s := &slowStore{t: t, err: err}
	return shared{NewArchive(s, slog.New(slog.DiscardHandler)), s}
}

// saveOne notes an app, and saves.
func (s shared) saveOne(ctx context.Context, id string) error {
	s.Add(id, App{Seen: time.Now()}, time.Now())
	return s.Save(ctx, func(now time.Time) State {
		m := State{Saved: now}
		s.Begin(&m, now)
		return m
	})
}

func TestManyWhoSaveAtOnceShareAWriteThatHasWhatEachOfThemNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShared(t, nil)
		var all sync.WaitGroup
		for n := range 500 {
			all.Go(func() {
				time.Sleep(time.Duration(n) * time.Millisecond)
				id := fmt.Sprint("app-", n)
				if err := s.saveOne(t.Context(), id); err != nil || !s.store.has(id) {
					t.Errorf("%s is saved: %t, %v", id, s.store.has(id), err)
				}
			})
		}
		all.Wait()
		if n := s.store.writes.Load(); n > 3 {
			t.Errorf("%d writes", n)
		}
	})
}

func TestAWriteThatFailsIsToldToAllWhoShareIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk full")
		s := newShared(t, full)
		var all sync.WaitGroup
		var told atomic.Int32
		for n := range 500 {
			all.Go(func() {
				if err := s.saveOne(t.Context(), fmt.Sprint(n)); errors.Is(err, full) {
					told.Add(1)
				}
			})
		}
		all.Wait()
		if n := told.Load(); n != 500 {
			t.Errorf("%d of 500 were told", n)
		}
		if due, _ := s.Due(time.Now()); !due {
			t.Error("nothing is to be saved after that")
		}
	})
}

func TestWhoGivesUpASaveTakesNobodyElseWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShared(t, nil)
		var all sync.WaitGroup
		save := func(ctx context.Context, id string, want error) {
			all.Go(func() {
				if err := s.saveOne(ctx, id); !errors.Is(err, want) || want == nil && !s.store.has(id) {
					t.Errorf("%s ended with %v, is saved: %t", id, err, s.store.has(id))
				}
			})
			synctest.Wait()
		}
		first, giveUp := context.WithCancel(t.Context())
		second, giveUpToo := context.WithCancel(t.Context())
		save(first, "first", context.Canceled)
		save(second, "second", context.Canceled)
		save(t.Context(), "third", nil)
		giveUpToo() // while it waits for the first
		synctest.Wait()
		giveUp() // in the middle of its write
		all.Wait()
	})
}
