package server

import (
	"net/http"
	"strconv"
	"strings"
)

// scripted are headers that a page's own scripts send with what they fetch to put into the
// page: htmx, Turbo and its forerunners, Unpoly, Inertia, Livewire, Alpine AJAX, Datastar,
// React's server components. Browsers send Sec-Fetch-Mode only by https and to localhost, so
// elsewhere nothing else tells such a request from a navigation.
var scripted = [...]string{
	"Hx-Request", "Turbo-Frame", "X-Turbo-Request-Id", "Turbolinks-Referrer", "X-Pjax", "X-Up-Version", "X-Up-Target",
	"X-Inertia", "X-Livewire", "X-Alpine-Request", "Datastar-Request", "Rsc",
}

// isScripted reports whether a page's script sent a request. Android's WebView tells with a
// navigation which app it is in, in the header by which scripts tell of themselves: such a
// name has a dot.
func isScripted(h http.Header) bool {
	for _, name := range scripted {
		if h[name] != nil {
			return true
		}
	}
	with := first(h, "X-Requested-With")
	return with != "" && !strings.Contains(with, ".")
}

// prefersHTML reports whether an Accept header asks for HTML before anything else: of the
// types that it names, none has a higher quality, nor the same one and an earlier place.
// Ranges such as */* name no type, and XML does not count: browsers have asked for it first.
func prefersHTML(accept string) bool {
	html, best := false, 0
	for accept != "" {
		var entry string
		entry, accept, _ = strings.Cut(accept, ",")
		kind, parameters, _ := strings.Cut(entry, ";")
		kind = strings.TrimSpace(kind)
		if strings.HasSuffix(kind, "*") || strings.EqualFold(kind, "application/xml") {
			continue
		}
		if q := quality(parameters); q > best {
			html, best = strings.EqualFold(kind, "text/html") || strings.EqualFold(kind, "application/xhtml+xml"), q
		}
	}
	return html
}

// quality is that of a range of media types, by its parameters, in thousandths. Where it
// cannot be read it is a whole.
func quality(parameters string) int {
	const whole = 1000
	for parameters != "" {
		var parameter string
		parameter, parameters, _ = strings.Cut(parameters, ";")
		name, value, _ := strings.Cut(parameter, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			if q, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && q >= 0 && q <= 1 {
				return int(q * whole)
			}
			return whole
		}
	}
	return whole
}
