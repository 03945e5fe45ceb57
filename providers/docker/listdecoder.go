package docker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// listDecoder is the body of a list of containers, of which it leaves out what nobody reads. A
// list of a thousand containers is megabytes, most of it labels, and comes once a minute;
// as a whole it would take more memory than all that is known of the apps.
type listDecoder struct {
	io.Closer
	list  *json.Decoder
	begun bool
	ended bool
	ready bytes.Buffer // what is read next
}

// listedContainer is what fingerprints are made of, and the ID.
type listedContainer struct {
	ID              string `json:"Id"`
	Names           []string
	State           string
	Status          string
	NetworkSettings *struct {
		Networks map[string]*listedEndpoint
	} `json:",omitempty"`
}

type listedEndpoint struct {
	NetworkID         string
	IPAddress         string
	GlobalIPv6Address string
}

// decodeList makes the answer to a call for a list the part of it that is needed. It reads nothing yet.
func decodeList(r *http.Response) {
	if r.StatusCode == http.StatusOK && r.Request != nil && strings.HasSuffix(r.Request.URL.Path, "/containers/json") {
		r.Body = &listDecoder{Closer: r.Body, list: json.NewDecoder(r.Body)}
	}
}

// Read reads the list, a container at a time.
func (d *listDecoder) Read(b []byte) (int, error) {
	for d.ready.Len() == 0 {
		if d.ended {
			return 0, io.EOF
		}
		err := d.next()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
	}
	return d.ready.Read(b)
}

// next makes more to read.
func (d *listDecoder) next() error {
	switch {
	case !d.begun:
		d.begun = true
		return d.pass('[')
	case !d.list.More():
		d.ended = true
		return d.pass(']')
	}
	var c listedContainer
	if err := d.list.Decode(&c); err != nil {
		return err
	}
	if err := json.NewEncoder(&d.ready).Encode(c); err != nil {
		return err
	}
	if d.list.More() {
		d.ready.WriteByte(',')
	}
	return nil
}

// pass passes a bracket on.
func (d *listDecoder) pass(bracket json.Delim) error {
	switch token, err := d.list.Token(); {
	case err != nil:
		return err
	case token != bracket:
		return fmt.Errorf("%v where a list of containers should be", token)
	}
	d.ready.WriteString(bracket.String())
	return nil
}
