package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"path"
	"time"
)

// file is one of an archive or an image. Folders need not be told of, but those that are
// not root's.
type file struct {
	name   string // with slashes, without one in front
	mode   int64
	owner  int // user and group
	body   []byte
	folder bool // it is one, and has no body
}

// under puts files into a folder.
func under(folder string, files []file) []file {
	moved := make([]file, 0, len(files))
	for _, f := range files {
		f.name = path.Join(folder, f.name)
		moved = append(moved, f)
	}
	return moved
}

// pack makes a tar of files, in their order, each folder before what is in it. All are of
// one date.
func pack(files []file, date time.Time) ([]byte, error) {
	var packed bytes.Buffer
	w, made := tar.NewWriter(&packed), map[string]bool{".": true}
	for _, f := range files {
		if err := packFolder(w, path.Dir(f.name), date, made); err != nil {
			return nil, err
		}
		if f.folder {
			made[f.name] = true
		}
		if err := w.WriteHeader(f.header(date)); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil { // writes the end
		return nil, err
	}
	return packed.Bytes(), nil
}

func (f file) header(date time.Time) *tar.Header {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Uid: f.owner, Gid: f.owner,
		Size: int64(len(f.body)), ModTime: date, Format: tar.FormatPAX}
	if f.folder {
		h.Typeflag, h.Name = tar.TypeDir, f.name+"/"
	}
	return h
}

// packFolder packs a folder after those that it is in, unless that is made.
func packFolder(w *tar.Writer, name string, date time.Time, made map[string]bool) error {
	if made[name] {
		return nil
	}
	made[name] = true
	if err := packFolder(w, path.Dir(name), date, made); err != nil {
		return err
	}
	return w.WriteHeader(file{name: name, mode: 0o755, folder: true}.header(date))
}

// compress makes a gzip.
func compress(raw []byte) ([]byte, error) {
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return zipped.Bytes(), nil
}
