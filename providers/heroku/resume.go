package heroku

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/paastis/paastis/providers/internal/paas"
	"github.com/paastis/paastis/registry/inventory"
)

// kept is what Capture keeps, as JSON: {"formation": [{"type": "web", "quantity": 2, "size":
// "Standard-1X"}]}, by type. What later versions add, older ones leave alone.
type kept struct {
	Formation []keptProcess `json:"formation"`
}

type keptProcess struct {
	Type     string `json:"type"`
	Quantity int    `json:"quantity"`
	Size     string `json:"size,omitempty"`
}

// write is what is to be kept of a formation. Nil: nothing runs.
func (f formation) write() ([]byte, error) {
	var k kept
	for _, p := range f.running().sorted() {
		k.Formation = append(k.Formation, keptProcess(p))
	}
	if k.Formation == nil {
		return nil, nil
	}
	return json.Marshal(k)
}

// readKept reads what was kept.
func readKept(data []byte) (formation, error) {
	var k kept
	if err := json.Unmarshal(data, &k); err != nil {
		return nil, fmt.Errorf("read what is kept: %w", err)
	}
	var f formation
	for _, p := range k.Formation {
		if p.Type != "" && p.Quantity > 0 {
			f = append(f, process(p))
		}
	}
	if f == nil {
		return nil, errors.New("read what is kept: it has no process type")
	}
	return f.sorted(), nil
}

// Capture returns to what an app is scaled: its process types, how many dynos they have, and of
// what size.
func (p *Provider) Capture(ctx context.Context, name string) ([]byte, error) {
	known, err := p.known(ctx, "capture", name)
	if err != nil {
		return nil, err
	}
	_, f, err := p.now(paas.With(ctx, paas.Sleep), known)
	if err == nil && p.records.leaves(f) {
		err = errLeft
	}
	var data []byte
	if err == nil {
		data, err = f.write()
	}
	if err != nil {
		return nil, p.failed("capture", known, err)
	}
	p.records.captures.note(known.id, f)
	return data, nil
}

// Resume scales an app as it was, by one call. What somebody has scaled since wins: an app that is
// scaled to some is left so, but for web, without which no visitor could be served; a process type
// that has another size since keeps that. One that is no more is left out, and told.
func (p *Provider) Resume(ctx context.Context, name string, data []byte) (inventory.App, error) {
	return p.order(paas.With(ctx, paas.Wake), "resume", name, p.now, func(ctx context.Context, a app, f formation) error {
		was, err := readKept(data)
		if err != nil {
			return err
		}
		if len(f.running()) > 0 {
			return p.resumeRest(ctx, a, f, was)
		}
		scaled, err := p.restore(ctx, a, f, was)
		if err != nil {
			return err
		}
		p.records.started(a.id, f.with(scaled))
		return nil
	})
}

// resumeRest is Resume of an app that somebody has scaled to some dynos, perhaps this Paastis.
func (p *Provider) resumeRest(ctx context.Context, a app, f, was formation) error {
	if f.quantity(web) > 0 || was.quantity(web) == 0 {
		if !f.isSameAs(was) {
			p.log.InfoContext(ctx, "the app was scaled by somebody else while it slept, and stays so", "app", a.name, "now", f.text(), "was", was.text())
		}
		return p.rouse(ctx, a, f)
	}
	scaled, err := p.api.scale(ctx, a.id, f.restored(formation{*was.of(web)}))
	if err != nil {
		return err
	}
	p.log.InfoContext(ctx, "the app was scaled by somebody else while it slept, and stays so but for web", "app", a.name, "now", f.text(), "was", was.text())
	p.records.started(a.id, f.with(scaled))
	return nil
}

// restore scales all process types as they were that there still are.
func (p *Provider) restore(ctx context.Context, a app, f, was formation) (formation, error) {
	var missing []string
	for {
		scaled, err := p.api.scale(ctx, a.id, f.restored(was))
		if err == nil {
			if len(missing) > 0 {
				p.log.WarnContext(ctx, "a process type that the app had is no more; the others are started as they were", "app", a.name, "missing", strings.Join(missing, ", "))
			}
			return scaled, nil
		}
		gone := missingTypes(err, f, was)
		if len(gone) == 0 || len(gone) == len(was) {
			return nil, bare(err, f)
		}
		missing = append(missing, gone...)
		was = slices.DeleteFunc(slices.Clone(was), func(p process) bool { return slices.Contains(gone, p.Type) })
	}
}

// namedType is a process type that Heroku says it could not find.
var namedType = regexp.MustCompile(`process type \(([-\w]+)\)`)

// isOfType reports whether Heroku says that it is a process type that there is none of, and not
// the app.
func isOfType(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "process type") || strings.Contains(text, "formation")
}

// missingTypes are the process types that an order was refused for: that which Heroku names, else
// those that are not listed. Nil: it was refused for something else.
func missingTypes(err error, f, was formation) []string {
	var refused *paas.Error
	if !errors.As(err, &refused) || !paas.HasStatus(err, http.StatusNotFound, http.StatusUnprocessableEntity) || !isOfType(refused.Text) {
		return nil
	}
	if m := namedType.FindStringSubmatch(refused.Text); m != nil && was.of(m[1]) != nil {
		return []string{m[1]}
	}
	var missing []string
	for _, p := range was {
		if f.of(p.Type) == nil {
			missing = append(missing, p.Type)
		}
	}
	return missing
}

// text is a formation for people: web=2:Standard-1X worker=1:Standard-2X, as the CLI has it.
func (f formation) text() string {
	var parts []string
	for _, p := range f.running() {
		parts = append(parts, fmt.Sprintf("%s=%d:%s", p.Type, p.Quantity, p.Size))
	}
	return strings.Join(parts, " ")
}
