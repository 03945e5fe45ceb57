// Command release makes all that is published of a version of Paastis, into a folder of
// its own: a static binary for each system in an archive with the licences of what is in
// it, a bill of materials (CycloneDX) for each, one OCI image for all platforms of Linux,
// and the checksums of it all.
//
//	dist/v1.2.3/
//	  paastis_v1.2.3_linux_amd64.tar.gz     and one for each other system
//	  paastis_v1.2.3_linux_amd64.cdx.json   what is linked into that binary
//	  paastis_v1.2.3_oci.tar                an OCI image layout
//	  SHA256SUMS
//
// All bytes follow from the commit, the version and the release of Go: neither the clock
// nor the folder nor the settings of who runs it are in them. It needs git, Go and its
// module proxy, no container engine.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// run makes a release as the arguments say, and prints what it made. With -push or -notes it
// makes nothing.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	version := flags.String("version", "", "the version, such as v1.2.3 or v1.2.3-rc.1")
	root := flags.String("root", "../..", "the checkout")
	out := flags.String("out", "", "the folder that gets a folder of the version's name (default dist/ of the checkout)")
	repository := flags.String("push", "", "push the image of a release that was made, to this repository of a registry")
	notes := flags.Bool("notes", false, "print what the changelog says of the version")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := checkVersion(*version); err != nil {
		return err
	}
	if *notes {
		text, err := notesOf(*root, *version)
		fmt.Fprintln(stdout, text)
		return err
	}
	if *repository != "" {
		made := filepath.Join(cmp.Or(*out, filepath.Join(*root, "dist")), *version)
		return push(ctx, filepath.Join(made, "paastis_"+*version+"_oci.tar"), *repository, *version, stdout)
	}
	src, err := readSource(ctx, *root)
	if err != nil {
		return err
	}
	if *out == "" {
		*out = filepath.Join(src.root, "dist")
	}
	return publishInto(filepath.Join(*out, *version), func(folder string) error {
		return release{version: *version, source: src, folder: folder, stdout: stdout}.make(ctx)
	})
}

// publishInto lets work fill a folder that gets its name only when all is in it. An older
// one of that name is replaced.
func publishInto(folder string, work func(folder string) error) error {
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	half, err := os.MkdirTemp(filepath.Dir(folder), ".release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(half)
	if err := work(half); err != nil {
		return err
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.Chmod(half, 0o755); err != nil { // a temporary folder is for its owner alone
		return err
	}
	return os.Rename(half, folder)
}
