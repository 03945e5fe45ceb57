package paas

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// redacted stands where a secret was.
const redacted = "[secret]"

// secretShapes are what secrets look like, whoever's they are: userinfo and queries of URLs,
// credentials of headers, signatures of OAuth 1, tokens by their usual beginnings, JWTs.
var secretShapes = []struct {
	shape *regexp.Regexp
	by    string
}{
	{regexp.MustCompile(`://[^/@\s"']+@`), "://" + redacted + "@"},
	{regexp.MustCompile(`(https?://[^\s"'?]+)\?[^\s"']+`), "$1?" + redacted},
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{20,}`), "$1 " + redacted},
	{regexp.MustCompile(`(?i)\b(oauth_[a-z_]+|access_token|api_key|token|password|secret|authorization)(["']?\s*=\s*["']?)[^\s"'&,;]+`), "$1$2" + redacted},
	{regexp.MustCompile(`(?i)\b(oauth_[a-z_]+|access_token|api_key|token|password|secret|authorization)(["']?\s*:\s*["']?)[^\s"'&,;]{16,}`), "$1$2" + redacted},
	{regexp.MustCompile(`\btk-[a-z]+-[A-Za-z0-9_-]+`), redacted},
	{regexp.MustCompile(`\bHRKU-[A-Za-z0-9_-]+`), redacted},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?`), redacted},
}

// secrets are the texts that a call was authorized by.
type secrets []string

// secretsOf are those of a request: the parts of its header Authorization that are long enough
// to be one.
func secretsOf(r *http.Request) secrets {
	if r == nil {
		return nil
	}
	var all secrets
	for _, value := range r.Header.Values("Authorization") {
		for _, part := range strings.FieldsFunc(value, isBetween) {
			all = append(all, part)
			if clear, err := base64.StdEncoding.DecodeString(part); err == nil {
				_, password, _ := strings.Cut(string(clear), ":")
				all = append(all, password)
			}
		}
	}
	return slices.DeleteFunc(all, func(part string) bool { return len(part) < 8 || isScheme(part) })
}

// isBetween reports whether a character parts the values of a header Authorization. An equals
// sign may be the end of one.
func isBetween(c rune) bool { return strings.ContainsRune(` ,"`, c) }

// isScheme reports whether a part of a header is none of what is secret: the name of a field, or
// of a method.
func isScheme(part string) bool {
	return strings.HasPrefix(part, "oauth_") || strings.HasPrefix(part, "HMAC-SHA") || part == "PLAINTEXT"
}

// redact leaves out of a text whatever is secret, or looks so.
func (s secrets) redact(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	for _, known := range secretShapes {
		text = known.shape.ReplaceAllString(text, known.by)
	}
	return text
}
