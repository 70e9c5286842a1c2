package report

import (
	"html/template"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

func glyph(i ink) draw.GlyphStyle {
	return draw.GlyphStyle{Color: i, Radius: 3, Shape: draw.CircleGlyph{}}
}

// plotTimes shows which share of videos was decided by which time.
func plotTimes(times []TimeRow) template.HTML {
	p := newPlot("seconds from the first picture", "decided, %")
	longest := 1.0
	for i, row := range times {
		xys := plotter.XYs{{X: 0, Y: 0}}
		for _, q := range row.Curve {
			xys = append(xys, plotter.XY{X: q.T, Y: xys[len(xys)-1].Y}, plotter.XY{X: q.T, Y: q.Share})
		}
		longest = max(longest, row.Max)
		p.Add(line(xys, timeLook(row, i), 1.6))
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, longest*1.05, 0, 1
	p.X.Tick.Marker = ticks(plain, rounds(p.X.Max, 8)...)
	p.Y.Tick.Marker = ticks(wholePercent, 0, 0.25, 0.5, 0.75, 1)
	return render(p, square, 170, "Share of videos that were decided by each time")
}

func timeLook(row TimeRow, i int) look {
	if row.Name == "bona fide" {
		return look{ink: inkLive}
	}
	return look{inkText, dashes[i%len(dashes)]}
}

// rounds are multiples of a round step from 0 to the limit, at most most of them.
func rounds(limit float64, most int) (list []float64) {
	step := 0.1
	for _, factor := range []float64{2, 2.5, 2, 2, 2.5, 2, 2, 2.5, 2, 2, 2.5, 2} {
		if limit/step < float64(most) {
			break
		}
		step *= factor
	}
	for i := 0; float64(i)*step <= limit && i <= most; i++ {
		list = append(list, float64(i)*step)
	}
	return list
}

// plotTimeline shows ρ over time. Where samples were not scored the line is broken, and the gap is grey.
func plotTimeline(v Video, threshold *float64, l look) template.HTML {
	p := newPlot("", " ")
	end := max(v.Timeline[len(v.Timeline)-1].T, 0.5)
	for _, gap := range gaps(v.Timeline) {
		p.Add(area(plotter.XYs{{X: gap[0], Y: 0}, {X: gap[1], Y: 0}, {X: gap[1], Y: 1}, {X: gap[0], Y: 1}}, inkGap))
	}
	if threshold != nil {
		p.Add(line(plotter.XYs{{X: 0, Y: *threshold}, {X: end, Y: *threshold}}, look{inkText, dashes[2]}, 0.8))
	}
	for _, run := range runs(v.Timeline) {
		if len(run) == 1 {
			p.Add(&plotter.Scatter{XYs: run, GlyphStyle: draw.GlyphStyle{Color: l.ink, Radius: 1.5, Shape: draw.CircleGlyph{}}})
			continue
		}
		p.Add(line(run, look{ink: l.ink}, 1.4))
	}
	if v.DecidedAt > 0 && v.DecidedAt <= end {
		p.Add(line(plotter.XYs{{X: v.DecidedAt, Y: 0}, {X: v.DecidedAt, Y: 1}}, look{ink: inkMuted}, 0.8))
	}
	return renderTimeline(p, end, v.Name)
}

func renderTimeline(p *plot.Plot, end float64, name string) template.HTML {
	const width, height vg.Length = 284, 70
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, end, 0, 1
	p.X.Tick.Marker = ticks(seconds, rounds(end, 6)...)
	p.Y.Tick.Marker = ticks(plain, 0, 0.5, 1)
	p.X.Padding, p.Y.Padding = 2, 2
	return render(p, width, height, "ρ over time of "+name)
}

func seconds(v float64) string { return plain(v) + " s" }

// runs are the stretches of scored samples.
func runs(timeline []Moment) (list []plotter.XYs) {
	open := false
	for _, m := range timeline {
		if m.Rho == nil {
			open = false
			continue
		}
		if !open {
			list, open = append(list, nil), true
		}
		list[len(list)-1] = append(list[len(list)-1], plotter.XY{X: m.T, Y: *m.Rho})
	}
	return list
}

// gaps are the stretches without a score: from the scored sample before to the one after.
func gaps(timeline []Moment) (list [][2]float64) {
	last, open := 0.0, false
	for i, m := range timeline {
		switch {
		case m.Rho == nil && !open:
			list, open = append(list, [2]float64{last, m.T}), true
		case open:
			list[len(list)-1][1] = m.T
			open = m.Rho == nil
		}
		if m.Rho != nil || i == 0 {
			last = m.T
		}
	}
	return list
}
