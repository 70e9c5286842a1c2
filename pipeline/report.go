package pipeline

import (
	"sync"

	"github.com/liveproof/liveproof"
)

// Report is what a session found, complete once Run has returned.
type Report struct {
	// Verdict, State and Counts are those of the ending that Run returned.
	Verdict liveproof.Verdict
	State   liveproof.State
	Counts  liveproof.FrameCounts
	// Drops counts frames lost before a stage, by stage and reason.
	Drops map[Stage]map[liveproof.Reason]int64
	// MeanRho is the weighted mean of all scored samples, also across restarts of evidence; 0 without one.
	MeanRho float64
	// Unscored counts samples by their first reason.
	Unscored map[liveproof.Reason]int64
	// Samples is the timeline; nil unless Config.KeepSamples.
	Samples []liveproof.Sample
	// Qualities say how well the face of each of Samples was seen, whether it was scored or not; zero where none was measured.
	Qualities []liveproof.Quality

	sum, weight float64
}

func (r *Report) add(s liveproof.Sample, q liveproof.Quality, keep bool) {
	if keep {
		r.Samples, r.Qualities = append(r.Samples, s), append(r.Qualities, q)
	}
	if s.Scored {
		r.Counts.Scored++
		r.sum += s.Weight * s.Rho
		r.weight += s.Weight
		r.MeanRho = r.sum / r.weight
		return
	}
	if r.Unscored == nil {
		r.Unscored = map[liveproof.Reason]int64{}
	}
	if len(s.Reasons) > 0 {
		r.Unscored[s.Reasons[0]]++
	}
}

// tally counts drops by stage and reason. Its zero value is ready; safe for concurrent use.
type tally struct {
	mu sync.Mutex
	n  map[Stage]map[liveproof.Reason]int64
}

func (t *tally) add(s Stage, why liveproof.Reason) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = map[Stage]map[liveproof.Reason]int64{}
	}
	if t.n[s] == nil {
		t.n[s] = map[liveproof.Reason]int64{}
	}
	t.n[s][why]++
}

// all is the counts; call it once nothing counts any more.
func (t *tally) all() map[Stage]map[liveproof.Reason]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}
