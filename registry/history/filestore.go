package history

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/paastis/paastis/registry/inventory"
	"github.com/paastis/paastis/registry/reason"
)

// fileVersion is that of the format. A file with a greater one is of a later Paastis.
const fileVersion = 1

// privateMode is that of the file, for it has a secret.
const privateMode = 0o600

// FileStore keeps a memory in a file, in JSON.
type FileStore struct {
	path string
	// lost is why the file must not be written: it could be neither read nor put aside.
	lost error
}

// NewFileStore makes one of a file, which need not be there yet; its folder must.
func NewFileStore(path string) *FileStore { return &FileStore{path: path} }

// filed is the file's content; of the apps as they are written, one after the other.
type filed struct {
	Version int        `json:"version"`
	Saved   time.Time  `json:"saved"`
	Marks   filedMarks `json:"marks,omitzero"`
	// Avoided is by the IDs of providers.
	Avoided map[string]*filedAvoided `json:"avoided,omitempty"`
	Apps    map[string]filedApp      `json:"apps"`
}

// filedMarks has the keys as bytes: in base64. One of another length is none.
type filedMarks struct {
	Keys  [][]byte  `json:"keys"`
	Since time.Time `json:"since"`
}

type filedApp struct {
	Seen         time.Time     `json:"seen"`
	LastActivity time.Time     `json:"last_activity,omitzero"`
	Pinned       time.Time     `json:"pinned,omitzero"`
	Stopped      time.Time     `json:"stopped_manually,omitzero"`
	Removed      time.Time     `json:"removed_asleep,omitzero"`
	Identity     string        `json:"identity,omitempty"`
	Memory       uint64        `json:"memory,omitempty"`
	Asked        string        `json:"asked,omitempty"`
	Without      []string      `json:"without,omitempty"`
	Resume       []byte        `json:"resume,omitempty"` // in base64
	Avoided      *filedAvoided `json:"avoided,omitempty"`
	// Report is an inventory.App. One that is written in another way than now is none.
	Report json.RawMessage `json:"report,omitempty"`
	Wakes  []filedWake     `json:"wakes,omitempty"`
	Spans  []filedSpan     `json:"spans,omitempty"`
}

type filedWake struct {
	At     time.Time `json:"at"`
	Took   float64   `json:"took"`             // seconds
	Failed string    `json:"failed,omitempty"` // the sentence
	// Why is the same as it is compared. Nil: the file is of before there were kinds.
	Why *filedReason `json:"why,omitempty"`
}

// filedReason is a Reason, of which only what there is is written.
type filedReason struct {
	Kind    reason.Kind  `json:"kind"`
	Apps    []string     `json:"apps,omitempty"`
	Limit   float64      `json:"limit,omitempty"` // seconds
	Count   int          `json:"count,omitempty"`
	Code    int          `json:"code,omitempty"`
	Text    string       `json:"text,omitempty"`
	Because *filedReason `json:"because,omitempty"`
}

// filedSpan ends where the next begins, the last one when the app was last seen.
type filedSpan struct {
	From   int64   `json:"from"` // Unix milliseconds
	State  Phase   `json:"state"`
	Asleep float64 `json:"asleep,omitempty"` // seconds
}

// Load reads the file. One that cannot be read is renamed, and the error says to what.
func (f *FileStore) Load(context.Context) (State, error) {
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, f.wantFolder()
	}
	if info, failed := os.Stat(f.path); failed == nil && !info.Mode().IsRegular() {
		f.lost = fmt.Errorf("state_file %s: it is no file; name one, such as %s", f.path, filepath.Join(f.path, "state.json"))
		return State{}, f.lost // what is in a folder is somebody's: it stays where it is
	}
	var content filed
	if err == nil {
		err = json.Unmarshal(data, &content)
	}
	switch {
	case err != nil:
		return State{}, f.putAside(fmt.Errorf("it cannot be read: %w", reasonOf(err)))
	case content.Version > fileVersion:
		return State{}, f.putAside(fmt.Errorf("it is of a later Paastis (version %d, not %d)", content.Version, fileVersion))
	case content.Version < 1:
		return State{}, f.putAside(errors.New("it is no state of Paastis's"))
	}
	return content.memory(), nil
}

// ReadAsked reads from a file of a FileStore which routers Traefik is known to ask about,
// by the IDs of the apps; see Reported.Asked. It changes nothing. Nil: nothing is known, or
// the file cannot be read.
func ReadAsked(path string) map[string]string {
	content := peekAt(path)
	if content == nil {
		return nil
	}
	asked := map[string]string{}
	for id, app := range content.Apps {
		if app.Asked != "" {
			asked[id] = app.Asked
		}
	}
	return asked
}

// ReadWithout is the same for Reported.Without.
func ReadWithout(path string) map[string][]string {
	content := peekAt(path)
	if content == nil {
		return nil
	}
	without := map[string][]string{}
	for id, app := range content.Apps {
		without[id] = app.Without
	}
	return without
}

// ReadRemoved is the same for apps that were removed while they slept, by the IDs that they
// had, and when.
func ReadRemoved(path string) map[string]time.Time {
	content := peekAt(path)
	if content == nil {
		return nil
	}
	removed := map[string]time.Time{}
	for id, app := range content.Apps {
		if !app.Removed.IsZero() {
			removed[id] = app.Removed
		}
	}
	return removed
}

// peekAt reads a file of a FileStore, and leaves it as it is. Nil: it cannot be read.
func peekAt(path string) *filed {
	data, err := os.ReadFile(path)
	var content filed
	if err != nil || json.Unmarshal(data, &content) != nil || content.Version != fileVersion {
		return nil
	}
	return &content
}

// wantFolder says early that nothing can be saved.
func (f *FileStore) wantFolder() error {
	folder := filepath.Dir(f.path)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return fmt.Errorf("state_file %s: there is no folder %s; make it, or mount a volume there", f.path, folder)
	}
	return nil
}

// putAside keeps a file that is of no use, and says where.
func (f *FileStore) putAside(why error) error {
	aside := f.path + ".unread-" + time.Now().UTC().Format("20060102-150405")
	if err := os.Rename(f.path, aside); err != nil {
		f.lost = fmt.Errorf("state_file %s: %w; it cannot be renamed either (%w), so nothing is saved; take it away and start Paastis anew", f.path, why, reasonOf(err))
		return f.lost
	}
	return fmt.Errorf("state_file %s: %w; it is kept as %s", f.path, why, aside)
}

// Save writes another file and puts it in the place of the last.
func (f *FileStore) Save(_ context.Context, m State) error {
	if f.lost != nil {
		return f.lost
	}
	next := f.path + ".new"
	err := writeFile(next, m)
	if err == nil {
		err = os.Rename(next, f.path)
	}
	if err != nil {
		return fmt.Errorf("state_file %s: %w; its folder must be writable, and if it is mounted, be mounted as a whole", f.path, reasonOf(err))
	}
	return nil
}

// writeFile is done when the content is on the disk.
func writeFile(path string, m State) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, privateMode)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriter(file)
	private := file.Chmod(privateMode) // it may be left from an earlier attempt
	return errors.Join(private, m.write(buffer), buffer.Flush(), file.Sync(), file.Close())
}

// write writes an app after the other: all of them at once would take more memory than all
// that is known of them.
func (m State) write(w io.Writer) error {
	saved, err := m.Saved.MarshalJSON()
	if err != nil {
		return err
	}
	marks, err := json.Marshal(m.Marks.filed())
	if err != nil {
		return err
	}
	avoided, err := json.Marshal(filedAvoidedOf(m.Avoided))
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, `{"version":%d,"saved":%s,"marks":%s,"avoided":%s,"apps":{`, fileVersion, saved, marks, avoided); err != nil {
		return err
	}
	for i, id := range slices.Sorted(maps.Keys(m.Apps)) {
		name, _ := json.Marshal(id) // a text
		app, err := json.Marshal(filedOf(m.Apps[id]))
		if err != nil {
			return err
		}
		comma := ",\n"
		if i == 0 {
			comma = "\n"
		}
		if _, err := fmt.Fprintf(w, "%s%s:%s", comma, name, app); err != nil {
			return err
		}
	}
	_, err = io.WriteString(w, "\n}}\n")
	return err
}

func filedOf(m App) filedApp {
	a := filedApp{Seen: m.Seen, LastActivity: m.LastActivity, Pinned: m.Pinned, Stopped: m.StoppedManually, Removed: m.RemovedAsleep, Identity: m.Identity, Memory: m.Memory, Asked: m.Asked, Without: m.Without, Resume: m.Resume, Avoided: m.Avoided.filed(), Report: filedReportOf(m.Report)}
	for _, w := range m.Wakes {
		a.Wakes = append(a.Wakes, w.filed())
	}
	for _, s := range m.Spans {
		a.Spans = append(a.Spans, filedSpan{From: s.From.UnixMilli(), State: s.State, Asleep: s.Asleep.Seconds()})
	}
	return a
}

// filedReportOf is nil for nil, and for what cannot be written: Paastis does without.
func filedReportOf(app *inventory.App) json.RawMessage {
	if app == nil {
		return nil
	}
	text, err := json.Marshal(app)
	if err != nil {
		return nil
	}
	return text
}

// reportIn is nil for what cannot be read: Paastis does without.
func reportIn(text json.RawMessage) *inventory.App {
	var app inventory.App
	if len(text) == 0 || json.Unmarshal(text, &app) != nil {
		return nil
	}
	return &app
}

func (w Wake) filed() filedWake {
	f := filedWake{At: w.At, Took: w.Took.Seconds()}
	if w.Failed != nil {
		f.Failed, f.Why = w.Failed.String(), filedReasonOf(w.Failed)
	}
	return f
}

func (f filedWake) wake() Wake {
	w := Wake{At: f.At, Took: seconds(f.Took)}
	if f.Failed != "" {
		w.Failed = f.Why.reason(f.Failed)
	}
	return w
}

// filedReasonOf are those parts of a reason that one of a failure may have.
func filedReasonOf(r *reason.Reason) *filedReason {
	if r == nil {
		return nil
	}
	return &filedReason{Kind: r.Kind, Apps: r.Apps, Limit: r.Limit.Seconds(), Count: r.Count, Code: r.Code, Text: r.Text, Because: filedReasonOf(r.Because)}
}

// reason is what was written, or, if that is of no kind that is known, the sentence beside it.
func (f *filedReason) reason(sentence string) *reason.Reason {
	if !f.known() {
		return &reason.Reason{Kind: reason.Earlier, Text: sentence}
	}
	r := &reason.Reason{Kind: f.Kind, Apps: f.Apps, Limit: seconds(f.Limit), Count: f.Count, Code: f.Code, Text: f.Text}
	if f.Because != nil {
		r.Because = f.Because.reason("")
	}
	return r
}

// known reports whether all of it is of kinds that there are.
func (f *filedReason) known() bool {
	if f == nil {
		return false
	}
	return f.Kind.Known() && (f.Because == nil || f.Because.known())
}

func (m Marks) filed() filedMarks {
	f := filedMarks{Since: m.Since}
	for _, k := range m.Keys {
		f.Keys = append(f.Keys, k[:])
	}
	return f
}

func (f filedMarks) marks() Marks {
	m := Marks{Since: f.Since}
	for _, k := range f.Keys {
		if len(k) == len(Key{}) {
			m.Keys = append(m.Keys, Key(k))
		}
	}
	return m
}

func (c filed) memory() State {
	m := State{Saved: c.Saved, Marks: c.Marks.marks(), Apps: make(map[string]App, len(c.Apps))}
	for id, a := range c.Apps {
		m.Apps[id] = a.memory()
	}
	for provider, a := range c.Avoided {
		if m.Avoided == nil {
			m.Avoided = map[string]Avoided{}
		}
		m.Avoided[provider] = a.avoided()
	}
	return m
}

func (a filedApp) memory() App {
	m := App{Seen: a.Seen, LastActivity: a.LastActivity, Pinned: a.Pinned, StoppedManually: a.Stopped, RemovedAsleep: a.Removed, Identity: a.Identity, Memory: a.Memory, Asked: a.Asked, Without: a.Without, Resume: a.Resume, Avoided: a.Avoided.avoided(), Report: reportIn(a.Report)}
	for _, w := range a.Wakes {
		m.Wakes = append(m.Wakes, w.wake())
	}
	for i, s := range a.Spans {
		to := a.Seen
		if i+1 < len(a.Spans) {
			to = time.UnixMilli(a.Spans[i+1].From)
		}
		m.Spans = append(m.Spans, Span{From: time.UnixMilli(s.From), To: to, State: s.State, Asleep: seconds(s.Asleep)})
	}
	return m
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// reasonOf is what the system says, without the path, which whoever reads it knows.
func reasonOf(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	default:
		return err
	}
}
