package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// repository is the documents of a folder, each read once.
type repository struct {
	root      string
	documents map[string]document // by path below root
}

// check returns how many links of a repository's documents it followed, and a line for each
// that leads nowhere.
func check(root string) (checked int, faults []string, err error) {
	r := repository{root: root, documents: map[string]document{}}
	paths, err := markdownFiles(root)
	if err != nil {
		return 0, nil, err
	}
	for _, name := range paths {
		d, err := r.document(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			return 0, nil, err
		}
		for _, l := range d.links {
			if elsewhere(l.to) {
				continue
			}
			checked++
			if err := r.follow(name, l.to); err != nil {
				faults = append(faults, fmt.Sprintf("%s:%d: %s: %v", name, l.line, l.to, err))
			}
		}
	}
	return checked, faults, nil
}

// markdownFiles are those that git knows, or would take.
func markdownFiles(root string) ([]string, error) {
	listed, err := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.md").Output()
	if err != nil {
		return nil, fmt.Errorf("list the documents with git: %w", err)
	}
	return strings.FieldsFunc(string(listed), func(c rune) bool { return c == 0 }), nil
}

func (r repository) document(name string) (document, error) {
	if d, ok := r.documents[name]; ok {
		return d, nil
	}
	text, err := os.ReadFile(filepath.Join(r.root, name))
	if err != nil {
		return document{}, err
	}
	r.documents[name] = parse(text)
	return r.documents[name], nil
}

// elsewhere reports whether a link leaves the repository.
func elsewhere(to string) bool {
	u, err := url.Parse(to)
	return err == nil && (u.Scheme != "" || u.Host != "")
}

// follow returns why a link of a document leads nowhere.
func (r repository) follow(from, to string) error {
	u, err := url.Parse(to)
	if err != nil {
		return err
	}
	name := from
	if u.Path != "" {
		name = path.Join(path.Dir(from), u.Path)
		if strings.HasPrefix(name, "../") || strings.HasPrefix(u.Path, "/") {
			return errors.New("leads out of the repository")
		}
		if _, err := os.Stat(filepath.Join(r.root, name)); err != nil {
			return errors.New("no such file")
		}
	}
	if u.Fragment == "" || path.Ext(name) != ".md" {
		return nil
	}
	d, err := r.document(name)
	if err != nil {
		return err
	}
	if !d.anchors[u.Fragment] {
		return fmt.Errorf("%s has no such heading", name)
	}
	return nil
}
