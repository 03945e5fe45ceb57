package main

import (
	"context"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// target is a system that there is a binary for.
type target struct {
	os, arch string
	arm      string // version of 32-bit ARM; empty elsewhere
}

// targets are all. Paastis runs where containers do; a Mac has its commands for asking
// one that runs elsewhere.
var targets = []target{
	{os: "linux", arch: "amd64"},
	{os: "linux", arch: "arm64"},
	{os: "linux", arch: "arm", arm: "7"},
	{os: "darwin", arch: "amd64"},
	{os: "darwin", arch: "arm64"},
}

// String is the target's part of a file's name: linux_armv7.
func (t target) String() string {
	if t.arm != "" {
		return t.os + "_" + t.arch + "v" + t.arm
	}
	return t.os + "_" + t.arch
}

// hasImage reports whether the image is for this target too.
func (t target) hasImage() bool { return t.os == "linux" }

// platform is the target as images name it.
func (t target) platform() *v1.Platform {
	p := &v1.Platform{OS: t.os, Architecture: t.arch}
	if t.arm != "" {
		p.Variant = "v" + t.arm
	}
	return p
}

// environment is what Go compiles for the target with. It names all settings that change
// the code, so that none of who runs it does.
func (t target) environment() []string {
	return []string{
		"CGO_ENABLED=0", "GOOS=" + t.os, "GOARCH=" + t.arch, "GOARM=" + t.arm,
		"GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off",
	}
}

// build compiles Paastis for a target.
func (s source) build(ctx context.Context, t target, version string) ([]byte, error) {
	folder, err := os.MkdirTemp("", "paastis-release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "paastis")
	// Without buildvcs a copy of the files that is no repository gives the same bytes.
	_, err = output(ctx, s.root, t.environment(), "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X main.version="+version, "-o", binary, ".")
	if err != nil {
		return nil, err
	}
	return os.ReadFile(binary)
}
