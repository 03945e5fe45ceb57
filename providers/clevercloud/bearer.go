package clevercloud

import (
	"context"
	"net/http"
	"sync"
)

// bearer is an API token. One of a file may be replaced there by its successor.
type bearer struct {
	settings Settings

	mu    sync.Mutex
	token string
}

func (b *bearer) authorize(_ context.Context, r *http.Request) error {
	r.Header.Set("Authorization", b.header())
	return nil
}

func (b *bearer) header() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return "Bearer " + b.token
}

// renew reads the token anew after one was refused, and reports whether there is another. A file that
// cannot be read has none: that the token is refused is what is to be told.
func (b *bearer) renew(_ context.Context, refused string) (bool, error) {
	if b.header() != refused {
		return true, nil // somebody has done so already
	}
	token, err := b.settings.token()
	if err != nil || "Bearer "+token == refused {
		return false, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.token = token
	return true, nil
}
