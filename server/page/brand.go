package page

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/paastis/paastis/rules"
)

// brand is how an app wants its page to look.
type brand rules.Brand

// The colours of a brand that has none, and the grounds that its texts stand on in light
// and dark (themes/branded/style.css).
const (
	defaultBrandColor  = "#0b3954"
	defaultBrandAccent = "#e07a1f"
	lightGround        = "#ffffff"
	darkGround         = "#1b2128"
)

// readable is the contrast that a text needs (WCAG 2.2, AA).
const readable = 4.5

func (b brand) drawn() DrawnBrand {
	return DrawnBrand{Color: b.Color, Accent: b.Accent, Logo: template.URL(b.Logo)} // validated
}

// bare is a brand without logo.
func (b brand) bare() brand {
	b.Logo = ""
	return b
}

// shorter are a brand and, where names are cut to the least that tells them apart, that
// without its logo: the linked apps are worth more.
func (b brand) shorter(most size) []brand {
	if b.Logo == "" || most.name > shortName {
		return []brand{b}
	}
	return []brand{b, b.bare()}
}

// variables are the colours of a brand for a style:
//
//	--brand     the first colour, and --on-brand what can be read on it
//	--accent    the second one, and --on-accent what can be read on it
//	--ink       the second one, so that it can be read on a light or a dark ground
//
// Those that the style does not use are left out, for a page is to be short.
func (b brand) variables(style string) string {
	color := parseRGB(cmp.Or(b.Color, defaultBrandColor))
	accent := parseRGB(cmp.Or(b.Accent, b.Color, defaultBrandAccent))
	both := variables(style, "--brand", color, "--on-brand", color.on(), "--accent", accent, "--on-accent", accent.on(),
		"--ink", accent.readableOn(parseRGB(lightGround)))
	if dark := variables(style, "--ink", accent.readableOn(parseRGB(darkGround))); dark != "" {
		return both + "@media(prefers-color-scheme:dark){" + dark + "}"
	}
	return both
}

// variables sets those of some variables, name, colour, name, colour, that a style uses.
func variables(style string, all ...any) string {
	var set []string
	for i := 0; i < len(all); i += 2 {
		if strings.Contains(style, fmt.Sprintf("var(%s)", all[i])) {
			set = append(set, fmt.Sprintf("%s:%s", all[i], all[i+1]))
		}
	}
	if set == nil {
		return ""
	}
	return ":root{" + strings.Join(set, ";") + "}"
}

// rgb is a colour of sRGB.
type rgb [3]uint8

// parseRGB reads #rrggbb, which is validated.
func parseRGB(text string) rgb {
	var c rgb
	_, _ = fmt.Sscanf(text, "#%02x%02x%02x", &c[0], &c[1], &c[2])
	return c
}

// String writes it as short as it can be.
func (c rgb) String() string {
	short := true
	for _, part := range c {
		short = short && part>>4 == part&15
	}
	if short {
		return fmt.Sprintf("#%x%x%x", c[0]&15, c[1]&15, c[2]&15)
	}
	return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2])
}

var white, black = rgb{255, 255, 255}, rgb{}

// on is white or black, whichever can be read better on a colour: one of them always can.
func (c rgb) on() rgb {
	if c.contrast(white) >= c.contrast(black) {
		return white
	}
	return black
}

// readableOn is a colour, made darker or lighter as far as it needs to be read on a ground.
func (c rgb) readableOn(ground rgb) rgb {
	end := ground.on()
	for share := 0.0; share < 1; share += 0.04 {
		if mixed := c.mixed(end, share); mixed.contrast(ground) >= readable {
			return mixed
		}
	}
	return end
}

// mixed is a colour with a share of another one, 0 to 1.
func (c rgb) mixed(other rgb, share float64) rgb {
	for i := range c {
		c[i] = uint8(math.Round(float64(c[i])*(1-share) + float64(other[i])*share))
	}
	return c
}

// contrast is the contrast ratio of two colours, 1 to 21 (WCAG 2.2).
func (c rgb) contrast(other rgb) float64 {
	a, b := c.luminance(), other.luminance()
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

// luminance is the relative luminance, 0 to 1 (WCAG 2.2).
func (c rgb) luminance() float64 {
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

func linear(part uint8) float64 {
	v := float64(part) / 255
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}
