package main

import (
	"fmt"

	"golang.org/x/mod/semver"
)

// checkVersion accepts a whole semantic version with its v. Build metadata ("+x") is none
// that an image's tag may have.
func checkVersion(v string) error {
	if semver.IsValid(v) && semver.Canonical(v) == v {
		return nil
	}
	return fmt.Errorf("version %q: want vMAJOR.MINOR.PATCH, such as v1.2.3 or v1.2.3-rc.1 (make release VERSION=v1.2.3)", v)
}
