package paas

import (
	"fmt"
	"os"
	"strings"
)

// ReadToken returns the token that settings have: the text, or what a file holds, which is read each
// time. White space around it is left out. It is an error if the file cannot be read, or is empty; a
// text may be. Errors do not have the token in them.
func ReadToken(text, file string) (string, error) {
	if file == "" {
		return strings.TrimSpace(text), nil
	}
	read, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read token_file: %w", err)
	}
	token := strings.TrimSpace(string(read))
	if token == "" {
		return "", fmt.Errorf("read token_file: %s is empty", file)
	}
	return token, nil
}
