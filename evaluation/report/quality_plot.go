package report

import (
	"fmt"
	"html/template"
	"image/color"
	"io"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Columns of panels, and the size of one, in points.
const (
	qualityColumns = 4
	qualityWidth   = 190
	qualityHeight  = 130
)

// Plot writes an SVG file with a panel for each measure: BPCER (green) and APCER (dashed) of its bins.
func (q *Quality) Plot(out io.Writer) error {
	rows := (len(q.Measures) + qualityColumns - 1) / qualityColumns
	canvas := vgsvg.New(qualityWidth*qualityColumns, qualityHeight*vg.Length(rows))
	page := draw.New(canvas)
	page.SetColor(color.White)
	page.Fill(page.Rectangle.Path())
	tiles := draw.Tiles{Rows: rows, Cols: qualityColumns, PadX: 10, PadY: 10, PadTop: 6, PadBottom: 4, PadLeft: 4, PadRight: 8}
	for i, m := range q.Measures {
		qualityPanel(m).Draw(tiles.At(page, i%qualityColumns, i/qualityColumns))
	}
	if _, err := canvas.WriteTo(out); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

// qualityPanel has the bins side by side, whatever their width, and their bounds between them.
func qualityPanel(m QualityMeasure) *plot.Plot {
	p := newPlot(m.Name+", "+m.Unit, "%")
	p.X.Tick.Label.Font, p.X.Label.TextStyle.Font = sans(7), sans(8)
	p.Add(overBins(m.Bins, func(b QualityBin) *Rate { return b.APCER }, look{inkSpecies[0], dashes[1]})...)
	p.Add(overBins(m.Bins, func(b QualityBin) *Rate { return b.BPCER }, look{ink: inkLive})...)
	var bounds []plot.Tick
	for i, bin := range m.Bins[:len(m.Bins)-1] {
		tick := plot.Tick{Value: float64(i + 1)}
		if i%2 == 0 { // more have no room
			tick.Label = bound(*bin.High)
		}
		bounds = append(bounds, tick)
	}
	p.X.Tick.Marker = plot.ConstantTicks(bounds)
	p.Y.Tick.Marker = ticks(wholePercent, 0, 0.25, 0.5, 0.75, 1)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, float64(len(m.Bins)), 0, 1
	return p
}

// overBins draws a rate with its interval in the middle of each bin that has one.
func overBins(bins []QualityBin, of func(QualityBin) *Rate, l look) (drawn []plot.Plotter) {
	var at plotter.XYs
	for i, bin := range bins {
		if r := of(bin); r != nil {
			x := float64(i) + 0.5
			at = append(at, plotter.XY{X: x, Y: r.Value})
			drawn = append(drawn, line(plotter.XYs{{X: x, Y: r.Low}, {X: x, Y: r.High}}, look{ink: l.ink}, 0.6))
		}
	}
	if len(at) == 0 {
		return nil
	}
	return append(drawn, line(at, l, 1.4), &plotter.Scatter{XYs: at, GlyphStyle: draw.GlyphStyle{Color: l.ink, Radius: 2, Shape: draw.CircleGlyph{}}})
}

func plotQuality(m QualityMeasure) template.HTML {
	return render(qualityPanel(m), qualityWidth, qualityHeight, "BPCER and APCER by "+m.Name)
}

// bound writes a bin's bound with four digits.
func bound(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// qualityKeys explain the lines.
func qualityKeys() []key {
	return []key{newKey(look{ink: inkLive}, 2, "BPCER of bona fide samples"), newKey(look{inkSpecies[0], dashes[1]}, 2, "APCER of attack samples")}
}

// interval names a bin's place.
func (b QualityBin) interval() string {
	switch {
	case b.Low == nil && b.High == nil:
		return "all"
	case b.Low == nil:
		return "below " + bound(*b.High)
	case b.High == nil:
		return "from " + bound(*b.Low)
	}
	return bound(*b.Low) + " to " + bound(*b.High)
}
