package main

import (
	"bytes"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func TestThePushedImageHasTheBytesOfTheRelease(t *testing.T) {
	r, products := played(t)
	r.writeAll(t, products)
	made, err := unpacked(t, r).Digest()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(registry.New())
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://") + "/paastis/paastis"
	for version, tags := range map[string][]string{"v1.2.3-rc.1": {"v1.2.3-rc.1"}, "v1.2.3": {"v1.2.3", "latest"}} {
		var said bytes.Buffer
		if err := push(t.Context(), filepath.Join(r.folder, "paastis_v1.2.3_oci.tar"), repository, version, &said); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(said.String(), "@"+made.String()); got != len(tags) {
			t.Errorf("%s: pushed %s", version, said.String())
		}
		for _, tag := range tags {
			ref, err := name.NewTag(repository + ":" + tag)
			if err != nil {
				t.Fatal(err)
			}
			index, err := remote.Index(ref, remote.WithContext(t.Context()))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := index.Digest(); err != nil || got != made {
				t.Errorf("%s: %s instead of %s: %v", tag, got, made, err)
			}
			if err := validate.Index(index); err != nil {
				t.Errorf("%s: %v", tag, err)
			}
		}
	}
}

func TestNotesAreTheChangelogsOfTheVersion(t *testing.T) {
	const log = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-01-31\n### Added\n- This.\n\n## [1.2.2]\n- That.\n"
	for heading, want := range map[string]string{"Unreleased": "", "1.2.3": "### Added\n- This.", "1.2.2": "- That.", "1.2": ""} {
		if got := sectionOf(log, heading); got != want {
			t.Errorf("%s: %q", heading, got)
		}
	}
	if notes, err := notesOf("../..", "v0.0.0-rc.1"); err != nil || !strings.Contains(notes, "- ") {
		t.Errorf("a pre-release's notes are %q: %v", notes, err)
	}
	if _, err := notesOf("../..", "v99.0.0"); err == nil || !strings.Contains(err.Error(), "## [99.0.0]") {
		t.Errorf("a version that nobody wrote of: %v", err)
	}
}
