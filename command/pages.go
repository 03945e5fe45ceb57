package command

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// span is a part of the address space.
type span struct{ start, end uintptr }

// unchanged are the parts of files that are mapped to be read alone, as /proc/self/smaps tells
// them, and that are in memory as they are in the file. Of those that are not, such as what a
// dynamic linker has put right, nothing else has a copy.
func unchanged(smaps io.Reader) []span {
	var all []span
	var at *span // nil: not one of those
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) >= 5 && !strings.HasSuffix(fields[0], ":"):
			at = readOnly(fields)
		case at != nil && len(fields) > 1 && fields[0] == "Anonymous:" && fields[1] == "0":
			all = append(all, *at)
		}
	}
	return all
}

// readOnly is where a mapping lies, by the first line on it: its addresses, permissions,
// offset, device and inode. Nil if it is to be written to, or of no file.
func readOnly(fields []string) *span {
	from, to, _ := strings.Cut(fields[0], "-")
	start, err := strconv.ParseUint(from, 16, strconv.IntSize)
	end, err2 := strconv.ParseUint(to, 16, strconv.IntSize)
	private := fields[1] == "r-xp" || fields[1] == "r--p"
	if err != nil || err2 != nil || !private || fields[4] == "0" {
		return nil
	}
	return &span{uintptr(start), uintptr(end)}
}
