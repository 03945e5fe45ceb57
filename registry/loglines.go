package registry

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostOfALine is where a line of a log is cut, in bytes.
const mostOfALine = 1000

// terminalSequence is what a terminal obeys and does not show: colours, titles, moves of the cursor
// (ECMA-48, 5.4 and 5.6).
var terminalSequence = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)`)

// readable are the last lines of an app's log as people are shown them, and no more than are kept:
// what an app writes is its author's choice, and a platform may tell more than it was asked for.
func readable(lines []string) []string {
	lines = lines[max(0, len(lines)-logLines):]
	all := make([]string, len(lines))
	for i, line := range lines {
		all[i] = readableLine(line)
	}
	return all
}

func readableLine(line string) string {
	const most = 16 * mostOfALine // what is looked at of it
	line = terminalSequence.ReplaceAllString(strings.ToValidUTF8(line[:min(len(line), most)], "\uFFFD"), "")
	line = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\t' {
			return -1
		}
		return c
	}, line)
	if len(line) <= mostOfALine+len("…") {
		return line
	}
	end := mostOfALine
	for !utf8.RuneStart(line[end]) {
		end--
	}
	return line[:end] + "…"
}
