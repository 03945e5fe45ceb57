package docker

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/paastis/paastis/registry/inventory"
)

const ownID = "17600320cc1d60b2f1099f5a315bc6f86e781c59fd3750b50a5818507af163cc"

func TestSelfIsReadOffWhatTheEngineMounts(t *testing.T) {
	t.Parallel()
	const overlay = "606 474 0:54 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/X\n"
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for _, c := range []struct {
		name string
		root fstest.MapFS
		want Self
	}{
		{"on the host", fstest.MapFS{"proc/self/mountinfo": file("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n")}, Self{}},
		{"nothing to read", fstest.MapFS{}, Self{}},
		{"the engine's own mounts, seen from the host", fstest.MapFS{"proc/self/mountinfo": file(
			"51 22 0:44 / /var/lib/docker/containers/" + ownID + "/mounts/shm rw - tmpfs shm rw\n")}, Self{}},
		{"Docker", fstest.MapFS{".dockerenv": file(""), "proc/self/mountinfo": file(overlay +
			"620 606 8:1 /var/lib/docker/containers/" + ownID + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n")},
			Self{ID: ownID}},
		{"Docker with its data on a disk of their own", fstest.MapFS{"proc/self/mountinfo": file(overlay +
			"620 606 8:1 /containers/" + ownID + "/resolv.conf /etc/resolv.conf rw - ext4 /dev/sdb1 rw\n")},
			Self{ID: ownID}},
		{"Podman", fstest.MapFS{"run/.containerenv": file(""), "proc/self/mountinfo": file(overlay +
			"620 606 0:24 /containers/storage/overlay-containers/" + ownID + "/userdata/hostname /etc/hostname rw - tmpfs tmpfs rw\n")},
			Self{ID: ownID}},
		{"a container that shows no more than its hostname", fstest.MapFS{".dockerenv": file(""),
			"proc/self/mountinfo": file(overlay)}, Self{Hostname: "web-1"}},
	} {
		equal(t, c.name, selfIn(c.root, "web-1"), c.want)
	}
}

func TestSelfIsFoundAmongContainers(t *testing.T) {
	t.Parallel()
	plain := &container{hostname: ownID[:12], instance: &inventory.Instance{ID: ownID}}
	named := &container{hostname: "paastis", instance: &inventory.Instance{ID: strings.Repeat("a", 64)}}
	onHost := &container{hostname: "server-1", onHost: true, instance: &inventory.Instance{ID: strings.Repeat("b", 64)}}
	for _, c := range []struct {
		self Self
		want *container
	}{
		{Self{}, nil},
		{Self{ID: ownID}, plain},
		{Self{ID: strings.Repeat("c", 64)}, nil},
		{Self{Hostname: ownID[:12]}, plain},
		{Self{Hostname: "paastis"}, named},
		{Self{Hostname: "server-1"}, nil},
	} {
		if got := c.self.find([]*container{onHost, named, plain}); got != c.want {
			t.Errorf("%v: got %v, want %v", c.self, got, c.want)
		}
	}
}
