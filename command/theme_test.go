package command

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// previewing runs `paastis theme preview` until the test ends, and returns its URL.
func previewing(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan int)
	go func() {
		code := run(ctx, "dev", append([]string{"theme", "preview", "--theme-preview", "127.0.0.1:0"}, args...), nil, in, t.Output())
		in.Close()
		done <- code
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-done; code != exitOK {
			t.Errorf("exit %d", code)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url, _, _ := strings.Cut(line, " ")
	return url
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestPreviewShowsAThemeWhileItIsMade(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "acme", "page.html")
	if err := os.MkdirAll(filepath.Dir(page), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(`<title>x</title><main data-poll="{{.Poll}}" data-state="{{.State}}">first {{.Name}}</main>`)
	url := previewing(t, "acme", "--theme-dir", dir)
	index := get(t, url)
	for _, want := range []string{`"acme/linked?lang=en"`, `"acme/logs?lang=fr"`} {
		if !strings.Contains(index, want) {
			t.Errorf("%s is not in\n%s", want, index)
		}
	}
	if strings.Contains(index, "terminal/") {
		t.Error("it shows other themes as well")
	}
	for _, c := range []struct{ text, want string }{
		{"", "first shop-review-pr42-front"},
		{`<title>x</title><main data-poll="{{.Poll}}" data-state="{{.State}}">second</main>`, "second"},
		{`{{.Nothing}}`, "second"}, // the last good version stays
	} {
		if c.text != "" {
			write(c.text)
		}
		if got := get(t, url+"acme/usual"); !strings.Contains(got, c.want) {
			t.Errorf("%q is not in\n%s", c.want, got)
		}
	}
}

func TestPreviewIsForThisMachineAlone(t *testing.T) {
	for _, address := range []string{"0.0.0.0:8092", ":8092", "192.0.2.1:8092", "8092"} {
		code, _, stderr := paastis(t, nil, "theme", "preview", "--theme-preview", address)
		if code != exitFailure || !strings.Contains(stderr, "is no address of this machine alone") {
			t.Errorf("%s: exit %d: %s", address, code, stderr)
		}
	}
}

func TestPreviewOfAThemeThatDoesNotExistNamesThoseThatDo(t *testing.T) {
	code, _, stderr := paastis(t, nil, "theme", "preview", "branden")
	if code != exitFailure || !strings.Contains(stderr, `theme "branden" does not exist; there are branded, plain, terminal`) {
		t.Errorf("exit %d: %s", code, stderr)
	}
	code, _, stderr = paastis(t, nil, "plain", "--theme-dir", "/nowhere")
	if code != exitUsage {
		t.Errorf("exit %d: %s", code, stderr)
	}
	code, _, stderr = paastis(t, nil, "theme", "preview", "--theme-dir", "/nowhere")
	if code != exitFailure || !strings.Contains(stderr, `--theme-dir: theme_dir: "/nowhere" is no folder`) {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
