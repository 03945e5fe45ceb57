package docker

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"regexp"
	"strings"
)

// Self is what Paastis knows of the container that it runs in. The zero value: it runs
// on the host. If the engine has no such container, that is taken for the host too.
type Self struct {
	// ID is the container's ID, or the beginning of it. If empty, Hostname decides.
	ID string
	// Hostname is the one in the container: by default the beginning of its ID.
	Hostname string
}

// mounted is a file of a container that the engine keeps in a folder named by its ID.
var mounted = regexp.MustCompile(`containers/([0-9a-f]{64})/`)

// findSelf finds out which container this process runs in.
func findSelf() Self {
	hostname, _ := os.Hostname()
	return selfIn(os.DirFS("/"), hostname)
}

// selfIn does so by what the process finds below its root. The engine mounts
// /etc/hostname and its like out of the container's own folder, whatever the
// container's hostname is. A hostname alone counts only inside of a container: a
// container on the host's network bears the name of the host.
func selfIn(root fs.FS, hostname string) Self {
	mounts, _ := fs.ReadFile(root, "proc/self/mountinfo")
	if id := mountedID(mounts); id != "" {
		return Self{ID: id}
	}
	for _, mark := range []string{".dockerenv", "run/.containerenv"} {
		if _, err := fs.Stat(root, mark); err == nil {
			return Self{Hostname: hostname}
		}
	}
	return Self{}
}

// mountedID reads lines of /proc/self/mountinfo, whose fourth field is a path on the
// host's file system and whose fifth is where it is mounted here.
func mountedID(mountinfo []byte) string {
	lines := bufio.NewScanner(bytes.NewReader(mountinfo))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		switch fields[4] {
		case "/etc/hostname", "/etc/hosts", "/etc/resolv.conf":
			if id := mounted.FindStringSubmatch(fields[3]); id != nil {
				return id[1]
			}
		}
	}
	return ""
}

// find is the container among all, nil if it is not there.
func (s Self) find(all []*container) *container {
	for _, c := range all {
		if s.is(c) {
			return c
		}
	}
	return nil
}

func (s Self) is(c *container) bool {
	switch {
	case s.ID != "":
		return strings.HasPrefix(c.instance.ID, s.ID)
	case len(s.Hostname) >= 12 && strings.HasPrefix(c.instance.ID, s.Hostname):
		return true
	default:
		return s.Hostname != "" && s.Hostname == c.hostname && !c.onHost
	}
}
