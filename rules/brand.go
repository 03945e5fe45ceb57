package rules

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Brand is what makes a waiting page look like the app that it is for.
type Brand struct {
	// Color and Accent are written #rrggbb. Empty: the theme's own.
	Color, Accent string
	// Logo is a data: URL of an image, of LogoLimit letters at most. Empty: none.
	Logo string
}

// LogoLimit is the most letters of a logo's URL: it is a part of the waiting page, which
// is to have 4,096 bytes at most.
const LogoLimit = 360

// colorNames are the names of colours that are known: those of CSS 2.1.
var colorNames = map[string]string{
	"aqua": "#00ffff", "black": "#000000", "blue": "#0000ff", "fuchsia": "#ff00ff", "gray": "#808080", "green": "#008000",
	"lime": "#00ff00", "maroon": "#800000", "navy": "#000080", "olive": "#808000", "orange": "#ffa500", "purple": "#800080",
	"red": "#ff0000", "silver": "#c0c0c0", "teal": "#008080", "white": "#ffffff", "yellow": "#ffff00",
}

var (
	hexColor  = regexp.MustCompile(`^#(?:[0-9a-f]{3}|[0-9a-f]{6})$`)
	themeName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	logoURL   = regexp.MustCompile(`^data:image/(?:png|svg\+xml|webp|gif|jpeg);base64,(.+)$`)
)

func setTheme(p *Properties, value *yaml.Node, expand expander) error {
	name, err := scalarText(value, expand)
	if err != nil {
		return err
	}
	if !themeName.MatchString(name) {
		return fmt.Errorf("%q is no name of a theme; write plain, terminal, branded or the name of a folder in theme_dir, of small letters, digits, - and _", name)
	}
	p.Theme = name
	return nil
}

// color sets a colour. Empty: none.
func color(field func(*Properties) *string) func(*Properties, *yaml.Node, expander) error {
	return func(p *Properties, value *yaml.Node, expand expander) error {
		text, err := scalarText(value, expand)
		if err != nil {
			return err
		}
		*field(p), err = parseColor(text)
		return err
	}
}

// parseColor reads #rgb, #rrggbb or a name, and writes #rrggbb.
func parseColor(text string) (string, error) {
	c := strings.ToLower(text)
	if named := colorNames[c]; named != "" || c == "" {
		return named, nil
	}
	if !hexColor.MatchString(c) {
		return "", fmt.Errorf("%q is no colour; write #rgb, #rrggbb or one of %s", text, strings.Join(slices.Sorted(maps.Keys(colorNames)), ", "))
	}
	if len(c) == len("#rgb") {
		c = string([]byte{'#', c[1], c[1], c[2], c[2], c[3], c[3]})
	}
	return c, nil
}

func setLogo(p *Properties, value *yaml.Node, expand expander) error {
	text, err := scalarText(value, expand)
	if err == nil && text != "" {
		err = checkLogo(text)
	}
	if err == nil {
		p.Brand.Logo = text
	}
	return err
}

// checkLogo takes what is part of the page only: a URL would be one of the app's, which
// sleeps, or of somebody else, who is not to hear of visitors.
func checkLogo(text string) error {
	parts := logoURL.FindStringSubmatch(text)
	switch {
	case parts == nil:
		return fmt.Errorf("%q is no image that the page can carry; write data:image/svg+xml;base64,… (or png, webp, gif, jpeg)", shortened(text))
	case len(text) > LogoLimit:
		return fmt.Errorf("an image of %d letters is too long: %d at most, for the whole page has 4,096 bytes; a small SVG fits", len(text), LogoLimit)
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(parts[1]); err != nil {
		return errors.New("what follows base64, is no Base64; `base64 -w0 FILE` writes it")
	}
	return nil
}

// shortened is the beginning of a text that may be long.
func shortened(text string) string {
	if r := []rune(text); len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return text
}

// logoText says of a logo what people want to know.
func logoText(logo string) string {
	if logo == "" {
		return ""
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(logo, "data:"), ";")
	return fmt.Sprintf("%s, %d letters", kind, len(logo))
}
