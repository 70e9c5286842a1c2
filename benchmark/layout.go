package benchmark

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/liveproof/liveproof/internal/check"
)

// LayoutOptions choose which part of a dataset is laid out, and how small.
type LayoutOptions struct {
	// Subjects of each split, the first ones of it; nil: all. What a dataset has
	// no split for is not asked.
	Subjects map[Split]int
	// Every keeps every Nth combination of camera and session of a subject, with
	// all files of it, beginning one further for each subject so that together
	// they have all; 1 keeps all.
	Every int
	// Scale of the true frame size, in (0, 1]; sides become multiples of 16.
	Scale float64
	// Rate in frames a second; 0: the dataset's own.
	Rate float64
}

// Validate reports every value that is out of range.
func (o LayoutOptions) Validate() error {
	faults := []error{check.AtLeast("every", o.Every, 1), check.Above("scale", o.Scale, 0, 1), check.In("rate", o.Rate, 0, 240)}
	for _, split := range splits {
		faults = append(faults, check.AtLeast("subjects of "+string(split), o.Subjects[split], 0))
	}
	return errors.Join(faults...)
}

// ParseSubjectCounts reads how many subjects of each split are wanted, written
// as train/dev/test such as 4/2/4; nil, which is all of them, for an empty text.
func ParseSubjectCounts(text string) (map[Split]int, error) {
	if text == "" {
		return nil, nil
	}
	parts, counts := strings.Split(text, "/"), map[Split]int{}
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || len(parts) != len(splits) {
			return nil, fmt.Errorf("%q is not train/dev/test such as 4/2/4", text)
		}
		counts[splits[i]] = n
	}
	return counts, nil
}

// Layout lists what must be filmed, in canonical order.
func (d *Dataset) Layout(o LayoutOptions) (plans []Plan, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	for _, v := range d.choose(o) {
		plans = append(plans, d.plan(v, o))
	}
	if len(plans) == 0 {
		return nil, errors.New("subjects: nobody is left to film")
	}
	return plans, nil
}

func (d *Dataset) plan(v Video, o LayoutOptions) Plan {
	c := d.camera(v)
	p := Plan{
		Video: v, Path: v.ID + c.Suffix, Width: scaled(c.Width, o.Scale), Height: scaled(c.Height, o.Scale), Rate: c.FrameRate,
		Medium: d.instrument(v), Person: d.person(v),
	}
	if o.Rate > 0 {
		p.Rate = o.Rate
	}
	return p
}

// scaled is the nearest multiple of 16, and 16 at least.
func scaled(side int, scale float64) int {
	return 16 * max(1, int(math.Round(float64(side)*scale/16)))
}

// choose keeps the videos of the chosen subjects and combinations.
func (d *Dataset) choose(o LayoutOptions) (chosen []Video) {
	combinations := d.combinations()
	every := min(o.Every, len(combinations)) // nobody is left without any
	number := map[string]int{}               // of a subject within its split
	count := map[Split]int{}
	for _, v := range d.Videos {
		if _, ok := number[v.Subject]; !ok {
			number[v.Subject] = count[v.Split]
			count[v.Split]++
		}
		n := number[v.Subject]
		if limit, ok := o.Subjects[v.Split]; ok && n >= limit {
			continue
		}
		if (combinations[v.combination()]+n)%every == 0 {
			chosen = append(chosen, v)
		}
	}
	return chosen
}

func (v Video) combination() string { return v.Camera + "/" + v.Session }

// combinations numbers the dataset's pairs of camera and session.
func (d *Dataset) combinations() map[string]int {
	numbers := map[string]int{}
	for _, v := range d.Videos {
		if _, ok := numbers[v.combination()]; !ok {
			numbers[v.combination()] = len(numbers)
		}
	}
	return numbers
}
