package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeSums writes the checksums of all files of the release, as `sha256sum -c` reads
// them.
func (r release) writeSums() error {
	entries, err := os.ReadDir(r.folder) // by name
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, e := range entries {
		body, err := os.ReadFile(filepath.Join(r.folder, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(body), e.Name())
	}
	return r.write("SHA256SUMS", []byte(sums.String()))
}
