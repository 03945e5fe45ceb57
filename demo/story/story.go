// Package story is how a demo is told: each step with its time, each visit as a person's browser
// makes it, and no step that is waited for without end.
package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Story is one that is told.
type Story struct {
	// Context ends it.
	Context context.Context
	// Traefik is its address: "127.0.0.1:8000".
	Traefik string
	// Out is where it is told, Began when it was begun to.
	Out   io.Writer
	Began time.Time
	// Logs is the command that may say why something does not happen.
	Logs string
}

// Step is one of the story. Its error ends that.
type Step func() error

// Tell takes one step after the other.
func (s *Story) Tell(steps ...Step) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// Say tells something, with the time since the story began.
func (s *Story) Say(format string, args ...any) {
	fmt.Fprintf(s.Out, "%6.2f s  %s\n", time.Since(s.Began).Seconds(), fmt.Sprintf(format, args...))
}

// Until asks again and again whether something has happened.
func (s *Story) Until(limit time.Duration, what string, happened func() (bool, error)) error {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if ok, err := happened(); ok || err != nil {
			return err
		}
		select {
		case <-s.Context.Done():
			return errors.New("interrupted")
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("waited %s for %s; `%s` may say why", limit, what, s.Logs)
}

// Answer is what a visitor got.
type Answer struct {
	Status int
	// State is what Paastis says of the app; empty: the app itself answered.
	State string
	Body  string
}

// Visit is a person's navigation to a host.
func (s *Story) Visit(host string) (Answer, error) {
	req, err := http.NewRequestWithContext(s.Context, http.MethodGet, "http://"+s.Traefik+"/", nil)
	if err != nil {
		return Answer{}, err
	}
	req.Host = host
	req.Header.Set("Accept", "text/html")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header.Get("X-Paastis-State"), string(text)}, err
}
