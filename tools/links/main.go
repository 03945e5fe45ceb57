// Links checks the links between a repository's documents, without a network: each file that a
// Markdown document leads to has to be there, and each heading. Addresses elsewhere are not
// asked.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run checks the repository in the folder that args name, and returns the exit code: 0 all
// links lead somewhere, 1 some do not, 2 wrong use.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) != 1 {
		fmt.Fprintln(stderr, "usage: links FOLDER")
		return 2
	}
	checked, faults, err := check(args[0])
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	for _, f := range faults {
		fmt.Fprintln(stderr, f)
	}
	if len(faults) > 0 {
		return 1
	}
	fmt.Fprintf(stdout, "%d links between the documents lead somewhere\n", checked)
	return 0
}
