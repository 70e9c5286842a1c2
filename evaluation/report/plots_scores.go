package report

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

const wide = 586 // width of a plot over the whole column, in points

// plotHistogram has a row for the bona fide and for each species, each as high as its fullest bin.
func plotHistogram(h *Histogram, of map[string]look) template.HTML {
	p := newPlot("score (mean of ρ over the scored frames)", "")
	var labels plot.ConstantTicks
	for i, row := range slices.Backward(h.Rows) {
		base := float64(len(h.Rows) - 1 - i)
		l := of[row.Name]
		if row.BonaFide {
			l = look{ink: inkLive}
		}
		p.Add(ridge(row.Counts, base, l)...)
		labels = append(labels, plot.Tick{Value: base + 0.3, Label: fmt.Sprintf("%s (%d)", short(row.Name), sum(row.Counts))})
	}
	top := float64(len(h.Rows)) + 0.15
	for _, t := range h.Lines {
		x := min(t.Threshold, 1)
		high := top + markHeight[t.Rule]
		p.Add(line(plotter.XYs{{X: x, Y: 0}, {X: x, Y: high}}, look{inkText, dashes[2]}, lineWeight(h, t)))
		if t.Fold == "" {
			p.Add(mark(x, high, t.Rule)...)
		}
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, top+markHeight[RuleIdealised]+0.1
	p.X.Tick.Marker = ticks(plain, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
	p.Y.Tick.Marker = labels
	p.Y.Tick.Label.Color = inkText
	return render(p, wide, vg.Length(66+38*len(h.Rows)), "Histogram of the scores of bona fide and of each species, with the thresholds")
}

// markHeight keeps the marks of close thresholds apart.
var markHeight = map[Rule]float64{RuleModel: 0, RuleRealistic: 0.22, RuleIdealised: 0.44}

func lineWeight(h *Histogram, t Line) vg.Length {
	if len(h.Lines) > 3 && t.Rule != RuleModel {
		return 0.4 // many folds
	}
	return 1
}

// ridge is a histogram as an area above its base, at most 0.85 high.
func ridge(counts []int, base float64, l look) []plot.Plotter {
	highest := max(slices.Max(counts), 1)
	edge := plotter.XYs{}
	for i, n := range counts {
		y := base + 0.85*float64(n)/float64(highest)
		edge = append(edge, plotter.XY{X: float64(i) / float64(len(counts)), Y: y}, plotter.XY{X: float64(i+1) / float64(len(counts)), Y: y})
	}
	closed := append(plotter.XYs{{X: 0, Y: base}}, edge...)
	closed = append(closed, plotter.XY{X: 1, Y: base})
	return []plot.Plotter{area(closed, l.ink), line(plotter.XYs{{X: 0, Y: base}, {X: 1, Y: base}}, look{ink: inkMuted}, 0.5)}
}

func sum(counts []int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

func plain(v float64) string { return strconv.FormatFloat(round(v), 'f', -1, 64) }

// whisker is a rate with its interval in a row.
type whisker struct {
	name string
	rate *Rate
}

// plotWhiskers shows rates one below the other.
func plotWhiskers(title string, rows []whisker, l look) template.HTML {
	p := newPlot(title+", %", "")
	most := 0.02
	var labels plot.ConstantTicks
	for i, row := range rows {
		y := float64(len(rows) - 1 - i)
		labels = append(labels, plot.Tick{Value: y, Label: short(row.name)})
		if row.rate == nil {
			continue
		}
		most = max(most, row.rate.High)
		p.Add(line(plotter.XYs{{X: row.rate.Low, Y: y}, {X: row.rate.High, Y: y}}, look{ink: l.ink}, 1.6))
		p.Add(&plotter.Scatter{XYs: plotter.XYs{{X: row.rate.Value, Y: y}}, GlyphStyle: glyph(l.ink)})
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, min(most*1.03, 1), -0.6, float64(len(rows))-0.4
	p.X.Tick.Marker = ticks(shortPercent, spaced(p.X.Max)...)
	p.Y.Tick.Marker, p.Y.Tick.Label.Color = labels, inkText
	return render(p, square, vg.Length(44+15*len(rows)), title+" of each group with its 95 % interval")
}

// spaced are round values from 0 to at most the limit, about five.
func spaced(limit float64) (list []float64) {
	step := 0.2
	for _, s := range []float64{0.1, 0.05, 0.02, 0.01, 0.005} {
		if limit/s <= 6 {
			step = s
		}
	}
	for i := 0; float64(i)*step <= limit+1e-9; i++ {
		list = append(list, float64(i)*step)
	}
	return list
}

func shortPercent(v float64) string { return strconv.FormatFloat(100*v, 'g', 3, 64) }
