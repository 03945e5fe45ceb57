package history

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestAKeyIsNeverPrinted(t *testing.T) {
	k := Key{0xab, 0xab, 0xab}
	m := State{Marks: Marks{Keys: []Key{k}}}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k, "memory", m)
	for _, text := range []string{fmt.Sprint(k, m), fmt.Sprintf("%v %+v %#v %s %q", m, m, m, k, k), log.String()} {
		if strings.Contains(text, "171") || strings.Contains(text, "ab ab") || strings.Contains(text, "ababab") || strings.Contains(text, "0xab") {
			t.Error(text)
		}
	}
}
