package challenge

import (
	"math"
	"slices"
	"time"
)

// drift removes the mean and a linear drift from series that are observed at the same moments.
type drift struct{ slope []float64 } // of length 1, free of its mean

func newDrift(moments []time.Duration) drift {
	slope := make([]float64, len(moments))
	for i, t := range moments {
		slope[i] = t.Seconds()
	}
	center(slope)
	if length := math.Sqrt(dot(slope, slope)); length > 0 {
		for i := range slope {
			slope[i] /= length
		}
	}
	return drift{slope}
}

// remove changes the series and returns it.
func (d drift) remove(series []float64) []float64 {
	center(series)
	rise := dot(series, d.slope)
	for i := range series {
		series[i] -= rise * d.slope[i]
	}
	return series
}

func center(series []float64) {
	mean := 0.0
	for _, x := range series {
		mean += x
	}
	mean /= float64(max(1, len(series)))
	for i := range series {
		series[i] -= mean
	}
}

// tamed limits spikes, such as a hand before the face, to spike median absolute deviations.
func tamed(series []float64) []float64 {
	mid := median(series)
	away := make([]float64, len(series))
	for i, x := range series {
		away[i] = math.Abs(x - mid)
	}
	limit := spike * median(away)
	for i, x := range series {
		series[i] = min(mid+limit, max(mid-limit, x))
	}
	return series
}

// median of a series; 0 of an empty one.
func median(series []float64) float64 {
	if len(series) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(series))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// column is one ratio of a series.
func column(values []ratios, k int) []float64 {
	c := make([]float64, len(values))
	for i, v := range values {
		c[i] = v[k]
	}
	return c
}

// any reports whether a region of the face could be measured.
func (r reading) any() bool { return slices.Contains(r.valid[:], true) }

// waysOf makes the series that are compared: the face without its background, where every reading has one, and the face alone.
func waysOf(readings []reading) []observed {
	face := observed{meanFace(readings)}
	if slices.ContainsFunc(readings, func(r reading) bool { return !r.behind }) {
		return []observed{face}
	}
	apart := observed{make([]ratios, len(readings))}
	for i, r := range readings {
		for k := range 2 {
			apart.values[i][k] = face.values[i][k] - r.background[k]
		}
	}
	return []observed{apart, face}
}

// meanFace is the mean of the regions, each less its median, so that a region which is not always measured adds no step.
func meanFace(readings []reading) []ratios {
	sum, n := make([]ratios, len(readings)), make([]float64, len(readings))
	for region := range regions {
		series := regionOf(readings, region)
		for k := range 2 {
			mid := median(column(series, k))
			for i, r := range readings {
				if r.valid[region] {
					sum[i][k] += r.face[region][k] - mid
				}
			}
		}
		for i, r := range readings {
			n[i] += float64(indicator(r.valid[region]))
		}
	}
	for i := range sum {
		for k := range 2 {
			sum[i][k] /= max(1, n[i])
		}
	}
	return sum
}

// regionOf is a region's values where it could be measured.
func regionOf(readings []reading, at region) (series []ratios) {
	for _, r := range readings {
		if r.valid[at] {
			series = append(series, r.face[at])
		}
	}
	return series
}
