package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// footprint measures the shipped binary.
func footprint(ctx context.Context, r *Results) error {
	dir, err := os.MkdirTemp("", "paastis-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "paastis")
	if err := build(ctx, binary); err != nil {
		return err
	}
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	r.Set("footprint.binary_mb", megabytes(info.Size()))
	return nil
}

// build builds the binary as `make build` does.
func build(ctx context.Context, binary string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build paastis: %w: %s", err, out)
	}
	return nil
}

// megabytes are 10⁶ bytes each.
func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
