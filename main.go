// Command paastis puts apps to sleep when nobody uses them and wakes them, with all that
// they need, when somebody comes. See README.md.
package main

import (
	"os"
	_ "time/tzdata" // for keep_awake: the image has none

	"github.com/paastis/paastis/command"
)

// version is set when a release is built.
var version = "dev"

func main() { os.Exit(command.Main(version, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)) }
