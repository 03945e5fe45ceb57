// Command bench measures what Paastis costs and how fast it is, on this machine, and
// keeps the figures in bench/results.json and in the table of bench/README.md:
//
//	go run ./bench               everything
//	go run ./bench auth scale    these parts
//	go run ./bench -list         what there is
//
// It is run from the top of the repository. Wherever it can, a figure is a ratio of two
// things that were measured side by side in the same run: that means something on
// another machine too. The samples behind a figure are kept beside it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Part is one thing that is measured.
type Part struct {
	// Name is what it is asked for by.
	Name string
	// Doc says in a line what it measures.
	Doc string
	// Run measures it and sets its figures. They are kept if it returns nil. Its own
	// flags are variables beside it.
	Run func(ctx context.Context, r *Results) error
}

// parts are what can be measured, in the order in which everything is.
func parts() []Part {
	return []Part{
		{"auth", "a request of ForwardAuth's for an awake app, beside a bare Echo handler", auth},
		{"scale", "the registry with 100,000 apps", scale},
		{"footprint", "what the shipped binary takes with 1,000 apps, idle and after 10 million requests", footprint},
		{"through", "requests a second through the real Traefik, by route", through},
		{"wake", "time to the first answer, without the engine's and the apps' own", wake},
		{"storm", "very many first requests at once to one sleeping app", storm},
		{"cycle", "sleeps and wakes a minute, apps side by side", cycle},
		{"peers", "the same work by Sablier, if SABLIER names its binary", peers},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, flag.CommandLine, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run measures the parts that the arguments name; without names, all. It returns 1 if
// one of them failed, whose old figures are left, and 2 if it did not understand.
func run(ctx context.Context, flags *flag.FlagSet, args []string, stdout, stderr io.Writer) int {
	list := flags.Bool("list", false, "list the parts and end")
	results := flags.String("results", "bench/results.json", "file of the figures")
	readme := flags.String("readme", "bench/README.md", "document with the table of them")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *list {
		for _, p := range parts() {
			fmt.Fprintf(stdout, "%-12s %s\n", p.Name, p.Doc)
		}
		return 0
	}
	chosen, err := choose(parts(), flags.Args())
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	failed := 0
	for _, p := range chosen {
		if ctx.Err() != nil {
			break
		}
		if err := p.record(ctx, *results, *readme, stdout); err != nil {
			fmt.Fprintf(stderr, "bench: %s: %v\n", p.Name, err)
			failed++
		}
	}
	if failed > 0 || ctx.Err() != nil {
		return 1
	}
	return 0
}

// choose is the parts of those names, in the order of the list; all if there is no name.
func choose(all []Part, names []string) ([]Part, error) {
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	for _, p := range all {
		known = append(known, p.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("no part is called %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(p Part) bool { return !slices.Contains(names, p.Name) }), nil
}

// record measures a part, prints its figures and puts them into the files.
func (p Part) record(ctx context.Context, results, readme string, stdout io.Writer) error {
	fmt.Fprintf(stdout, "%s: %s\n", p.Name, p.Doc)
	started := time.Now()
	r := &Results{}
	if err := p.Run(ctx, r); err != nil {
		return err
	}
	r.note("machine", machine())
	r.note("when."+p.Name, started.UTC().Format(time.RFC3339))
	fmt.Fprintf(stdout, "%s  took %s\n\n", r.lines(), time.Since(started).Round(time.Second))
	all, err := merge(results, r)
	if err != nil {
		return err
	}
	return section(readme, "figures", all.table())
}
