package agreement

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/traefik/paerser/file"
	ptypes "github.com/traefik/paerser/types"

	"github.com/paastis/paastis/traefik"
	publishing "github.com/paastis/paastis/traefik/dynamic"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/config/label"
	provider "github.com/traefik/traefik/v3/pkg/provider/http"
	"github.com/traefik/traefik/v3/pkg/safe"
)

const (
	self       = "http://paastis:3000"
	middleware = "paastis"
)

// place is where labels can fill a struct of Traefik's.
type place struct {
	path string
	of   reflect.Type
}

// places are all of those that published routes copy.
func places() []place {
	var all []place
	for path, of := range map[string]any{
		"traefik.http.routers.r": dynamic.Router{}, "traefik.http.services.s": dynamic.Service{}, "traefik.http.middlewares.m": dynamic.Middleware{},
	} {
		all = append(all, below(place{path, reflect.TypeOf(of)})...)
	}
	slices.SortFunc(all, func(a, b place) int { return strings.Compare(a.path, b.path) })
	return all
}

func below(p place) []place {
	all := []place{p}
	for field := range fields(p.of) {
		of, name := field.Type, labelName(field)
		if of.Kind() == reflect.Slice && field.Tag.Get("label-slice-as-struct") == "" {
			name += "[0]"
		}
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() == reflect.Struct {
			all = append(all, below(place{p.path + "." + name, of})...)
		}
	}
	return all
}

// fields are those that labels may fill.
func fields(of reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range of.NumField() {
			if field := of.Field(i); field.IsExported() && field.Tag.Get("label") != "-" && !yield(field) {
				return
			}
		}
	}
}

// isUnused tells whether the name is that of a field that labels do not fill.
func isUnused(of reflect.Type, name string) bool {
	field, there := of.FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, name) })
	return there && field.Tag.Get("label") == "-"
}

func labelName(field reflect.StructField) string {
	if name := field.Tag.Get("label-slice-as-struct"); name != "" {
		return name
	}
	return field.Name
}

// ourNames are all names in Paastis's table of fields.
func ourNames(t *testing.T) []string {
	t.Helper()
	source, err := parser.ParseFile(token.NewFileSet(), "../../../traefik/schema/fields.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(source, func(node ast.Node) bool {
		if literal, is := node.(*ast.BasicLit); is && literal.Kind == token.STRING {
			if name, err := strconv.Unquote(literal.Value); err == nil && name != "slices" {
				names = append(names, name)
			}
		}
		return true
	})
	if len(names) < 200 {
		t.Fatalf("only %d names in the table of fields", len(names))
	}
	return names
}

// Every name at every place, with values of every kind: a field that only one side knows,
// or knows as of another kind, makes a difference.
func TestBothSidesKnowTheSameFields(t *testing.T) {
	t.Parallel()
	ours := ourNames(t)
	var tried, good int
	for _, p := range places() {
		names := slices.Clone(ours)
		for field := range fields(p.of) {
			names = append(names, labelName(field))
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			path := p.path + "." + name
			for _, labels := range []map[string]string{
				{path: ""}, {path: "x"}, {path: "1"}, {path: "true"}, {path: "5s"},
				{path + ".x": "x"}, {path + ".x": "1"}, {path + "[0].x": "x"}, {path + "[0]": "x"}, {path + ".x.y": "x"},
			} {
				if isUnused(p.of, name) && !maps.Equal(labels, map[string]string{path: labels[path]}) {
					continue // Traefik looks into what it does not use
				}
				tried++
				if compareUnread(t, labels) {
					good++
				}
			}
		}
	}
	t.Logf("%d labels, of which Traefik reads %d", tried, good)
}

// compareUnread tells whether Traefik reads the labels.
func compareUnread(t *testing.T, labels map[string]string) bool {
	t.Helper()
	_, theirs := theirConfiguration(labels)
	decoded, ours := traefik.Decode(labels)
	var unread []string
	if ours == nil {
		unread = decoded.InvalidLabels()
	}
	if (theirs == nil) != (ours == nil && len(unread) == 0) {
		t.Errorf("labels %q: Traefik says %v, Paastis says %v and cannot read %q", labels, theirs, ours, unread)
	}
	return theirs == nil
}

func theirConfiguration(labels map[string]string) (conf *dynamic.Configuration, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%v", cause)
		}
	}()
	return label.DecodeConfiguration(labels)
}

func TestEachFieldIsPublishedAsTheLabelsSay(t *testing.T) {
	t.Parallel()
	var compared int
	for _, p := range places() {
		for field := range fields(p.of) {
			for _, labels := range examples(p.path+"."+labelName(field), field.Type) {
				if _, err := theirConfiguration(labels); err != nil && !strings.Contains(err.Error(), "standalone") {
					t.Errorf("labels %q are no example: %v", labels, err)
				}
				comparePublished(t, labels)
				compared++
			}
		}
	}
	t.Logf("%d sets of labels", compared)
}

// examples are good labels for a field.
func examples(path string, of reflect.Type) []map[string]string {
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch {
	case of == reflect.TypeFor[ptypes.Duration]():
		return []map[string]string{{path: "5s"}, {path: "7"}, {path: "-1h2m"}}
	case of == reflect.TypeFor[[]dynamic.Server]():
		return []map[string]string{{path + ".port": "80", path + ".scheme": "https"}, {path + ".url": "http://app:80"}}
	case of == reflect.TypeFor[map[string]dynamic.PluginConf]():
		return []map[string]string{
			{path + ".geo": "x"}, {path + ".geo.on": "true"}, {path + ".geo.a.b.c": "1", path + ".geo.a.d": ""},
			{path + ".geo.list[0].a": "1", path + ".geo.list[1].b": "2"}, {path + ".geo.list[0]": "a", path + ".geo.list[1]": "b,c"},
			{path + ".geo.list[0].a": "1", path + ".geo.list[1]": "2"}, {path + ".geo.a.list[0].a.list[0]": "1"}, {path + ".geo.a.a": "1"}, {path + ".geo.a[0].a": "1"},
		}
	}
	switch of.Kind() {
	case reflect.String:
		return []map[string]string{{path: "some text"}, {path: ""}, {path: "12"}, {path: "a, b"}, {path: "null"}}
	case reflect.Bool:
		return []map[string]string{{path: "true"}, {path: "F"}, {path: "0"}}
	case reflect.Int, reflect.Int64:
		return []map[string]string{{path: "0"}, {path: "-12"}, {path: "+07"}, {path: "9000000000000000000"}}
	case reflect.Slice:
		return []map[string]string{{path: "one"}, {path: " one , two,,"}, {path: ""}, {path + "[0]": "one"}, {path: "12,true"}}
	case reflect.Map:
		if of.Elem().Kind() == reflect.Int {
			return []map[string]string{{path + ".12": "34", path + ".400-499": "-5"}}
		}
		return []map[string]string{{path + ".12": "34", path + ".X-A.b": "-5"}, {path + ".a": "1", path + ".A": "2"}, {path + ".<<": "1", path + ".~": "2", path + ".true": "3"}}
	case reflect.Struct:
		return []map[string]string{{path: "true"}, {path: ""}, {path: "false"}}
	default:
		panic(fmt.Sprintf("no example for %s of type %s", path, of))
	}
}

// comparePublished compares what Traefik reads in the labels with what it reads in the
// configuration published for them, and does nothing if it refuses the labels.
func comparePublished(t *testing.T, labels map[string]string) bool {
	t.Helper()
	full := maps.Clone(labels)
	for name, value := range map[string]string{
		"traefik.http.routers.r.rule": "Host(`r`)", "traefik.http.routers.r.service": "s",
		"traefik.http.routers.r.middlewares": "m,m1,m2", "traefik.http.services.s.loadbalancer.passhostheader": "true",
	} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(full)), func(label string) bool { return strings.EqualFold(label, name) }) {
			full[name] = value
		}
	}
	published := publish(t, full)
	theirs, err := theirConfiguration(full)
	if err != nil || isUnfit(full) || published == nil || published.HTTP.Routers["r"] == nil || theirs.HTTP.Routers["r"] == nil {
		return false
	}
	got, want := published.HTTP.Routers["r"], theirs.HTTP.Routers["r"].DeepCopy()
	if got.Priority == 0 || got.Priority == want.Priority {
		t.Errorf("labels %q: priority %d", labels, got.Priority)
	}
	want.Priority, want.Service, want.Rule, want.Middlewares = got.Priority, "r", got.Rule, got.Middlewares
	if want.TLS != nil && want.TLS.Options != "default" {
		want.TLS.Options = at(want.TLS.Options)
	}
	compareParts(t, labels, "router", got, want)

	if told := theirs.HTTP.Services[theirs.HTTP.Routers["r"].Service]; told != nil && told.LoadBalancer != nil {
		want := told.LoadBalancer.DeepCopy()
		server := dynamic.Server{}
		if len(want.Servers) > 0 {
			server = want.Servers[0]
		}
		server.URL, server.Scheme, server.Port = "http://app:80", "", ""
		want.Servers = []dynamic.Server{server}
		want.ServersTransport = at(want.ServersTransport)
		compareParts(t, labels, "load balancer", published.HTTP.Services["r"].LoadBalancer, want)
	}
	for name, got := range published.HTTP.Middlewares {
		want := theirs.HTTP.Middlewares[name].DeepCopy()
		if want.Errors != nil {
			if want.Errors.Service = at(want.Errors.Service); want.Errors.Service == at(theirs.HTTP.Routers["r"].Service) {
				want.Errors.Service = "r"
			}
		}
		if want.Chain != nil {
			want.Chain.Middlewares = got.Chain.Middlewares
		}
		compareParts(t, labels, "middleware", got, want)
	}
	return true
}

// isUnfit tells of text that JSON or Traefik's YAML cannot carry as it is.
func isUnfit(labels map[string]string) bool {
	for name, value := range labels {
		if len(name) > 300 || !utf8.ValidString(name+value) || strings.Contains(name+value, "║") {
			return true
		}
	}
	return false
}

func at(name string) string {
	if name == "" || strings.Contains(name, "@") {
		return name
	}
	return name + "@docker"
}

func compareParts(t *testing.T, labels map[string]string, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		published, _ := json.Marshal(got)
		told, _ := json.Marshal(want)
		t.Errorf("labels %q: %s\n\tpublished %s\n\ttold      %s", labels, what, published, told)
	}
}

// publish is what Traefik reads in what Paastis publishes for an app with such labels:
// awake, and checked to be readable while asleep too. Nil: Paastis refuses the labels.
func publish(t *testing.T, labels map[string]string) *dynamic.Configuration {
	t.Helper()
	decoded, err := traefik.Decode(labels)
	if err != nil {
		return nil
	}
	decoded, _ = decoded.WithDefaults(containerName, containerName, nil)
	var awake, asleep []publishing.Publication
	for _, router := range decoded.Routers {
		p := publishing.Publication{
			Name: router.Name, Labels: decoded, Router: router, Provider: "docker",
			Servers: []string{"http://app:80"}, Awake: true,
		}
		awake = append(awake, p)
		p.Awake = false
		asleep = append(asleep, p)
	}
	load(t, publishing.Publish(asleep, self, middleware))
	return load(t, publishing.Publish(awake, self, middleware))
}

// load reads a configuration as Traefik's HTTP provider does.
func load(t *testing.T, body []byte) *dynamic.Configuration {
	t.Helper()
	conf := &dynamic.Configuration{HTTP: &dynamic.HTTPConfiguration{
		Routers: make(map[string]*dynamic.Router), Services: make(map[string]*dynamic.Service), Middlewares: make(map[string]*dynamic.Middleware),
	}}
	defer func() {
		if cause := recover(); cause != nil {
			t.Errorf("Traefik panics: %v\n%s", cause, body)
		}
	}()
	if err := file.DecodeContent(string(body), ".yaml", conf); err != nil {
		t.Errorf("Traefik refuses the configuration: %v\n%.2000s", err, body)
	}
	return conf
}

// Words of which labels are made that have nothing to do with one another.
var (
	strangeNames = []string{
		"x", "X", "a.b", "[0]", "x[0]", "x[1]", "x[]", "]", "x]", "", "<<", "~", "null", "true", "é", "║", "a║b", "\u0085", "\ufeff", "\x7f", "{", "}", "\"", "'", "#", "? x", "- x", "x: y", "&a", "*a", "!!str", "\n", "\\", "@", "%", "`",
		strings.Repeat("n", 1030), strings.Repeat("\x01", 300), strings.Repeat("é", 1100), strings.Repeat("d.", 600) + "d", strings.Repeat("d.", 11_000) + "d",
	}
	strangeValues = []string{
		"", "x", "1", "0", "-1", "true", "false", "True", "yes", "5s", "1.5", "1e3", "0x10", "99999999999999999999", "9223372036854775807", "NaN", "null", "~", "[]", "{}", "a,b", " a , b ", ",", ",,a", "║", "║24║a", "║2║true", "a║b", "║999║x", "║x║",
		"\x00", "\x01\x1f", "\x7f", "\u0085", "\u2028", "\ufeff", "\uffff", "\U0001f600", "\xff", "é", "\"", "\\", "'", "\n\t\r", "# x", "&a", "*a", "!!binary x", "<<", "2026-01-01", "http://x", "h2c://x", "${x}", "{{ .x }}", "m", "m1", "m2,m", "paastis", "m@docker", "s", "s@file", "default",
		strings.Repeat("v", 5000),
	}
)

// strange are labels at random, most of them near to good ones.
func (d dice) strange(all []place) map[string]string {
	labels := map[string]string{"traefik.http.routers.r.rule": "Host(`r`)", "traefik.http.routers.r.middlewares": "m,m1"}
	for range 1 + d.IntN(6) {
		p := all[d.IntN(len(all))]
		known := slices.Collect(fields(p.of))
		field := known[d.IntN(len(known))]
		examples := examples(p.path+"."+labelName(field), field.Type)
		for name, value := range examples[d.IntN(len(examples))] {
			if d.IntN(3) == 0 {
				value = d.of(strangeValues)
			}
			switch d.IntN(8) {
			case 0:
				name += "." + d.of(strangeNames)
			case 1:
				name = p.path + "." + d.of(strangeNames)
			case 2:
				name = strings.Replace(name, "middlewares.m", "middlewares.m1", 1)
			}
			labels[name] = value
		}
	}
	return labels
}

func TestTraefikReadsWhatIsPublishedForEachFieldWithStrangeValuesAndNames(t *testing.T) {
	t.Parallel()
	for _, p := range places() {
		for field := range fields(p.of) {
			path := p.path + "." + labelName(field)
			for _, value := range strangeValues {
				comparePublished(t, map[string]string{path: value})
			}
			if field.Type.Kind() != reflect.Map {
				continue
			}
			for _, name := range strangeNames {
				comparePublished(t, map[string]string{path + "." + name: "1"})
				comparePublished(t, map[string]string{path + ".x." + name: "║"})
				comparePublished(t, map[string]string{path + ".x." + name + "[0].y": "1", path + ".x." + name + "[1].y": "2"})
			}
		}
	}
}

func TestTraefikReadsWhatIsPublishedForAnyLabels(t *testing.T) {
	t.Parallel()
	d, all := dice{rand.New(rand.NewPCG(4, 2026))}, places()
	var compared int
	for range 3_000 {
		if comparePublished(t, d.strange(all)) {
			compared++
		}
	}
	t.Logf("%d sets of labels are read by both sides", compared)
}

func TestTraefiksOwnProviderLoadsWhatIsPublished(t *testing.T) {
	t.Parallel()
	for _, body := range [][]byte{
		publishing.Publish(nil, self, middleware),
		publishing.Publish([]publishing.Publication{{
			Name: "app", Router: traefik.Router{Name: "app", Rule: "Host(`app`)", Service: "app", TLS: true},
		}}, self, middleware),
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }))
		defer server.Close()
		p := &provider.Provider{}
		p.SetDefaults()
		p.Endpoint = server.URL
		if err := p.Init(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		pool := safe.NewPool(ctx)
		messages := make(chan dynamic.Message, 1)
		if err := p.Provide(messages, pool); err != nil {
			t.Fatal(err)
		}
		select {
		case message := <-messages:
			conf := message.Configuration.HTTP
			if conf.Routers == nil {
				t.Error("Traefik would skip the configuration as an empty one")
			}
			if router := conf.Routers["app"]; strings.Contains(string(body), "app") && (router == nil || router.TLS == nil) {
				t.Errorf("router %+v", router)
			}
		case <-ctx.Done():
			t.Errorf("Traefik loads nothing from %s", body)
		}
		cancel()
		pool.Stop()
	}
}
