package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func TestOnlyAWholeVersionIsReleased(t *testing.T) {
	for _, good := range []string{"v0.0.1", "v1.2.3", "v1.2.3-rc.1", "v10.20.30"} {
		if err := checkVersion(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "dev", "1.2.3", "v1", "v1.2", "v01.2.3", "v1.2.3+build", "v1.2.3 -X main.x=y", "v1.2.3-", "../v1.2.3", "V1.2.3"} {
		if err := checkVersion(bad); err == nil || !strings.Contains(err.Error(), "make release VERSION=v1.2.3") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// played is a release of small files in place of binaries.
func played(t *testing.T) (release, []product) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	src := source{root: root, commit: "0123456789abcdef", date: time.Unix(1750000000, 0).UTC()}
	var products []product
	for _, target := range targets {
		m := module{path: "example.com/one", version: "v1.0.0", sum: "h1:AAAA", licences: []string{"MIT"}}
		products = append(products, product{target: target, binary: []byte("binary for " + target.String()), modules: []module{m},
			licences: []file{{name: "licences/example.com/one@v1.0.0/LICENSE", mode: 0o644, body: []byte("MIT")}}})
	}
	return release{version: "v1.2.3", source: src, folder: t.TempDir(), stdout: io.Discard}, products
}

// writeAll writes all that follows from the products.
func (r release) writeAll(t *testing.T, products []product) {
	t.Helper()
	errs := []error{r.writeImage(products)}
	for _, p := range products {
		errs = append(errs, r.writeArchive(p), r.writeBill(p))
	}
	if err := errors.Join(append(errs, r.writeSums())...); err != nil {
		t.Fatal(err)
	}
}

func TestTheSameBinariesGiveTheSameBytesInAnyFolderAtAnyTime(t *testing.T) {
	first, products := played(t)
	first.writeAll(t, products)
	second, again := played(t)
	second.writeAll(t, again)
	one, err := os.ReadFile(filepath.Join(first.folder, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile(filepath.Join(second.folder, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile(filepath.Join(first.folder, "paastis_v1.2.3_oci.tar"))
	if err != nil || !bytes.HasSuffix(packed, make([]byte, 1024)) {
		t.Errorf("the image has no end: %v", err)
	}
	if !bytes.Equal(one, two) || bytes.Count(one, []byte("\n")) != 2*len(targets)+1 {
		t.Errorf("once\n%sand once\n%s", one, two)
	}
}

// unpacked is the index of the released image.
func unpacked(t *testing.T, r release) v1.ImageIndex {
	t.Helper()
	image, err := openImage(filepath.Join(r.folder, "paastis_v1.2.3_oci.tar"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func untar(t *testing.T, r io.Reader) []file {
	t.Helper()
	var all []file
	for packed := tar.NewReader(r); ; {
		h, err := packed.Next()
		if errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(packed)
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			all = append(all, file{name: h.Name, mode: h.Mode, owner: h.Uid, body: body})
		}
	}
}

func TestTheImageIsValidAndHasEachPlatformsBinaryAndTheLicences(t *testing.T) {
	r, products := played(t)
	r.writeAll(t, products)
	index := unpacked(t, r)
	if err := validate.Index(index); err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for i, m := range manifest.Manifests {
		platforms = append(platforms, m.Platform.String())
		image, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		has := contents(t, image)
		if got := string(has["paastis"]); got != "binary for "+products[i].target.String() {
			t.Errorf("%s runs the %s", m.Platform, got)
		}
		if has["licences/example.com/one@v1.0.0/LICENSE"] == nil || has["licences/github.com/paastis/paastis/LICENSE"] == nil {
			t.Errorf("%s has no licences", m.Platform)
		}
		if !bytes.Contains(has["etc/passwd"], []byte("\nnonroot:x:65532:65532:")) {
			t.Errorf("%s does not know its user: %s", m.Platform, has["etc/passwd"])
		}
	}
	if got := strings.Join(platforms, " "); got != "linux/amd64 linux/arm64 linux/arm/v7" {
		t.Errorf("the image is for %s", got)
	}
}

// contents are the files of an image.
func contents(t *testing.T, image v1.Image) map[string][]byte {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]byte)
	for _, l := range layers {
		open, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range untar(t, open) {
			all[f.name] = f.body
		}
		open.Close()
	}
	return all
}

// The Dockerfile is what `make image` builds and the tests on an engine run.
func TestTheImageRunsAsTheDockerfileSays(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	r, _ := played(t)
	config := r.imageConfig(targets[0]).Config
	wanted := []string{
		"FROM scratch",
		"COPY image/etc /etc",
		fmt.Sprintf("COPY --chown=%[1]d:%[1]d image/state /var/lib/paastis", nonroot),
		"COPY dist/paastis /paastis",
		"EXPOSE 3000",
		"HEALTHCHECK --interval=" + config.Healthcheck.Interval.String() + " --timeout=" + config.Healthcheck.Timeout.String() + " CMD " + asJSON(t, config.Healthcheck.Test[1:]),
		"ENTRYPOINT " + asJSON(t, config.Entrypoint),
	}
	var said []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			said = append(said, line)
		}
	}
	if got, want := strings.Join(said, "\n"), strings.Join(wanted, "\n"); got != want {
		t.Errorf("the Dockerfile says\n%s\nand the released image is\n%s", got, want)
	}
	if _, open := config.ExposedPorts["3000/tcp"]; !open || len(config.ExposedPorts) != 1 || config.User != "" {
		t.Errorf("the released image is run with %+v", config)
	}
}

// asJSON is a list as the Dockerfile writes it.
func asJSON(t *testing.T, list []string) string {
	t.Helper()
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), `","`, `", "`)
}

func TestABillNamesEachModuleWithItsVersionSumAndLicence(t *testing.T) {
	r, products := played(t)
	p := products[2]
	p.modules = append(p.modules, module{path: "github.com/Big/Name", version: "v2.0.0+incompatible", licences: []string{"BSD-3-Clause"}})
	text, err := billOf(p, r.version, r.source.date)
	if err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []string{
		`"purl": "pkg:golang/example.com/one@v1.0.0"`, `"id": "MIT"`, `"id": "BSD-3-Clause"`, `"content": "000000"`,
		`"purl": "pkg:golang/github.com/Big/Name@v2.0.0%2Bincompatible"`,
		`"purl": "pkg:golang/github.com/paastis/paastis@v1.2.3"`, `"value": "linux/arm/v7"`, `"timestamp": "2025-06-15T15:06:40Z"`,
	} {
		if !strings.Contains(string(text), wanted) {
			t.Errorf("the bill lacks %s:\n%s", wanted, text)
		}
	}
}

func TestAVolumeForTheStateIsTheNonRootUsers(t *testing.T) {
	r, _ := played(t)
	files, err := r.systemFiles()
	if err != nil {
		t.Fatal(err)
	}
	packed, err := pack(files, r.source.date)
	if err != nil {
		t.Fatal(err)
	}
	for open := tar.NewReader(bytes.NewReader(packed)); ; {
		h, err := open.Next()
		if err != nil {
			t.Fatalf("no folder for the state: %v", err)
		}
		if h.Name == "var/lib/paastis/" {
			if h.Typeflag != tar.TypeDir || h.Uid != nonroot || h.Gid != nonroot || h.Mode != 0o755 {
				t.Errorf("it is %+v", h)
			}
			return
		}
		if h.Uid != 0 {
			t.Errorf("%s is not root's", h.Name)
		}
	}
}

func TestAModuleWithoutAKnownLicenceIsNotReleased(t *testing.T) {
	folder := t.TempDir()
	m := []module{{path: "example.com/two", version: "v1.0.0", root: folder, folders: []string{folder}}}
	for _, text := range []string{"", "All rights reserved. You may look at it."} {
		if err := os.WriteFile(filepath.Join(folder, "LICENSE"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := licencesOf(m); err == nil || !strings.Contains(err.Error(), "module example.com/two v1.0.0: no licence that is known in "+folder) {
			t.Errorf("%q is passed on: %v", text, err)
		}
	}
	licence, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "LICENSE"), licence, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{"PATENTS", "NOTICE", "LICENSE.docs", "license.go"} {
		if err := os.WriteFile(filepath.Join(folder, more), []byte("Creative Commons"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := licencesOf(m)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 5 || files[0].name != "licences/MODULES" || string(files[0].body) != "example.com/two v1.0.0: Apache-2.0\n" ||
		files[1].name != "licences/example.com/two@v1.0.0/LICENSE" {
		t.Errorf("what goes along is %+v", files)
	}
}

func TestACheckoutWithChangesIsNotReleased(t *testing.T) {
	root := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		if _, err := output(t.Context(), root, []string{"GIT_CONFIG_GLOBAL=/dev/null", "GIT_COMMITTER_DATE=1750000000 +0200"}, "git", args...); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q")
	git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "a")
	src, err := readSource(t.Context(), root)
	if err != nil || !src.date.Equal(time.Unix(1750000000, 0)) || len(src.commit) != 40 {
		t.Fatalf("%+v: %v", src, err)
	}
	if err := os.WriteFile(filepath.Join(root, "more.go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readSource(t.Context(), root); err == nil || !strings.Contains(err.Error(), "more.go") {
		t.Errorf("with a file of nobody's it says %v", err)
	}
	if _, err := readSource(t.Context(), t.TempDir()); err == nil {
		t.Error("a folder that is no checkout is released")
	}
}

func TestAReleaseThatFailsLeavesNothing(t *testing.T) {
	dist := t.TempDir()
	folder := filepath.Join(dist, "v1.2.3")
	err := publishInto(folder, func(half string) error {
		return errors.Join(os.WriteFile(filepath.Join(half, "a"), nil, 0o644), errors.New("no"))
	})
	if left, _ := os.ReadDir(dist); err == nil || len(left) != 0 {
		t.Errorf("%v, and it left %v", err, left)
	}
	for range 2 { // the second takes the place of the first
		if err := publishInto(folder, func(half string) error { return os.WriteFile(filepath.Join(half, "a"), nil, 0o644) }); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := os.ReadDir(folder); len(left) != 1 {
		t.Errorf("it made %v", left)
	}
}
