package identity

import (
	"slices"
	"time"
)

const (
	// kept is how many pictures of a person are kept for comparison: those of 6 s at the full rate.
	kept = 30
	// settling is how much older than the newest picture those must be with which it is compared. Else each picture of a fade would be
	// compared with the one before, and would resemble it.
	settling = 750 * time.Millisecond
)

// sight is what one view showed.
type sight struct {
	t     time.Duration
	look  *appearance
	scene *scene
}

// gallery keeps what was seen of one person, oldest first.
type gallery []sight

// add takes in the newest sight.
func (g *gallery) add(s sight) {
	*g = append(*g, s)
	if len(*g) > kept {
		*g = slices.Delete(*g, 0, len(*g)-kept)
	}
}

// until returns the sights that are at least settling older than t.
func (g gallery) until(t time.Duration) gallery {
	n := len(g)
	for n > 0 && g[n-1].t > t-settling {
		n--
	}
	return g[:n]
}

// nearest is the greatest likeness of the person and of the scene, each with whichever sight is nearest; -1 of none.
func (g gallery) nearest(s sight) (person, scene float64) {
	person, scene = -1, -1
	for _, o := range g {
		person = max(person, float64(s.look.likeness(o.look)))
		scene = max(scene, float64(s.scene.likeness(o.scene)))
	}
	return person, scene
}
