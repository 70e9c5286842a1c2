// Package variants makes presentations for tests and measurements from decoded pictures of people: stills that are moved,
// bent or given noise, loops, altered recordings, swaps, and the look of prints and screens. Pictures go in and pictures come out;
// package transcode encodes them. The same material, length and seed give the same pixels.
//
// A variant imitates what an attacker does to a picture. It is no recording of a real print or screen, so figures that are measured on
// variants are no error rates of ISO/IEC 30107-3.
package variants

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// ErrMaterial says that a variant cannot be made from the given material.
var ErrMaterial = errors.New("material cannot be used")

// Clip is consecutive pictures of one size. A portrait is a clip of one picture.
type Clip struct {
	Rate     float64 // pictures a second
	Pictures []*liveproof.Image
}

// at is the picture at a position, which wraps around.
func (c Clip) at(i int) *liveproof.Image {
	n := len(c.Pictures)
	return c.Pictures[((i%n)+n)%n]
}

// Material is what a variant is made from. Its pictures are only read.
type Material struct {
	// Person is varied.
	Person Clip
	// Other is another person, to whom swaps change and before whose first picture a held print is moved. All of its pictures have
	// the size of Person's.
	Other Clip
	// Still is the index in Person of the picture that stills show.
	Still int
	// Face is the face in that picture, with landmarks where they are known. Fake turns and fake blinks move it.
	Face liveproof.Face
}

// check reports what no variant can be made from.
func (m Material) check() error {
	if len(m.Person.Pictures) == 0 || len(m.Other.Pictures) == 0 {
		return fmt.Errorf("%w: a clip has no pictures", ErrMaterial)
	}
	if !(m.Person.Rate >= 1 && m.Person.Rate <= 240) {
		return fmt.Errorf("%w: rate %v is out of range [1, 240]", ErrMaterial, m.Person.Rate)
	}
	if m.Still < 0 || m.Still >= len(m.Person.Pictures) {
		return fmt.Errorf("%w: picture %d of %d", ErrMaterial, m.Still, len(m.Person.Pictures))
	}
	first := m.Person.Pictures[0]
	for _, p := range slices.Concat(m.Person.Pictures, m.Other.Pictures) {
		if p.Width != first.Width || p.Height != first.Height {
			return fmt.Errorf("%w: pictures of %d×%d and of %d×%d pixels", ErrMaterial, first.Width, first.Height, p.Width, p.Height)
		}
	}
	if b := m.Face.Box; !(b.Width() >= 1 && b.Height() >= 1) {
		return fmt.Errorf("%w: face box %v", ErrMaterial, b)
	}
	return nil
}

// Kind groups variants that do the same by a different amount.
type Kind string

// The kinds.
const (
	KindPerson      Kind = "person"      // the clip as it is, from its beginning again after its end
	KindStill       Kind = "still"       // one picture
	KindPan         Kind = "pan"         // one picture, shifted smoothly
	KindZoom        Kind = "zoom"        // one picture, enlarged and reduced
	KindRotate      Kind = "rotate"      // one picture, rolled
	KindJitter      Kind = "jitter"      // one picture, shifted anew at random in each picture
	KindPerspective Kind = "perspective" // one picture, tilted in depth like a print in a hand
	KindBent        Kind = "bent"        // a print that bends slowly about a vertical axis while a hand moves it
	KindHeld        Kind = "held"        // a small print that a hand moves before another background
	KindNoise       Kind = "noise"       // one picture with new noise in each picture
	KindFlicker     Kind = "flicker"     // a panned picture whose brightness changes
	KindElastic     Kind = "elastic"     // one picture under waves
	KindFakeTurn    Kind = "fake_turn"   // one picture whose face is shifted by an assumed depth
	KindFakeBlink   Kind = "fake_blink"  // a panned picture whose eyes are squeezed shut from time to time
	KindLoop        Kind = "loop"        // the clip's beginning again and again, with a hard seam
	KindSeamless    Kind = "seamless"    // the same, faded over the seam
	KindPingPong    Kind = "ping_pong"   // the clip's beginning forwards and backwards
	KindAltered     Kind = "altered"     // the clip, faster, slower, cropped, mirrored or noisy
	KindSwap        Kind = "swap"        // a change from a person to another or to a still, or back
	KindPrint       Kind = "print"       // the look of a print
	KindScreen      Kind = "screen"      // the look of a screen
)

// Shows is who is seen in a variant.
type Shows string

// What a variant shows.
const (
	ShowsPerson Shows = "person" // a person before a camera
	ShowsStill  Shows = "still"  // nothing but one picture
	ShowsVideo  Shows = "video"  // a recording of a person
	ShowsSwap   Shows = "swap"   // first one of these and then another
)

// Variant is one way to make a presentation.
type Variant struct {
	Name  string // unique; begins with the kind where a kind has several variants
	Kind  Kind
	Shows Shows

	make func(studio) scene
}

// Find returns the variant of that name.
func Find(name string) (Variant, error) {
	all := All()
	if i := slices.IndexFunc(all, func(v Variant) bool { return v.Name == name }); i >= 0 {
		return all[i], nil
	}
	return Variant{}, fmt.Errorf("no variant is called %q", name)
}

// Make returns the variant's pictures over a length at the rate of the person's clip. Errors wrap ErrMaterial.
func (v Variant) Make(m Material, length time.Duration, seed uint64) (*Sequence, error) {
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", v.Name, err)
	}
	n := int(math.Round(length.Seconds() * m.Person.Rate))
	if n < 1 || n > 1<<16 {
		return nil, fmt.Errorf("%s: %w: %v are %d pictures, out of range [1, %d]", v.Name, ErrMaterial, length, n, 1<<16)
	}
	return &Sequence{rate: m.Person.Rate, n: n, scene: v.make(studio{Material: m, seed: seed})}, nil
}

// scene gives the picture at an index. The picture is only read: it may be one of the material.
type scene func(i int) *liveproof.Image

// studio is where scenes are made.
type studio struct {
	Material
	seed uint64
}

// seconds is the time of a picture.
func (s studio) seconds(i int) float64 { return float64(i) / s.Person.Rate }

// pictures is how many pictures a time takes, at least one.
func (s studio) pictures(seconds float64) int {
	return max(1, int(math.Round(seconds*s.Person.Rate)))
}

// person is the clip as it is.
func (s studio) person() scene { return s.Person.at }

// still is the one picture that stills show.
func (s studio) still() scene {
	picture := s.Person.Pictures[s.Still]
	return func(int) *liveproof.Image { return picture }
}
