package console

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/liveproof/liveproof"
)

// The plot's measures, in units of its viewBox. ρ is drawn from plotTop to plotBottom, and the weights stand as bars on barBottom.
const (
	plotWidth, plotHeight = 640, 300
	plotLeft, plotRight   = 36, 628
	plotTop, plotBottom   = 12, 192
	barTop, barBottom     = 212, 252
	// maxPoints bounds the samples that are drawn one by one; of more, each stretch is drawn by its extremes.
	maxPoints = 600
)

// plot is ρ over time, with the weight of each sample below it.
type plot struct {
	Label     string   // what is seen, in words
	Lines     []string // paths of ρ; a line ends where a sample was not scored or the track changes
	Dots      []dot
	Misses    []miss
	Threshold *float64 // its y; nil without one
	Times     []tick
	Scores    []tick
}

// dot is a scored sample.
type dot struct {
	X, Y                            float64
	BarX, BarY, BarWidth, BarHeight float64
	Title                           string
}

// miss is a sample that was not scored.
type miss struct {
	X     float64
	Title string
}

// tick is a labelled place of an axis.
type tick struct {
	At    float64
	Label string
}

// newPlot draws samples in the order of their times; θ = 0 stands for a session without a threshold. It returns nil without samples.
func newPlot(samples []liveproof.Sample, threshold float64) *plot {
	if len(samples) == 0 {
		return nil
	}
	drawn := thin(samples, maxPoints)
	p := &plot{Label: describe(samples, threshold), Scores: []tick{{height(0), "0"}, {height(0.5), "0.5"}, {height(1), "1"}}}
	if threshold > 0 {
		y := height(threshold)
		p.Threshold = &y
	}
	axis := newAxis(samples[0].T, samples[len(samples)-1].T)
	p.Times = axis.ticks()
	p.draw(drawn, axis)
	return p
}

func (p *plot) draw(samples []liveproof.Sample, axis axis) {
	var line strings.Builder
	end := func() {
		if line.Len() > 0 {
			p.Lines = append(p.Lines, line.String())
		}
		line.Reset()
	}
	width := math.Max(1, math.Min(6, 0.7*(plotRight-plotLeft)/float64(len(samples))))
	track := 0
	for _, s := range samples {
		x := axis.place(s.T)
		if !s.Scored {
			end()
			p.Misses = append(p.Misses, miss{x, titleOf(s)})
			continue
		}
		if s.Track != track {
			end()
		}
		track = s.Track
		fmt.Fprintf(&line, "%c%.1f %.1f", "ML"[min(1, line.Len())], x, height(s.Rho))
		bar := (barBottom - barTop) * s.Weight
		p.Dots = append(p.Dots, dot{x, height(s.Rho), x - width/2, barBottom - bar, width, bar, titleOf(s)})
	}
	end()
}

// thin leaves at most about n samples: of each stretch the lowest and the highest ρ and the first sample that was not scored.
func thin(samples []liveproof.Sample, n int) []liveproof.Sample {
	if len(samples) <= n {
		return samples
	}
	kept := make([]liveproof.Sample, 0, n)
	for stretch := range slices.Chunk(samples, (3*len(samples)+n-1)/n) {
		low, high, missed := -1, -1, -1
		for i, s := range stretch {
			switch {
			case !s.Scored && missed < 0:
				missed = i
			case !s.Scored:
			case low < 0:
				low, high = i, i
			case s.Rho < stretch[low].Rho:
				low = i
			case s.Rho > stretch[high].Rho:
				high = i
			}
		}
		chosen := []int{low, high, missed}
		slices.Sort(chosen)
		for _, i := range slices.Compact(chosen) {
			if i >= 0 {
				kept = append(kept, stretch[i])
			}
		}
	}
	return kept
}

// height is the y of a score.
func height(rho float64) float64 {
	return plotBottom - (plotBottom-plotTop)*math.Max(0, math.Min(1, rho))
}

// axis is time from left to right.
type axis struct{ from, span time.Duration }

func newAxis(from, to time.Duration) axis { return axis{from, max(time.Second, to-from)} }

func (a axis) place(t time.Duration) float64 {
	share := float64(t-a.from) / float64(a.span)
	return plotLeft + (plotRight-plotLeft)*math.Max(0, math.Min(1, share))
}

// ticks are four to nine round times.
func (a axis) ticks() (all []tick) {
	step := 200 * time.Millisecond
	for _, s := range []float64{.2, .5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600, 7200, 14400} {
		if step = time.Duration(s * float64(time.Second)); a.span/step < 9 {
			break
		}
	}
	first := a.from.Truncate(step)
	if first < a.from {
		first += step
	}
	for t := first; t <= a.from+a.span && len(all) < 12; t += step {
		all = append(all, tick{a.place(t), fmt.Sprintf("%g s", t.Seconds())})
	}
	return all
}

// titleOf is what the pointer is told of a sample.
func titleOf(s liveproof.Sample) string {
	text := fmt.Sprintf("sample %d at %s s: not scored", s.Seq, seconds(s.T))
	if s.Scored {
		text = fmt.Sprintf("sample %d at %s s: ρ %.3f, weight %.2f", s.Seq, seconds(s.T), s.Rho, s.Weight)
	}
	for _, r := range s.Reasons {
		text += ", " + string(r)
	}
	return text
}

// describe says in words what the plot shows.
func describe(samples []liveproof.Sample, threshold float64) string {
	low, high, scored := 1.0, 0.0, 0
	for _, s := range samples {
		if s.Scored {
			low, high, scored = min(low, s.Rho), max(high, s.Rho), scored+1
		}
	}
	span := samples[len(samples)-1].T - samples[0].T
	text := fmt.Sprintf("Score ρ over %s seconds: %d of %d samples scored", seconds(span), scored, len(samples))
	if scored > 0 {
		text += fmt.Sprintf(", from %.3f to %.3f", low, high)
	}
	if threshold > 0 {
		text += fmt.Sprintf(", threshold %.3f", threshold)
	}
	return text + "."
}
