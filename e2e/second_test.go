package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Where the two machines find each other, and what the wire's end on the first is called.
const (
	wireHere  = "198.18.94.1"
	wireThere = "198.18.94.2"
	wireName  = "paastis-e2e"
)

// second is a Docker engine beside the first, as on a machine of its own: its processes, its
// network and its mounts are in namespaces, which end with their first process. A wire leads
// there, and its address is all by which it is found.
type second struct {
	t   *testing.T
	dir string // its data, and run/docker.sock
}

// newSecond makes the machine; start starts its engine. Both end with the test.
func newSecond(t *testing.T) *second {
	t.Helper()
	dir, err := filepath.Abs("../.cache/second")
	if err != nil {
		t.Fatal(err)
	}
	e := &second{t: t, dir: dir}
	e.cleanUp() // what an earlier run that was killed may have left
	t.Cleanup(e.cleanUp)
	if err := os.MkdirAll(e.path("run"), 0o755); err != nil {
		t.Fatal(err)
	}
	// With a /run of its own it finds no containerd and no lock of the first's. That /proc is
	// still the first machine's says by which number the first process is known there.
	machine := asRoot("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
		`cut -d' ' -f4 /proc/self/stat >"$0" && mount -t tmpfs tmpfs /run && mount -t proc proc /proc && ip link set lo up && exec sleep infinity`, e.path("machine.pid"))
	if err := machine.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.cleanUp(); _ = machine.Wait() })
	e.await("the second machine", func() bool { return e.there("ip", "link", "show", "lo").Run() == nil })
	e.must(asRoot("ip", "link", "add", wireName, "type", "veth", "peer", "name", "wire", "netns", e.machine()))
	e.must(asRoot("ip", "addr", "add", wireHere+"/30", "dev", wireName))
	e.must(asRoot("ip", "link", "set", wireName, "up"))
	e.must(e.there("ip", "addr", "add", wireThere+"/30", "dev", "wire"))
	e.restoreWire()
	return e
}

func (e *second) path(name string) string { return filepath.Join(e.dir, name) }

// host is where the engine listens for who is on the first machine.
func (e *second) host() string { return "unix://" + e.path("run/docker.sock") }

// machine is the number of the machine's first process on the first machine. Empty: there is
// none.
func (e *second) machine() string {
	pid, _ := os.ReadFile(e.path("machine.pid"))
	number := strings.TrimSpace(string(pid))
	if command, _ := os.ReadFile("/proc/" + number + "/cmdline"); string(command) != "sleep\x00infinity\x00" {
		return ""
	}
	return number
}

// there is a command of root's on the second machine.
func (e *second) there(args ...string) *exec.Cmd {
	return asRoot(append([]string{"nsenter", "--all", "--target", e.machine(), "--"}, args...)...)
}

// start starts the engine, with certificates in its folder, and waits until it answers.
func (e *second) start() {
	e.t.Helper()
	// In the background, for nsenter stops with what it waits for, and is not told to go on.
	e.must(e.there("sh", "-c", `dockerd "$@" >>"$0" 2>&1 &`, e.path("dockerd.log"),
		"--host", e.host(), "--host", "tcp://"+wireThere+":2376", "--tlsverify",
		"--tlscacert", e.path("ca.pem"), "--tlscert", e.path("engine.pem"), "--tlskey", e.path("engine-key.pem"),
		"--data-root", e.path("data"), "--exec-root", "/run/docker", "--pidfile", "/run/docker.pid",
		"--exec-opt", "native.cgroupdriver=cgroupfs"))
	e.await("the second engine", func() bool { return e.docker("version").Run() == nil })
}

// load brings an image of the first engine to this one.
func (e *second) load(image string) {
	e.t.Helper()
	archive := exec.Command("docker", "save", image)
	load := e.docker("load", "--quiet")
	var err error
	if load.Stdin, err = archive.StdoutPipe(); err != nil {
		e.t.Fatal(err)
	}
	if err := archive.Start(); err != nil {
		e.t.Fatal(err)
	}
	e.must(load)
	if err := archive.Wait(); err != nil {
		e.t.Fatalf("docker save %s: %v", image, err)
	}
}

// docker is Docker's command line for this engine.
func (e *second) docker(args ...string) *exec.Cmd {
	return exec.Command("docker", append([]string{"--host", e.host()}, args...)...)
}

// stack is site.stack on this engine.
func (e *second) stack(s *testServer, project string, asleep bool, apps ...app) {
	e.t.Helper()
	how := "--detach"
	if asleep {
		how = "--no-start"
	}
	file := s.write("second-"+project+".yml", services(project, s.name, apps))
	e.must(e.docker("compose", "-p", project, "-f", file, "up", how))
}

// freeze stops the engine's process, and not its containers, until thaw.
func (e *second) freeze() { e.must(e.signal("STOP")) }
func (e *second) thaw()   { e.must(e.signal("CONT")) }

func (e *second) signal(name string) *exec.Cmd {
	return e.there("sh", "-c", `kill -"$0" $(cat /run/docker.pid)`, name)
}

// cutWire cuts the machine off, as a cable does that is pulled there, until restoreWire.
func (e *second) cutWire()     { e.must(e.there("ip", "link", "set", "wire", "down")) }
func (e *second) restoreWire() { e.must(e.there("ip", "link", "set", "wire", "up")) }

// cleanUp ends the machine with all that runs there, and takes its data away.
func (e *second) cleanUp() {
	if pid := e.machine(); pid != "" {
		_ = asRoot("kill", "-KILL", pid).Run()
		e.await("the second machine to end", func() bool { return e.machine() == "" })
	}
	_ = asRoot("ip", "link", "delete", wireName).Run() // the kernel takes its time for that
	e.must(asRoot("rm", "-rf", e.dir))
}

// must fails the test if a command fails.
func (e *second) must(cmd *exec.Cmd) {
	e.t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		e.t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(out))
	}
}

func (e *second) await(what string, is func() bool) {
	e.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if is() {
			return
		}
	}
	log, _ := os.ReadFile(e.path("dockerd.log"))
	e.t.Fatalf("waited 30s for %s; it takes root, or sudo that asks for no password\n%s", what, log)
}

// asRoot is a command of root's.
func asRoot(args ...string) *exec.Cmd {
	if os.Getuid() != 0 {
		args = append([]string{"sudo", "--non-interactive"}, args...)
	}
	return exec.Command(args[0], args[1:]...)
}
