package metrics

import (
	"fmt"
	"math/rand/v2"
)

// Clusters says which items are drawn together.
type Clusters struct {
	items int
	// strata are resampled apart from each other; each holds clusters, and a cluster the indices of its items.
	strata [][][]int
}

// NewClusters groups items by the name of their cluster, such as the subject; it
// does not matter what the names are. bonaFide[i] is the class of item i.
//
// Where every cluster holds a single class, as with attacks by persons who are
// not among the bona fide, the clusters of each class are resampled apart, so
// that every resample holds as many clusters of a class as there are. It fails
// with [ErrEmpty] without items.
func NewClusters(names []string, bonaFide []bool) (*Clusters, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("clusters: %w", ErrEmpty)
	}
	if err := sameItems(len(bonaFide), len(names)); err != nil {
		return nil, fmt.Errorf("clusters: %w", err)
	}
	return &Clusters{len(names), stratify(group(names), bonaFide)}, nil
}

// group returns the indices by name, in order of the names' first appearance.
func group(names []string) (groups [][]int) {
	index := map[string]int{}
	for i, name := range names {
		g, known := index[name]
		if !known {
			g = len(groups)
			index[name] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// stratify parts the clusters by class if each holds one only.
func stratify(groups [][]int, bonaFide []bool) [][][]int {
	var classes [2][][]int
	for _, items := range groups {
		class := 0
		for _, i := range items {
			if bonaFide[i] != bonaFide[items[0]] {
				return [][][]int{groups}
			}
		}
		if bonaFide[items[0]] {
			class = 1
		}
		classes[class] = append(classes[class], items)
	}
	return classes[:]
}

// draw sets how often each item is in a resample.
func (c *Clusters) draw(random *rand.Rand, times []int) {
	clear(times)
	for _, clusters := range c.strata {
		for range clusters {
			for _, item := range clusters[random.IntN(len(clusters))] {
				times[item]++
			}
		}
	}
}
