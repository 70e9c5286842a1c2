package variants

import (
	"math"

	"github.com/liveproof/liveproof"
)

// bent shows a print that is bent about a vertical axis to a cylinder, whose angle from the middle to an edge changes between
// 0 and twice angle (radians) at a frequency (Hz), while a hand moves it.
func (s studio) bent(base scene, angle, frequency float64) scene {
	flat := s.swaying(func(i int) *liveproof.Image {
		a := angle * (1 - math.Cos(2*math.Pi*frequency*s.seconds(i)))
		return warp(base(i), cylinder(base(i), a))
	}, sway{shift: 4, roll: 1 * degree, tilt: 6 * degree})
	return flat
}

// cylinder is the inverse of the picture of a bent print: a point at the angle φ is at (r·sin φ, y) and r·(1-cos φ) further away.
func cylinder(img *liveproof.Image, angle float64) mapping {
	cx, cy := float64(img.Width-1)/2, float64(img.Height-1)/2
	if angle < 1e-3 {
		return func(x, y float64) (float64, float64) { return x, y }
	}
	r, f := cx/angle, focal*float64(img.Width)
	return func(x, y float64) (float64, float64) {
		a := (x - cx) / f
		phi := 0.0
		for range 4 { // r·sin φ = a·(f + r·(1-cos φ)), by fixed-point iteration
			phi = math.Asin(min(max(a*(f+r*(1-math.Cos(phi)))/r, -1), 1))
		}
		depth := 1 + r*(1-math.Cos(phi))/f
		return r*phi + cx, (y-cy)*depth + cy
	}
}

// elastic puts waves over a picture.
func (s studio) elastic(base scene, pixels float64) scene {
	const wave = 150 // pixels
	return func(i int) *liveproof.Image {
		t := s.seconds(i)
		return warp(base(i), func(x, y float64) (float64, float64) {
			return x + pixels*math.Sin(2*math.Pi*(y/wave+0.7*t)), y + pixels*math.Sin(2*math.Pi*(x/wave+0.9*t)+1)
		})
	}
}

// turning shifts the face by an assumed depth, a paraboloid over its box, by a share of its width.
func (s studio) turning(base scene, share float64) scene {
	b := s.Face.Box
	cx, cy := float64(b.X1+b.X2)/2, float64(b.Y1+b.Y2)/2
	rx, ry := 0.7*float64(b.Width()), 0.7*float64(b.Height())
	r := s.random(forPath)
	yaw, pitch := newPath(r), newPath(r)
	return func(i int) *liveproof.Image {
		dx, dy := share*float64(b.Width())*yaw.at(s.seconds(i)), share/2*float64(b.Height())*pitch.at(s.seconds(i))
		return warp(base(i), func(x, y float64) (float64, float64) {
			u, v := (x-cx)/rx, (y-cy)/ry
			depth := max(0, 1-u*u-v*v)
			return x - dx*depth, y - dy*depth
		})
	}
}

// blinkEvery and blinkFor are in seconds.
const (
	blinkEvery = 1.6
	blinkFor   = 0.4
)

// blinking squeezes the eyes towards their lower lids.
func (s studio) blinking(base scene) scene {
	left, right := s.eyes()
	reach := 0.22 * math.Hypot(right.x-left.x, right.y-left.y)
	return func(i int) *liveproof.Image {
		phase := math.Mod(s.seconds(i), blinkEvery)
		if phase > blinkFor {
			return base(i)
		}
		shut := math.Sin(math.Pi * phase / blinkFor)
		return warp(base(i), func(x, y float64) (float64, float64) {
			return x, y - reach*shut*(left.near(x, y, reach)+right.near(x, y, reach))
		})
	}
}

type spot struct{ x, y float64 }

// near is 1 at the spot and 0 from twice the reach on.
func (c spot) near(x, y, reach float64) float64 {
	u, v := (x-c.x)/(2*reach), (y-c.y)/(1.6*reach)
	d := max(0, 1-u*u-v*v)
	return d * d
}

// eyes are the landmarks, or where a frontal face has its eyes.
func (s studio) eyes() (left, right spot) {
	if l := s.Face.Landmarks; l != nil {
		return spot{float64(l[0].X), float64(l[0].Y)}, spot{float64(l[1].X), float64(l[1].Y)}
	}
	b := s.Face.Box
	y := float64(b.Y1) + 0.4*float64(b.Height())
	return spot{float64(b.X1) + 0.3*float64(b.Width()), y}, spot{float64(b.X1) + 0.7*float64(b.Width()), y}
}
