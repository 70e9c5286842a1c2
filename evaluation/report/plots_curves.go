package report

import (
	"html/template"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

// point is a threshold's place on the curve of all attacks.
type point struct {
	rule         Rule
	apcer, bpcer float64
}

// points are the thresholds that hold for all presentations.
func points(r *Report) (list []point) {
	if len(r.Folds) != 1 {
		return nil
	}
	for _, a := range r.Folds[0].At {
		if a.APCERPooled != nil && a.BPCER != nil {
			list = append(list, point{a.Rule, a.APCERPooled.Value, a.BPCER.Value})
		}
	}
	return list
}

// all draws the curve of all attacks; with one species it is the only one.
var all = look{ink: inkText}

func lookOf(c Curve, of map[string]look) look {
	if l, ok := of[c.Name]; ok {
		return l
	}
	return all
}

const square = 284 // width and height of a curve's plot, in points

// plotROC shows how many bona fide are accepted beside how many attacks.
func plotROC(r *Report, of map[string]look) template.HTML {
	p := newPlot("attacks accepted, % (APCER)", "bona fide accepted, % (1 − BPCER)")
	p.Add(line(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}}, look{ink: inkGrid}, 0.8))
	for _, c := range slices.Backward(r.Curves) { // all attacks last, on top
		xys := make(plotter.XYs, len(c.Points))
		for j, q := range c.Points {
			xys[j] = plotter.XY{X: q.APCER, Y: 1 - q.BPCER}
		}
		p.Add(line(xys, lookOf(c, of), weight(c)))
	}
	for _, q := range points(r) {
		p.Add(mark(q.apcer, 1-q.bpcer, q.rule)...)
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.X.Tick.Marker = ticks(wholePercent, 0, 0.2, 0.4, 0.6, 0.8, 1)
	p.Y.Tick.Marker = p.X.Tick.Marker
	return render(p, square, square, "ROC curve of all attacks and of each species")
}

// weight makes the curve of all attacks the strongest.
func weight(c Curve) vg.Length {
	if c.Name == "all" {
		return 1.8
	}
	return 1.2
}

// plotDET shows the same errors on axes of normal deviates, where normally distributed scores give straight lines.
func plotDET(r *Report, of map[string]look) template.HTML {
	p := newPlot("APCER, %", "BPCER, %")
	low, high := detRange(r.Curves)
	for _, c := range slices.Backward(r.Curves) {
		xys := make(plotter.XYs, len(c.Points))
		for j, q := range c.Points {
			xys[j] = plotter.XY{X: metrics.Probit(q.APCER, c.Attacks), Y: metrics.Probit(q.BPCER, c.BonaFide)}
		}
		p.Add(line(xys, lookOf(c, of), weight(c)))
	}
	for _, q := range points(r) {
		x, y := metrics.Probit(q.apcer, r.Counts.Attacks), metrics.Probit(q.bpcer, r.Counts.BonaFide)
		p.Add(mark(min(max(x, low), high), min(max(y, low), high), q.rule)...)
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = low, high, low, high
	p.X.Tick.Marker = detTicks(low, high)
	p.Y.Tick.Marker = p.X.Tick.Marker
	return render(p, square, square, "Detection error trade-off curve of all attacks and of each species")
}

// detRange reaches from half an error of the larger class to beyond the worst equal error.
func detRange(list []Curve) (low, high float64) {
	most, worst := 100, 0.4
	for _, c := range list {
		most = max(most, c.Attacks, c.BonaFide)
		for _, q := range c.Points {
			worst = max(worst, min(q.APCER, q.BPCER))
		}
	}
	return metrics.Probit(0, most) - 0.05, distuv.UnitNormal.Quantile(min(worst+0.2, 0.95))
}

func detTicks(low, high float64) plot.ConstantTicks {
	var list plot.ConstantTicks
	for _, share := range []float64{0.0001, 0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9} {
		if at := distuv.UnitNormal.Quantile(share); at >= low && at <= high {
			list = append(list, plot.Tick{Value: at, Label: strconv.FormatFloat(100*share, 'g', 4, 64)})
		}
	}
	return list
}

func wholePercent(v float64) string { return strconv.FormatFloat(100*v, 'f', 0, 64) }
