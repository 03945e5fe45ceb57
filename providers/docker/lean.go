package docker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// lean is the body of a list of containers, of which it leaves out what nobody reads. A
// list of a thousand containers is megabytes, most of it labels, and comes once a minute;
// as a whole it would take more memory than all that is known of the apps.
type lean struct {
	io.Closer
	list  *json.Decoder
	begun bool
	ended bool
	ready bytes.Buffer // what is read next
}

// leanListed is what outlines are made of, and the ID.
type leanListed struct {
	ID              string `json:"Id"`
	Names           []string
	State           string
	Status          string
	NetworkSettings *struct {
		Networks map[string]*leanEndpoint
	} `json:",omitempty"`
}

type leanEndpoint struct {
	NetworkID         string
	IPAddress         string
	GlobalIPv6Address string
}

// slim makes the answer to a call for a list a lean one. It reads nothing yet.
func slim(r *http.Response) {
	if r.StatusCode == http.StatusOK && r.Request != nil && strings.HasSuffix(r.Request.URL.Path, "/containers/json") {
		r.Body = &lean{Closer: r.Body, list: json.NewDecoder(r.Body)}
	}
}

// Read reads the list, a container at a time.
func (l *lean) Read(b []byte) (int, error) {
	for l.ready.Len() == 0 {
		if l.ended {
			return 0, io.EOF
		}
		err := l.next()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
	}
	return l.ready.Read(b)
}

// next makes more to read.
func (l *lean) next() error {
	switch {
	case !l.begun:
		l.begun = true
		return l.pass('[')
	case !l.list.More():
		l.ended = true
		return l.pass(']')
	}
	var c leanListed
	if err := l.list.Decode(&c); err != nil {
		return err
	}
	if err := json.NewEncoder(&l.ready).Encode(c); err != nil {
		return err
	}
	if l.list.More() {
		l.ready.WriteByte(',')
	}
	return nil
}

// pass passes a bracket on.
func (l *lean) pass(bracket json.Delim) error {
	switch token, err := l.list.Token(); {
	case err != nil:
		return err
	case token != bracket:
		return fmt.Errorf("%v where a list of containers should be", token)
	}
	l.ready.WriteString(bracket.String())
	return nil
}
