package command

import (
	"slices"
	"strings"
	"testing"
)

// What was changed in memory is in no file: it would be lost.
func TestWhatIsGivenBackOfTheProgramIsWhatItsFileHas(t *testing.T) {
	const smaps = `00400000-00bcb000 r-xp 00000000 fe:00 112 /paastis
Size:               7980 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
00bcb000-01494000 r--p 007cb000 fe:00 112 /paastis
Anonymous:             0 kB
01494000-01562000 rw-p 01094000 fe:00 112 /paastis
Anonymous:             0 kB
02000000-02001000 r--p 01000000 fe:00 112 /put/right by the linker
Anonymous:             4 kB
7fa030900000-7fa032a00000 r--p 00000000 00:00 0
Anonymous:             0 kB
7fa032a00000-7fa032b00000 r--s 00000000 fe:00 113 /shared
Anonymous:             0 kB
`
	want := []span{{0x400000, 0xbcb000}, {0xbcb000, 0x1494000}}
	if got := unchanged(strings.NewReader(smaps)); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}
