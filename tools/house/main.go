// House measures how the code is built: how large its types are, who writes their fields, how
// long its functions are, what is documented and which package imports which. `make house`
// prints it, `make house BASE=folder` beside the figures of another checkout.
//
// Tests are left out of all figures, save those of files.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run measures the checkout that args name, and returns the exit code: 0 done, 1 failed,
// 2 wrong use.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("house", flag.ContinueOnError)
	flags.SetOutput(stderr)
	base := flags.String("base", "", "another checkout, to compare with")
	top := flags.Int("top", 12, "how many types, structs and functions are listed")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		fmt.Fprintln(stderr, "usage: house [-base FOLDER] [-top N] FOLDER")
		return 2
	}
	houses, err := measureAll(*base, flags.Arg(0))
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	printTables(stdout, houses, *top)
	return 0
}

// measureAll returns the figures of both checkouts, or of the second alone if base is empty.
func measureAll(base, folder string) ([]house, error) {
	var houses []house
	for _, dir := range []string{base, folder} {
		if dir == "" {
			continue
		}
		h, err := measure(dir)
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", dir, err)
		}
		houses = append(houses, h)
	}
	return houses, nil
}
