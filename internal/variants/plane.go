package variants

import (
	"math"
	"math/rand/v2"

	"github.com/liveproof/liveproof"
)

const degree = math.Pi / 180

// sway is how far a plane moves: the amplitudes of smooth motions.
type sway struct {
	shift float64 // pixels along each axis
	zoom  float64 // share of the size
	roll  float64 // radians in the picture's plane
	tilt  float64 // radians out of it, about both axes
}

// path is a smooth random function of time in [-1, 1]: two sines of a hand's frequencies.
type path struct{ f1, f2, p1, p2 float64 }

func newPath(r *rand.Rand) path {
	return path{0.3 + 0.3*r.Float64(), 0.7 + 0.6*r.Float64(), 2 * math.Pi * r.Float64(), 2 * math.Pi * r.Float64()}
}

func (p path) at(t float64) float64 {
	return 0.65*math.Sin(2*math.Pi*p.f1*t+p.p1) + 0.35*math.Sin(2*math.Pi*p.f2*t+p.p2)
}

// random draws what a variant needs, the same for the same seed and purpose.
func (s studio) random(purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(s.seed, purpose)) //nolint:gosec // the same seed gives the same pictures
}

// Purposes of random numbers.
const (
	forPath = iota
	forJitter
	forNoise
	forGrain
)

// swaying moves a plane as a hand does.
func (s studio) swaying(base scene, by sway) scene {
	r := s.random(forPath)
	dx, dy, zoom, roll, yaw, pitch := newPath(r), newPath(r), newPath(r), newPath(r), newPath(r), newPath(r)
	return func(i int) *liveproof.Image {
		t, img := s.seconds(i), base(i)
		p := pose{
			dx: by.shift * dx.at(t), dy: by.shift * dy.at(t), zoom: (1 + by.zoom*zoom.at(t)) * by.cover(img),
			roll: by.roll * roll.at(t), yaw: by.tilt * yaw.at(t), pitch: by.tilt * pitch.at(t),
		}
		return warp(img, p.mapping(img))
	}
}

// cover is the magnification at which the border stays outside while the plane moves.
func (by sway) cover(img *liveproof.Image) float64 {
	return 1 + by.zoom + 2*by.shift/float64(min(img.Width, img.Height)) + math.Abs(by.roll) + math.Abs(by.tilt)/4
}

// pose is where a plane stands before the camera.
type pose struct{ dx, dy, zoom, roll, yaw, pitch float64 }

// focal is the focal length in widths of the picture: a webcam's.
const focal = 1.1

// mapping is the inverse of the pinhole camera's picture of the plane, a homography.
func (p pose) mapping(img *liveproof.Image) mapping {
	f := focal * float64(img.Width)
	cx, cy := float64(img.Width-1)/2, float64(img.Height-1)/2
	sr, cr := math.Sincos(p.roll)
	sy, cyaw := math.Sincos(p.yaw)
	sp, cp := math.Sincos(p.pitch)
	// The plane's axes in camera coordinates: R = roll · yaw · pitch.
	ux, uy, uz := cr*cyaw, sr*cyaw, -sy
	vx, vy, vz := cr*sy*sp-sr*cp, sr*sy*sp+cr*cp, cyaw*sp
	// The point u·(ux,uy,uz) + v·(vx,vy,vz) + (dx, dy, f/zoom) is seen at f·X/Z, f·Y/Z. Solve for u, v.
	z := f / p.zoom
	tx, ty := p.dx/p.zoom, p.dy/p.zoom
	return func(x, y float64) (float64, float64) {
		a, b := (x-cx)/f, (y-cy)/f
		m11, m12, r1 := ux-a*uz, vx-a*vz, a*z-tx
		m21, m22, r2 := uy-b*uz, vy-b*vz, b*z-ty
		det := m11*m22 - m12*m21
		return (r1*m22-m12*r2)/det + cx, (m11*r2-r1*m21)/det + cy
	}
}

// jittered shifts each picture anew.
func (s studio) jittered(base scene, pixels float64) scene {
	return func(i int) *liveproof.Image {
		r := s.random(forJitter + uint64(i)<<8)
		img := base(i)
		p := pose{
			dx: pixels * (2*r.Float64() - 1), dy: pixels * (2*r.Float64() - 1),
			zoom: (1 + 0.01*(2*r.Float64()-1)) * sway{shift: pixels, zoom: 0.01}.cover(img), roll: degree * (2*r.Float64() - 1),
		}
		return warp(img, p.mapping(img))
	}
}

// held moves a print of 70 % of the picture's size, with a white border, before another background.
func (s studio) held(base scene) scene {
	r := s.random(forPath)
	dx, dy, roll, yaw, pitch := newPath(r), newPath(r), newPath(r), newPath(r), newPath(r)
	behind := s.Other.at(0)
	return func(i int) *liveproof.Image {
		t, img := s.seconds(i), base(i)
		p := pose{dx: 12 * dx.at(t), dy: 8 * dy.at(t), zoom: 0.7, roll: 3 * degree * roll.at(t), yaw: 8 * degree * yaw.at(t), pitch: 8 * degree * pitch.at(t)}
		return over(img, behind, p.mapping(img))
	}
}

// over shows img as a print in front of another picture.
func over(img, behind *liveproof.Image, at mapping) *liveproof.Image {
	const border = 12 // pixels of the print
	w, h := float64(img.Width-1), float64(img.Height-1)
	return changed(behind, func(to, from []byte, x, y int) {
		sx, sy := at(float64(x), float64(y))
		switch {
		case sx < -border || sy < -border || sx > w+border || sy > h+border:
			copy(to, from)
		case sx < 0 || sy < 0 || sx > w || sy > h:
			to[0], to[1], to[2] = 230, 228, 222
		default:
			bilinear(to, img, sx, sy)
		}
	})
}
