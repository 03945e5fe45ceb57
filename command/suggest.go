package command

import (
	"fmt"

	"github.com/paastis/paastis/rules"
)

// nearest asks whether the known word most like one was meant; empty if none is like it.
func nearest(word string, known []string) string {
	if near := rules.Nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}
