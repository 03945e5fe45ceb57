package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// release is one version in the making.
type release struct {
	version string
	source  source
	folder  string // gets the files
	stdout  io.Writer
}

// product is what is made for one target.
type product struct {
	target   target
	binary   []byte
	modules  []module
	licences []file // the licence texts of the modules, by path
}

// make makes all files of the release.
func (r release) make(ctx context.Context) error {
	var products []product
	for _, t := range targets {
		p, err := r.produce(ctx, t)
		if err != nil {
			return fmt.Errorf("build for %s: %w", t, err)
		}
		products = append(products, p)
	}
	if err := r.writeImage(products); err != nil {
		return fmt.Errorf("make the image: %w", err)
	}
	return r.writeSums()
}

// produce makes the archive and the bill of materials of one target.
func (r release) produce(ctx context.Context, t target) (product, error) {
	p := product{target: t}
	var err error
	if p.binary, err = r.source.build(ctx, t, r.version); err != nil {
		return p, err
	}
	if p.modules, err = r.source.modules(ctx, t, p.binary); err != nil {
		return p, err
	}
	if p.licences, err = licencesOf(p.modules); err != nil {
		return p, err
	}
	if err := r.writeArchive(p); err != nil {
		return p, err
	}
	return p, r.writeBill(p)
}

// writeArchive packs the binary with what its users want to read.
func (r release) writeArchive(p product) error {
	name := r.fileName(p.target.String())
	files := []file{{name: "paastis", mode: 0o755, body: p.binary}}
	for _, doc := range []string{"LICENSE", "README.md", "paastis.yml"} {
		body, err := os.ReadFile(filepath.Join(r.source.root, doc))
		if err != nil {
			return err
		}
		files = append(files, file{name: doc, mode: 0o644, body: body})
	}
	packed, err := pack(under(name, append(files, p.licences...)), r.source.date)
	if err != nil {
		return err
	}
	zipped, err := compress(packed)
	if err != nil {
		return err
	}
	return r.write(name+".tar.gz", zipped)
}

// writeBill writes the bill of materials of a binary.
func (r release) writeBill(p product) error {
	text, err := billOf(p, r.version, r.source.date)
	if err != nil {
		return err
	}
	return r.write(r.fileName(p.target.String())+".cdx.json", text)
}

// fileName is the name of a file of this release, without its ending.
func (r release) fileName(what string) string { return "paastis_" + r.version + "_" + what }

// write writes one file of the release, and says so.
func (r release) write(name string, body []byte) error {
	fmt.Fprintf(r.stdout, "%9d  %s\n", len(body), name)
	return os.WriteFile(filepath.Join(r.folder, name), body, 0o644)
}
