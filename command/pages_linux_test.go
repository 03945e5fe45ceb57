package command

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

func TestTheProgramRunsOnWithLessOfItsFileInMemory(t *testing.T) {
	before := residentFile(t)
	releaseProgram()
	if after := residentFile(t); after >= before {
		t.Errorf("%d kB of files in memory, %d kB before", after, before)
	}
}

// residentFile is how much is in memory of files, in kB.
func residentFile(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	kB, err := strconv.Atoi(string(regexp.MustCompile(`RssFile:\s+(\d+) kB`).FindSubmatch(status)[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kB
}
