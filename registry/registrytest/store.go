package registrytest

import (
	"context"
	"sync"

	"github.com/paastis/paastis/registry/history"
)

// key is what the marks of a Store are made of.
var key = history.Key{1}

// Store is a history.Store that keeps what is saved as long as the test runs, and has been
// there before: Traefiks know the marks that Mark tells. Make it by NewStore.
type Store struct {
	mu    sync.Mutex
	saved history.State
	err   error // of Save
}

// NewStore makes one of which no app is known.
func NewStore() *Store {
	return &Store{saved: history.State{Marks: history.Marks{Keys: []history.Key{key}}}}
}

// Mark is that of the route of a name, until the key is renewed.
func Mark(route string) string { return key.Mark(route) }

// Load is what was saved last.
func (s *Store) Load(context.Context) (history.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saved, nil
}

// Save keeps a memory, unless it Fails.
func (s *Store) Save(_ context.Context, m history.State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.saved = m
	}
	return s.err
}

// Fail lets Save fail from now on; nil: not any more.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}
