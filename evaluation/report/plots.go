package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"regexp"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// ink is a colour of the plots: its light value, and the variable of the page's style that stands in its place, so that
// plots follow the page's light or dark colours.
type ink struct {
	light    color.RGBA
	variable string
}

// RGBA implements color.Color.
func (i ink) RGBA() (r, g, b, a uint32) { return i.light.RGBA() }

// The inks. Those of classes are told apart by colour-blind people too (Okabe and Ito 2008); lines also differ in their dashes.
var (
	inkText  = ink{color.RGBA{0x15, 0x17, 0x1c, 0xff}, "--text"}
	inkMuted = ink{color.RGBA{0x5b, 0x60, 0x6b, 0xff}, "--muted"}
	inkGrid  = ink{color.RGBA{0xe3, 0xe4, 0xe0, 0xff}, "--grid"}
	inkPaper = ink{color.RGBA{0xfe, 0xff, 0xfe, 0xff}, "--surface"}
	inkGap   = ink{color.RGBA{0xec, 0xed, 0xe8, 0xff}, "--gap"}
	inkLive  = ink{color.RGBA{0x00, 0x8a, 0x66, 0xff}, "--live"}

	inkSpecies = []ink{
		{color.RGBA{0xc4, 0x55, 0x00, 0xff}, "--attack-1"}, // print
		{color.RGBA{0xb8, 0x5f, 0x94, 0xff}, "--attack-2"}, // cut
		{color.RGBA{0x00, 0x6a, 0xa8, 0xff}, "--attack-3"}, // replay
		{color.RGBA{0xa8, 0x7c, 0x00, 0xff}, "--attack-4"}, // mask
		{color.RGBA{0x3d, 0x95, 0xc9, 0xff}, "--attack-5"},
		{color.RGBA{0x6b, 0x6f, 0x78, 0xff}, "--attack-6"},
	}
	inks = append([]ink{inkText, inkMuted, inkGrid, inkPaper, inkGap, inkLive}, inkSpecies...)
)

// dashes tell lines apart without colour; in points.
var dashes = [][]vg.Length{{}, {5, 2}, {1.5, 1.5}, {6, 2, 1.5, 2}, {3, 2}, {8, 3}}

// look is how a class is drawn.
type look struct {
	ink    ink
	dashes []vg.Length
}

// looks gives each species its look: the usual ones always the same.
func looks(species []string) map[string]look {
	m, next := map[string]look{}, len(speciesOrder)
	for _, name := range species {
		i := placeOf(name)
		if i == len(speciesOrder) {
			i, next = next, next+1
		}
		m[name] = look{inkSpecies[i%len(inkSpecies)], dashes[i%len(dashes)]}
	}
	return m
}

// newPlot has the page's look: a light grid and no box.
func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = sans(9)
		axis.Label.TextStyle.Color = inkMuted
		axis.Label.Padding = 4
		axis.Tick.Label.Font = sans(8.5)
		axis.Tick.Label.Color = inkMuted
		axis.Tick.Length, axis.Padding = 0, 4
		axis.Tick.LineStyle.Width, axis.LineStyle.Width = 0, 0
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = inkGrid, inkGrid
	grid.Horizontal.Width, grid.Vertical.Width = 0.6, 0.6
	if y == "" { // rows, not values
		grid.Horizontal.Width = 0
	}
	p.Add(grid)
	return p
}

func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

func ticks(format func(float64) string, at ...float64) plot.ConstantTicks {
	list := make([]plot.Tick, len(at))
	for i, v := range at {
		list[i] = plot.Tick{Value: v, Label: format(v)}
	}
	return list
}

// line draws a polyline; a step where the points make one.
func line(points plotter.XYs, l look, width vg.Length) plot.Plotter {
	return &plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: l.ink, Width: width, Dashes: l.dashes}}
}

func area(points plotter.XYs, fill color.Color) plot.Plotter {
	return &plotter.Polygon{XYs: []plotter.XYs{points}, Color: fill}
}

// marks are the glyphs of the rules.
var marks = map[Rule]draw.GlyphDrawer{RuleModel: draw.CircleGlyph{}, RuleRealistic: draw.BoxGlyph{}, RuleIdealised: draw.PyramidGlyph{}}

// mark draws a rule's glyph, filled over a ring of the page's colour so that it stands off the lines.
func mark(x, y float64, rule Rule) []plot.Plotter {
	at := plotter.XYs{{X: x, Y: y}}
	style := func(c color.Color, radius vg.Length) plot.Plotter {
		return &plotter.Scatter{XYs: at, GlyphStyle: draw.GlyphStyle{Color: c, Radius: radius, Shape: marks[rule]}}
	}
	return []plot.Plotter{style(inkPaper, 5), style(inkText, 3.6)}
}

var (
	svgOpening = regexp.MustCompile(`(?s)^.*?<svg[^>]*viewBox="([^"]*)"[^>]*>`)
	svgFont    = regexp.MustCompile(`font-family:[^;"]*;font-variant:[^;"]*;font-weight:[^;"]*;font-style:[^;"]*;`)
)

// render draws the plot as an SVG element for the page: text stays text, colours are the page's, and the label tells
// what is seen to those who do not see it.
func render(p *plot.Plot, width, height vg.Length, label string) template.HTML {
	c := vgsvg.New(width, height)
	p.Draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		panic(err) // a buffer takes all
	}
	opening := fmt.Sprintf(`<svg class="plot" role="img" aria-label="%s" viewBox="$1" style="max-width:%.0fpx" xmlns="http://www.w3.org/2000/svg">`,
		strings.ReplaceAll(template.HTMLEscapeString(label), "$", "$$"), 4*width.Points()/3)
	text := svgOpening.ReplaceAllString(b.String(), opening)
	text = svgFont.ReplaceAllString(text, "")
	return template.HTML(themed.Replace(text)) //nolint:gosec // made here; names in it were escaped by the drawing library
}

// themed puts the page's variables in the place of the inks.
var themed = func() *strings.Replacer {
	var pairs []string
	for _, i := range inks {
		pairs = append(pairs, fmt.Sprintf("#%02X%02X%02X", i.light.R, i.light.G, i.light.B), "var("+i.variable+")")
	}
	return strings.NewReplacer(pairs...)
}()

// round takes off what floating-point arithmetic added to a multiple of 0.1.
func round(v float64) float64 { return math.Round(v*1e6) / 1e6 }
