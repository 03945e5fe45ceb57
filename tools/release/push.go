package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// push sends the image of a release that was made to a repository such as
// "ghcr.io/paastis/paastis", byte by byte: whoever makes the release again compares its
// digest. Its tags are the version and, of a version that is no pre-release, latest. Who is
// logged in is taken from Docker's configuration.
func push(ctx context.Context, packed, repository, version string, stdout io.Writer) error {
	folder, err := os.MkdirTemp("", "paastis-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	index, err := openImage(packed, folder)
	if err != nil {
		return fmt.Errorf("read %s: %w", packed, err)
	}
	tags := []string{version}
	if !strings.Contains(version, "-") {
		tags = append(tags, "latest")
	}
	for _, tag := range tags {
		to, err := name.NewTag(repository + ":" + tag)
		if err != nil {
			return err
		}
		if err := remote.WriteIndex(to, index, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
			return fmt.Errorf("push %s: %w", to, err)
		}
		digest, err := index.Digest()
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s@%s\n", to, digest)
	}
	return nil
}

// openImage unpacks a tar of an OCI image layout into a folder, and returns its one image.
func openImage(packed, folder string) (v1.ImageIndex, error) {
	if err := unpack(packed, folder); err != nil {
		return nil, err
	}
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if n := len(manifest.Manifests); n != 1 {
		return nil, fmt.Errorf("it has %d images, not one", n)
	}
	return index.ImageIndex(manifest.Manifests[0].Digest)
}

// unpack writes the files of a tar into a folder, and none outside it.
func unpack(packed, folder string) error {
	from, err := os.Open(packed)
	if err != nil {
		return err
	}
	defer from.Close()
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	for files := tar.NewReader(from); ; {
		header, err := files.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case header.Typeflag != tar.TypeReg:
			continue
		}
		if err := root.MkdirAll(filepath.Dir(header.Name), 0o755); err != nil {
			return err
		}
		to, err := root.Create(header.Name)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, files)
		if err := errors.Join(err, to.Close()); err != nil {
			return err
		}
	}
}
