package evaluation

import (
	"fmt"
	"maps"

	"github.com/liveproof/liveproof"
)

// MeanBy joins still pictures to series: pictures of one set with the same truth and the same value in the column become
// one presentation, whose score is the mean of theirs. One that was not acquired counts in it with its score 0. Metadata on
// which the pictures disagree becomes empty. The column is subject or one of Presentation.Meta. It is an error if a
// series has pictures of several subjects, or a video, whose verdict has no mean.
func MeanBy(plan Plan, results []Result, column string) (Plan, []Result, error) {
	byName := make(map[string]Result, len(results))
	for _, r := range results {
		byName[r.Name] = r
	}
	joined := plan
	joined.Presentations, joined.Folds = nil, nil
	var all []Result
	for _, fold := range plan.Folds {
		next := Fold{Name: fold.Name}
		for _, part := range []struct {
			from []string
			to   *[]string
		}{{fold.Dev, &next.Dev}, {fold.Eval, &next.Eval}} {
			list, err := joinSet(part.from, byName, column)
			if err != nil {
				return Plan{}, nil, err
			}
			for _, r := range list {
				r.Name = fmt.Sprintf("%s (%s %d)", r.Name, column, len(all)+1) // one name in all sets
				*part.to = append(*part.to, r.Name)
				joined.Presentations = append(joined.Presentations, r.Presentation)
				all = append(all, r)
			}
		}
		joined.Folds = append(joined.Folds, next)
	}
	joined.Warnings = append(append([]string{}, plan.Warnings...),
		fmt.Sprintf("a presentation is a series: the mean score of the pictures with the same %s (%d series of %d pictures)", column, len(all), len(results)))
	return joined, all, nil
}

// truth is what the pictures of a series share.
type truth struct{ series, attackType, instrument string }

// joinSet joins the pictures of one set, in the order in which the series begin.
func joinSet(names []string, byName map[string]Result, column string) (list []Result, err error) {
	place, count := map[truth]int{}, map[truth]int{}
	for _, name := range names {
		r, ok := byName[name]
		if !ok || !r.Still {
			return nil, fmt.Errorf("%s is no still picture: a video has a verdict, of which there is no mean", name)
		}
		series := r.Meta[column]
		if column == "subject" {
			series = r.Subject
		}
		key := truth{series, r.AttackType, r.Instrument}
		i, known := place[key]
		count[key]++
		if !known {
			place[key] = len(list)
			list = append(list, firstOf(series, r))
			continue
		}
		if list[i].Subject != r.Subject {
			return nil, fmt.Errorf("%s %q has pictures of the subjects %q and %q", column, series, list[i].Subject, r.Subject)
		}
		list[i].join(r, count[key])
	}
	return list, nil
}

// firstOf begins a series with a picture.
func firstOf(series string, r Result) Result {
	first := Result{Presentation: r.Presentation, Still: true, Model: r.Model, Detector: r.Detector}
	first.Name, first.Meta = series, maps.Clone(r.Meta)
	first.join(r, 1)
	return first
}

// join adds the nth picture to a series.
func (r *Result) join(picture Result, n int) {
	r.Acquired = r.Acquired || picture.Acquired
	r.Score += (picture.Score - r.Score) / float64(n)
	r.Smoothed = r.Score
	for name, value := range picture.Meta {
		if r.Meta[name] != value {
			r.Meta[name] = ""
		}
	}
	if r.Error == "" {
		r.Error = picture.Error
	}
	r.Frames.Received += picture.Frames.Received
	r.Frames.Decoded += picture.Frames.Decoded
	r.Frames.Sampled += picture.Frames.Sampled
	r.Frames.Scored += picture.Frames.Scored
	for why, count := range picture.Unscored {
		if r.Unscored == nil {
			r.Unscored = map[liveproof.Reason]int64{}
		}
		r.Unscored[why] += count
	}
}
