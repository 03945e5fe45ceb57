package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// source is a checkout whose files are those of its commit.
type source struct {
	root   string // absolute
	commit string
	date   time.Time // of the commit: the time of everything in the release
}

// readSource reads the checkout around a folder. It refuses one with changes that are not
// committed, since nobody could make that release again.
func readSource(ctx context.Context, root string) (source, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return source{}, err
	}
	changed, err := output(ctx, root, nil, "git", "status", "--porcelain")
	if err != nil {
		return source{}, err
	}
	if changed := strings.TrimSpace(changed); changed != "" {
		return source{}, fmt.Errorf("the checkout differs from its commit; commit, ignore or remove these first:\n%s", changed)
	}
	head, err := output(ctx, root, nil, "git", "log", "-1", "--format=%H %ct")
	if err != nil {
		return source{}, err
	}
	commit, seconds, _ := strings.Cut(strings.TrimSpace(head), " ")
	at, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return source{}, fmt.Errorf("read the commit's date: %w", err)
	}
	return source{root: root, commit: commit, date: time.Unix(at, 0).UTC()}, nil
}

// output is what a command prints. env is added to the environment. If the command fails,
// the error has what it said.
func output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stderr, cmd.Env = dir, &stderr, append(os.Environ(), env...)
	out, err := cmd.Output()
	if said := strings.TrimSpace(stderr.String()); err != nil && said != "" {
		err = errors.New(said)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, args[0], err)
	}
	return string(out), nil
}
