package command

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	tableWidth = 100 // characters
	leastCell  = 24  // of the last column, however long the names before it are
)

// writeTable prints rows in columns, each after an indent. Only the last column is cut, so
// that a row fits into tableWidth.
func writeTable(out io.Writer, indent string, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row[:len(row)-1] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		line := indent
		for i, cell := range row[:len(row)-1] {
			line += pad(cell, widths[i]) + "  "
		}
		left := max(leastCell, tableWidth-utf8.RuneCountInString(line))
		fmt.Fprintln(out, strings.TrimRight(line+shorten(row[len(row)-1], left), " "))
	}
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// shorten cuts a text to a number of characters, the last of which then tells it.
func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:most-1]), " ") + "…"
}

// brief is a duration for people, in the largest unit of which there are two, or one
// exactly: 90 s, 5 m, 3 h, 2 d. One below zero, of a clock that goes wrong, is none.
func brief(d time.Duration) string {
	day := 24 * time.Hour
	switch d = max(0, d); {
	case d < 2*time.Minute && d != time.Minute:
		return count(d.Round(time.Second), time.Second, "s")
	case d < 2*time.Hour && d != time.Hour:
		return count(d, time.Minute, "m")
	case d < 2*day && d != day:
		return count(d, time.Hour, "h")
	default:
		return count(d, day, "d")
	}
}

func count(d, unit time.Duration, name string) string { return fmt.Sprintf("%d %s", d/unit, name) }

// ago is a time that is past, as seen from now: 3 h ago. By a clock that goes a little wrong
// it may be to come, and is past all the same.
func ago(t, now time.Time) string { return brief(now.Sub(t)) + " ago" }

// ahead is likewise one that is to come: in 5 m.
func ahead(t, now time.Time) string { return "in " + brief(t.Sub(now)) }
