package registrytest

import (
	"slices"
	"strconv"
	"sync"

	"github.com/paastis/paastis/registry/provider"
)

// bill is what the apps of a Provider are billed as. Its lock is held for nothing else.
type bill struct {
	mu    sync.Mutex
	parts map[string][]provider.Part // by name
}

// Bill lets an app run as some parts while it is awake, as far as its formation tells. None: that
// is not known.
func (b *bill) Bill(name string, parts ...provider.Part) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.parts == nil {
		b.parts = map[string][]provider.Part{}
	}
	b.parts[name] = parts
}

// Formation is what an app runs as, with as many of its one part as Capture has kept.
func (b *bill) Formation(name string, kept []byte) []provider.Part {
	b.mu.Lock()
	defer b.mu.Unlock()
	parts := slices.Clone(b.parts[name])
	if replicas, err := strconv.Atoi(string(kept)); err == nil && len(parts) == 1 {
		parts[0].Amount = replicas
	}
	return parts
}
