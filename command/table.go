package command

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"
)

const (
	tableWidth = 100 // characters
	leastCell  = 24  // of the last column, however long the names before it are
)

// writeTable prints rows in columns, the first of them their titles. Only the last column is
// cut, so that a row fits into tableWidth.
func writeTable(out io.Writer, rows [][]string) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	w.Flush()
	most := 0
	for line := range strings.Lines(table.String()) {
		line = strings.TrimRight(line, " \n")
		if most == 0 { // the titles say where the last column begins
			titles := rows[0]
			most = max(tableWidth, utf8.RuneCountInString(line)-utf8.RuneCountInString(titles[len(titles)-1])+leastCell)
		}
		fmt.Fprintln(out, shorten(line, most))
	}
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
