package page

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// themeInterval is how often the folder of themes is looked at.
const themeInterval = 2 * time.Second

// plainTheme is drawn where another one cannot be.
const plainTheme = "plain"

//go:embed themes
var themeFiles embed.FS

// Themes are what draws waiting pages: the built-in ones, and those of a folder, which are
// read anew when they change. It may be used concurrently.
type Themes struct {
	dir string // empty: no themes of one's own
	log *slog.Logger

	built map[string]*theme
	own   atomic.Pointer[map[string]*theme]
	mu    sync.Mutex                   // of seen
	seen  map[string][sha256.Size]byte // :: name → sum of what was read last, faulty or not
	told  sync.Map                     // :: name of a theme that is not there → it was logged
}

// NewThemes reads the themes of a folder; each of its folders is one. Without a folder
// there are the built-in ones alone. A theme that is faulty is logged and left out.
func NewThemes(dir string, log *slog.Logger) *Themes {
	t := &Themes{dir: dir, log: log, built: builtThemes(), seen: map[string][sha256.Size]byte{}}
	t.own.Store(&map[string]*theme{})
	t.Look()
	return t
}

// Names are all themes, sorted.
func (t *Themes) Names() []string {
	names := maps.Clone(t.built)
	maps.Copy(names, *t.own.Load())
	return slices.Sorted(maps.Keys(names))
}

// named is a theme, one's own before a built-in one. Nil: there is none.
func (t *Themes) named(name string) *theme {
	if own := (*t.own.Load())[name]; own != nil {
		return own
	}
	return t.built[name]
}

// of is the theme of an app, or plain if there is none of that name, which is logged once.
func (t *Themes) of(name string) *theme {
	if found := t.named(name); found != nil {
		return found
	}
	if _, told := t.told.LoadOrStore(name, true); !told && name != "" {
		t.log.Warn("there is no such theme, plain is drawn", "theme", name, "known", strings.Join(t.Names(), " "))
	}
	return t.named(plainTheme)
}

// failed logs, once for each version of a theme, that it could not draw a page.
func (t *Themes) failed(th *theme, err error) {
	if _, told := t.told.LoadOrStore(th, true); !told {
		t.log.Error("theme failed, plain is drawn: "+oneLine(faultOf(filepath.Join(t.dir, th.name), err)), "theme", th.name)
	}
}

// Watch looks at the folder until ctx ends. It returns nil.
func (t *Themes) Watch(ctx context.Context) error {
	if t.dir == "" {
		<-ctx.Done()
		return nil
	}
	ticker := time.NewTicker(themeInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			t.Look()
		}
	}
}

// Look reads the folder once, and takes over what has changed. What is faulty is logged
// once; the last good version of it stays.
func (t *Themes) Look() {
	if t.dir == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	folders, err := os.ReadDir(t.dir)
	if err != nil {
		t.complainOnce("", fmt.Errorf("read theme_dir: %w", err))
		return
	}
	delete(t.seen, "")
	own := map[string]*theme{}
	for _, f := range folders {
		if theme := t.look(f.Name()); theme != nil {
			own[f.Name()] = theme
		}
	}
	t.forget(own)
	t.own.Store(&own)
}

var themeFolder = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// look is a theme of the folder as it is now, or as it was when it last was good. Nil:
// there is none.
func (t *Themes) look(name string) *theme {
	where := filepath.Join(t.dir, name)
	if info, err := os.Stat(where); err != nil || !info.IsDir() || !themeFolder.MatchString(name) {
		return nil
	}
	last := (*t.own.Load())[name]
	files, err := readTheme(os.DirFS(where))
	if err != nil {
		t.complainOnce(name, fmt.Errorf("%s: %w", where, err))
		return last
	}
	if !t.isNew(name, sumOf(files)) {
		return last
	}
	fresh, err := triedTheme(name, where, files)
	if err != nil {
		t.complain(name, err)
		return last
	}
	fresh.own = true
	t.told.Delete(name)
	t.log.Info("theme loaded", "theme", name)
	if size := fresh.longest(); size > pageLimit {
		t.log.Warn(fmt.Sprintf("theme %s: %s: the page of an app with 8 linked apps has %d bytes; Traefik's maxResponseBodySize must not be under that", name, where, size))
	}
	return fresh
}

// isNew notes what was read of a theme, and tells whether that is new.
func (t *Themes) isNew(name string, sum [sha256.Size]byte) bool {
	if last, ok := t.seen[name]; ok && last == sum {
		return false
	}
	t.seen[name] = sum
	return true
}

func (t *Themes) complainOnce(name string, err error) {
	if t.isNew(name, sha256.Sum256([]byte(err.Error()))) {
		t.complain(name, err)
	}
}

func (t *Themes) complain(name string, err error) {
	t.log.Error("theme not loaded, the last good version of it stays: "+oneLine(err), "theme", name)
}

// forget drops what was seen of themes that are gone.
func (t *Themes) forget(own map[string]*theme) {
	for name := range *t.own.Load() {
		if own[name] == nil {
			delete(t.seen, name)
			t.log.Info("theme gone", "theme", name)
		}
	}
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", " ") }

func sumOf(files map[string]string) [sha256.Size]byte {
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&all, "%q %q ", name, files[name])
	}
	return sha256.Sum256([]byte(all.String()))
}

// builtThemes are the built-in ones.
var builtThemes = sync.OnceValue(func() map[string]*theme {
	all := map[string]*theme{}
	folders, err := themeFiles.ReadDir("themes")
	for _, f := range folders {
		if f.IsDir() {
			var failed error
			all[f.Name()], failed = builtTheme(f.Name())
			err = errors.Join(err, failed)
		}
	}
	if err != nil {
		panic(err) // the files are part of the program, and tested
	}
	return all
})

// builtTheme is a built-in theme, with nothing in it that only its authors need.
func builtTheme(name string) (*theme, error) {
	folder, err := fs.Sub(themeFiles, "themes/"+name)
	if err != nil {
		return nil, err
	}
	files, err := readTheme(folder)
	if err != nil {
		return nil, err
	}
	files[themeStyle] = strings.ReplaceAll(squeezed(files[themeStyle]), "\n", "")
	return newTheme(name, name, files)
}

// sharedScript is the script of themes that have none.
var sharedScript = sync.OnceValue(func() string {
	script, err := themeFiles.ReadFile("themes/" + themeScript)
	if err != nil {
		panic(err)
	}
	return squeezed(string(script))
})

// comment is a line that is a comment of CSS or JavaScript.
var comment = regexp.MustCompile(`(?m)^\s*(?://.*|/\*.*\*/)$`)

// squeezed is a style or script of ours without comments, indentation and empty lines.
func squeezed(text string) string {
	var lines []string
	for line := range strings.Lines(comment.ReplaceAllString(text, "")) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
