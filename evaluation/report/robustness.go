package report

import (
	"fmt"
	"image/color"
	"io"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/liveproof/liveproof/evaluation/robustness"
)

// Sizes of one of the three panels and of the legend beside them, in points.
const (
	panelWidth  = 220
	panelHeight = 210
	legendWidth = 130
)

// PlotRobustness writes an SVG file with three panels over the loss of packets, a line for each encoding: the mean |Δρ| from the
// original files, the HTER at the model's threshold, and the share of videos without a verdict.
func PlotRobustness(out io.Writer, r robustness.Report) error {
	panels := []*plot.Plot{
		robustnessPanel(r, "mean |Δρ|", func(s robustness.Sweep) (float64, bool) {
			return s.FromOriginal.Delta.Mean, s.FromOriginal.Compared > 0
		}),
		robustnessPanel(r, "HTER, %", func(s robustness.Sweep) (float64, bool) {
			if s.Outcome.HTER == nil {
				return 0, false
			}
			return 100 * *s.Outcome.HTER, true
		}),
		robustnessPanel(r, "inconclusive, %", func(s robustness.Sweep) (float64, bool) { return 100 * s.Outcome.Inconclusive, true }),
	}
	width := panelWidth * vg.Length(len(panels))
	canvas := vgsvg.New(width+legendWidth, panelHeight)
	page := draw.New(canvas)
	page.SetColor(color.White)
	page.Fill(page.Rectangle.Path())
	legend := encodingsLegend(r)
	legend.Draw(draw.Crop(page, width, -8, 8, -8))
	page = draw.Crop(page, 0, -legendWidth, 0, 0)
	tiles := draw.Tiles{Rows: 1, Cols: len(panels), PadX: 12, PadTop: 8, PadBottom: 4, PadLeft: 6, PadRight: 10}
	for i, row := range plot.Align([][]*plot.Plot{panels}, tiles, page)[0] {
		panels[i].Draw(row)
	}
	if _, err := canvas.WriteTo(out); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

func robustnessPanel(r robustness.Report, y string, value func(robustness.Sweep) (float64, bool)) *plot.Plot {
	p := newPlot("loss of packets, %", y)
	p.Y.Min = 0
	for i, e := range r.Encodings {
		var at plotter.XYs
		for _, s := range e.WebRTC {
			if v, ok := value(s); ok {
				at = append(at, plotter.XY{X: 100 * s.Loss, Y: v})
			}
		}
		if len(at) > 0 {
			p.Add(line(at, encodingLook(i), 1.4), dots(at, i))
		}
	}
	p.Y.Min = 0
	if p.Y.Max *= 1.05; p.Y.Max <= 0 {
		p.Y.Max = 1
	}
	return p
}

func encodingLook(i int) look { return look{inkSpecies[i%len(inkSpecies)], dashes[i%len(dashes)]} }

func dots(at plotter.XYs, i int) *plotter.Scatter {
	return &plotter.Scatter{XYs: at, GlyphStyle: draw.GlyphStyle{Color: inkSpecies[i%len(inkSpecies)], Radius: 2, Shape: draw.CircleGlyph{}}}
}

func encodingsLegend(r robustness.Report) plot.Legend {
	legend := plot.NewLegend()
	legend.Top, legend.Left = true, true
	legend.TextStyle.Font, legend.TextStyle.Color = sans(8.5), inkText
	for i, e := range r.Encodings {
		l := encodingLook(i)
		name := e.Codec + " " + strconv.FormatFloat(float64(e.Bitrate)/1000, 'f', -1, 64) + "k"
		if e.Preset != "" {
			name += " " + e.Preset
		}
		legend.Add(name, &plotter.Line{LineStyle: draw.LineStyle{Color: l.ink, Width: 1.4, Dashes: l.dashes}})
	}
	return legend
}
