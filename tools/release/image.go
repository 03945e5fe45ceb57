package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// writeImage writes the image of all products that have one, as a tar of an OCI image
// layout. Its one entry is the index of the platforms, named by the version.
func (r release) writeImage(products []product) error {
	index, err := r.index(products)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "paastis-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	written, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	name := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": r.version})
	if err := written.AppendIndex(index, name); err != nil {
		return err
	}
	files, err := readFolder(folder)
	if err != nil {
		return err
	}
	packed, err := pack(files, r.source.date)
	if err != nil {
		return err
	}
	return r.write(r.fileName("oci")+".tar", packed)
}

// index is the image of all platforms.
func (r release) index(products []product) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range products {
		if !p.target.hasImage() {
			continue
		}
		image, err := r.image(p)
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: p.target.platform()}})
	}
	return index, nil
}

// image is that of one platform: what the Dockerfile makes, and the licences.
func (r release) image(p product) (v1.Image, error) {
	image := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	image = mutate.ConfigMediaType(image, types.OCIConfigJSON)
	image, err := mutate.ConfigFile(image, r.imageConfig(p.target))
	if err != nil {
		return nil, err
	}
	system, err := r.systemFiles()
	if err != nil {
		return nil, err
	}
	for _, files := range [][]file{append(system, p.licences...), {{name: "paastis", mode: 0o755, body: p.binary}}} {
		layer, err := r.layer(files)
		if err != nil {
			return nil, err
		}
		history := v1.History{Created: v1.Time{Time: r.source.date}, CreatedBy: "COPY " + files[len(files)-1].name}
		if image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: history, MediaType: types.OCILayer}); err != nil {
			return nil, err
		}
	}
	return image, nil
}

// nonroot is the user that a new volume for the state belongs to.
const nonroot = 65532

// systemFiles are those that Paastis finds around itself, and its own licence.
func (r release) systemFiles() ([]file, error) {
	all := []file{{name: "var/lib/paastis", mode: 0o755, owner: nonroot, folder: true}}
	for name, from := range map[string]string{
		"etc/group":                        "image/etc/group",
		"etc/passwd":                       "image/etc/passwd",
		"licences/" + ownPath + "/LICENSE": "LICENSE",
	} {
		body, err := os.ReadFile(filepath.Join(r.source.root, from))
		if err != nil {
			return nil, err
		}
		all = append(all, file{name: name, mode: 0o644, body: body})
	}
	slices.SortFunc(all, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// layer is one of an image.
func (r release) layer(files []file) (v1.Layer, error) {
	packed, err := pack(files, r.source.date)
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed)), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.BestCompression))
}

// imageConfig is how the image is run. The health check is no field of OCI's own, but
// Docker and Podman read it there.
func (r release) imageConfig(t target) *v1.ConfigFile {
	platform := t.platform()
	return &v1.ConfigFile{
		OS: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant,
		Created: v1.Time{Time: r.source.date},
		RootFS:  v1.RootFS{Type: "layers"},
		Config: v1.Config{
			Entrypoint:   []string{"/paastis"},
			ExposedPorts: map[string]struct{}{"3000/tcp": {}},
			Healthcheck:  &v1.HealthConfig{Test: []string{"CMD", "/paastis", "healthcheck"}, Interval: 30 * time.Second, Timeout: 5 * time.Second},
			Labels: map[string]string{
				"org.opencontainers.image.title":    "Paastis",
				"org.opencontainers.image.version":  r.version,
				"org.opencontainers.image.revision": r.source.commit,
				"org.opencontainers.image.created":  r.source.date.Format(time.RFC3339),
				"org.opencontainers.image.source":   "https://" + ownPath,
				"org.opencontainers.image.licenses": "Apache-2.0",
			},
		},
	}
}

// readFolder are the files below a folder, by path.
func readFolder(folder string) ([]file, error) {
	var all []file
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(folder, path)
		all = append(all, file{name: filepath.ToSlash(below), mode: 0o644, body: body})
		return err
	})
	return all, err
}
