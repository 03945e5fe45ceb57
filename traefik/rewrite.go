package traefik

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const (
	prefixHeader   = "X-Forwarded-Prefix" // has what was stripped, a line for each time
	replacedHeader = "X-Replaced-Path"    // has what was replaced, a line for each time
	// mostTraces is how many lines of a header a middleware of which nothing is known may
	// have added.
	mostTraces = 4
	// mostOrigins is how many requests are thought of behind one, for visitors may send any
	// number of traces. Traefik's own middlewares leave no more than three each.
	mostOrigins = 24

	// What is stripped weighs more than what is replaced: Traefik takes X-Forwarded-Prefix off
	// the requests of strangers, and leaves them X-Replaced-Path.
	prefixWeight   = 8
	replacedWeight = 1
)

// Rewrites are the middlewares that change path or host of a request before Paastis sees
// it, in the order in which it passes them. They tell how the visitor made it. Nil: there
// are none, and it is seen as it was made.
//
// They do what Traefik 3.6.12 does (its pkg/middlewares).
type Rewrites []rewrite

// rewrite is one of them.
type rewrite interface {
	// apply does what the middleware does, and reports whether the request gets through.
	apply(*rewritten) bool
	// origins are requests of which it may have made this one.
	origins(rewritten) []rewritten
}

// rewritten is what middlewares change of a request.
type rewritten struct {
	host    string
	path    string   // with its escapes; may be empty
	strips  []string // values of X-Forwarded-Prefix
	changes []string // values of X-Replaced-Path

	anyHost bool // the visitor's host was replaced, and left no trace
	trusted bool // the visitor's host is told whatever replaced it
	lost    bool // of X-Forwarded-Prefix nothing is left
	undone  int  // weight of the traces that were found and explained
	guessed bool // by what is not known of a middleware
}

// Origin is a request as a visitor may have made it, of which rewrites made another.
type Origin struct {
	Host string
	Path string // with its escapes
	// AnyHost reports whether the visitor's host was replaced, and left no trace.
	AnyHost bool
	// Undone is the weight of the traces that were found and explained.
	Undone int
	// Guessed reports whether it is by what is not known of a middleware.
	Guessed bool
}

// Origins are the requests of which the rewrites may have made this one, those first that
// explain the most of its traces.
func (ws Rewrites) Origins(request *Request) []Origin {
	path, _, _ := strings.Cut(request.URI, "?")
	seen := rewritten{
		host: request.Authority, path: path, strips: request.Header[prefixHeader], changes: request.Header[replacedHeader],
	}
	var all []Origin
	for _, r := range ws.origins(seen) {
		all = append(all, Origin{Host: r.host, Path: r.path, AnyHost: r.anyHost, Undone: r.undone, Guessed: r.guessed})
	}
	return all
}

// IsKnown reports whether it is known of all of them what they do.
func (ws Rewrites) IsKnown() bool {
	return !slices.Contains(ws, rewrite(unknown{}))
}

// LeavesTrace reports whether each of them tells what it has changed, so that no request
// can be taken for another.
func (ws Rewrites) LeavesTrace() bool {
	return !slices.ContainsFunc(ws, func(w rewrite) bool {
		switch w.(type) {
		case addPrefix, headerChange, mute:
			return true
		}
		return false
	})
}

// ChangesHost reports whether one of them puts a host in place of the visitor's.
func (ws Rewrites) ChangesHost() bool {
	return slices.ContainsFunc(ws, func(w rewrite) bool {
		change, ok := w.(headerChange)
		return ok && change.host != ""
	})
}

// origins are the requests, as visitors may have made them, of which the middlewares make
// this one; those first that explain the most of its traces.
func (ws Rewrites) origins(seen rewritten) []rewritten {
	found := []rewritten{seen}
	if seen.path == "/" {
		emptied := seen
		emptied.path = "" // looks the same from outside
		found = append(found, emptied)
	}
	for _, w := range slices.Backward(ws) {
		var before []rewritten
		for _, r := range found {
			before = append(before, w.origins(r)...)
		}
		found = before[:min(len(before), mostOrigins)]
	}
	found = slices.DeleteFunc(found, func(r rewritten) bool { return !strings.HasPrefix(r.path, "/") })
	slices.SortStableFunc(found, func(a, b rewritten) int { return b.undone - a.undone })
	return found
}

// The middlewares

type stripPrefix struct {
	prefixes   []string
	forceSlash bool
}

func (m *stripPrefix) apply(r *rewritten) bool {
	path := unescaped(r.path)
	for _, prefix := range m.prefixes {
		if strings.HasPrefix(path, prefix) {
			r.strip(prefix, m.forceSlash)
			r.strips = append(slices.Clip(r.strips), strings.TrimSpace(prefix))
			break
		}
	}
	return true
}

func (m *stripPrefix) origins(r rewritten) []rewritten {
	if !r.lost {
		return origins(m, r, unstripped(r))
	}
	var candidates []rewritten
	for _, prefix := range m.prefixes {
		candidates = append(candidates, r.withPrefix(prefix)...)
	}
	return origins(m, r, candidates)
}

type stripPrefixRegex struct{ patterns []*regexp.Regexp }

func (m *stripPrefixRegex) apply(r *rewritten) bool {
	path := unescaped(r.path)
	for _, pattern := range m.patterns {
		if prefix := pattern.FindString(path); prefix != "" && strings.HasPrefix(path, prefix) {
			r.strip(prefix, false)
			r.strips = append(slices.Clip(r.strips), prefix)
			break
		}
	}
	return true
}

func (m *stripPrefixRegex) origins(r rewritten) []rewritten { return origins(m, r, unstripped(r)) }

type replacePath struct{ path string }

func (m replacePath) apply(r *rewritten) bool {
	r.changes = append(slices.Clip(r.changes), r.path)
	return r.replace(m.path)
}

func (m replacePath) origins(r rewritten) []rewritten { return origins(m, r, unreplaced(r)) }

type replacePathRegex struct {
	pattern     *regexp.Regexp
	replacement string
}

func (m *replacePathRegex) apply(r *rewritten) bool {
	if !m.pattern.MatchString(r.path) {
		return true
	}
	r.changes = append(slices.Clip(r.changes), r.path)
	return r.replace(m.pattern.ReplaceAllString(r.path, m.replacement))
}

func (m *replacePathRegex) origins(r rewritten) []rewritten { return origins(m, r, unreplaced(r)) }

type addPrefix struct{ prefix string }

func (m addPrefix) apply(r *rewritten) bool {
	u := parsedPath(r.path)
	u.Path = slashed(m.prefix + u.Path)
	if u.RawPath != "" {
		u.RawPath = slashed(m.prefix + u.RawPath)
	}
	r.path = u.EscapedPath()
	return true
}

func (m addPrefix) origins(r rewritten) []rewritten {
	var candidates []rewritten
	for _, prefix := range []string{m.prefix, slashed(m.prefix), escapedPath(slashed(m.prefix))} {
		if path, has := strings.CutPrefix(r.path, prefix); has {
			before := r
			before.path = path
			candidates = append(candidates, before)
		}
	}
	return origins(m, r, candidates)
}

// headerChange is what the headers middleware does to a request, as far as it matters.
type headerChange struct {
	host  string // empty: it is left
	marks bool   // X-Forwarded-Prefix is put anew
	mark  string // what it then has; empty: nothing
}

func (m headerChange) apply(*rewritten) bool { return true }

func (m headerChange) origins(r rewritten) []rewritten {
	if !m.leaves(&r) {
		return nil
	}
	switch {
	case !m.marks || r.lost:
	case m.mark == "" && len(r.strips) == 0:
		r.lost = true
	case m.mark != "" && slices.Equal(r.strips, []string{m.mark}):
		r.lost, r.undone = true, r.undone+prefixWeight
	default:
		return nil
	}
	return []rewritten{r}
}

// leaves reports whether the host that is seen can be what the middleware leaves.
func (m headerChange) leaves(r *rewritten) bool {
	if m.host == "" || r.trusted {
		return true
	}
	r.anyHost = true
	return strings.EqualFold(r.host, m.host)
}

// trusting is a ForwardAuth that tells the host that Traefik noted first.
type trusting struct{}

func (trusting) apply(*rewritten) bool { return true }

func (trusting) origins(r rewritten) []rewritten {
	r.trusted = true
	return []rewritten{r}
}

// mute is a ForwardAuth that does not tell X-Forwarded-Prefix.
type mute struct{}

func (mute) apply(*rewritten) bool { return true }

func (mute) origins(r rewritten) []rewritten {
	r.lost = true
	return []rewritten{r}
}

// unknown is a middleware that may do anything; if it changes a path, then as Traefik's do.
type unknown struct{}

func (unknown) apply(*rewritten) bool { return true }

func (unknown) origins(r rewritten) []rewritten {
	all := []rewritten{r}
	guess := r
	for range min(len(r.strips), mostTraces) {
		if stripped := unstripped(guess); len(stripped) > 0 {
			guess = stripped[0]
			guess.guessed = true
			all = append(all, guess)
		}
	}
	for _, before := range unreplaced(r) {
		before.guessed = true
		all = append(all, before)
	}
	return all
}

// Steps forth and back

// origins leaves those of the candidates, and of the request itself, of which the
// middleware makes it.
func origins(m rewrite, after rewritten, candidates []rewritten) []rewritten {
	var all []rewritten
	for _, before := range append(candidates, after) {
		again := before
		if m.apply(&again) && again.looksLike(after) && !slices.ContainsFunc(all, before.looksLike) {
			all = append(all, before)
		}
	}
	return all
}

func (r rewritten) looksLike(other rewritten) bool {
	return isSamePath(r.path, other.path) && slices.Equal(r.changes, other.changes) &&
		(r.lost || slices.Equal(r.strips, other.strips))
}

// isSamePath reports whether two paths are the same to rules, however they are escaped.
func isSamePath(a, b string) bool {
	if a == b {
		return true
	}
	decodedA, errA := routingPath(a)
	decodedB, errB := routingPath(b)
	return errA == nil && errB == nil && decodedA == decodedB
}

// strip cuts a prefix off, which the decoded path has.
func (r *rewritten) strip(prefix string, forceSlash bool) {
	u := parsedPath(r.path)
	u.Path = slashed(strings.TrimPrefix(u.Path, prefix))
	if u.RawPath != "" {
		u.RawPath = slashed(u.RawPath[encodedLen(u.RawPath, prefix):])
	}
	if forceSlash {
		u.Path = "/" + strings.TrimPrefix(u.Path, "/")
		if u.RawPath != "" {
			u.RawPath = "/" + strings.TrimPrefix(u.RawPath, "/")
		}
	}
	r.path = u.EscapedPath()
}

// replace reports whether the path can be read.
func (r *rewritten) replace(path string) bool {
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return false
	}
	u := url.URL{Path: decoded, RawPath: path}
	r.path = u.EscapedPath()
	return true
}

// unstripped are requests off which what the last trace tells may have been cut.
func unstripped(r rewritten) []rewritten {
	if len(r.strips) == 0 {
		return nil
	}
	last := len(r.strips) - 1
	prefix := r.strips[last]
	r.strips, r.undone = r.strips[:last], r.undone+prefixWeight
	return r.withPrefix(prefix)
}

// withPrefix are requests with a prefix that may be cut off so that this one is left.
func (r rewritten) withPrefix(prefix string) []rewritten {
	prefix = escapedPath(prefix)
	paths := []string{prefix + r.path}
	if rest, slashed := strings.CutPrefix(r.path, "/"); slashed {
		paths = append(paths, prefix+rest)
	}
	if strings.HasSuffix(prefix, "/") {
		slices.Reverse(paths) // Traefik has no two slashes in a row, unless told to
	}
	all := make([]rewritten, 0, len(paths))
	for _, path := range paths {
		before := r
		before.path = path
		all = append(all, before)
	}
	return all
}

// unreplaced are none, or the one request whose path the last trace tells.
func unreplaced(r rewritten) []rewritten {
	if len(r.changes) == 0 {
		return nil
	}
	last := len(r.changes) - 1
	path := r.changes[last]
	if _, err := url.PathUnescape(path); err != nil {
		return nil
	}
	r.path, r.changes, r.undone = path, r.changes[:last], r.undone+replacedWeight
	return []rewritten{r}
}

// Helpers

// parsedPath has the path decoded, and RawPath only where net/url has it.
func parsedPath(escaped string) url.URL {
	decoded := unescaped(escaped)
	u := url.URL{Path: decoded}
	if u.EscapedPath() != escaped {
		u.RawPath = escaped
	}
	return u
}

func escapedPath(path string) string {
	u := url.URL{Path: path}
	return u.EscapedPath()
}

// unescaped is the path itself if an escape in it is none.
func unescaped(path string) string {
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return path
	}
	return decoded
}

// slashed begins with a slash unless it is empty.
func slashed(path string) string {
	if path == "" || path[0] == '/' {
		return path
	}
	return "/" + path
}

// encodedLen is how many bytes of an escaped path are those of a decoded prefix.
func encodedLen(escaped, prefix string) int {
	i := 0
	for range len(prefix) {
		switch {
		case i >= len(escaped):
			return i
		case escaped[i] == '%' && i+2 < len(escaped):
			i += 3
		default:
			i++
		}
	}
	return i
}
