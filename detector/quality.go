package detector

import (
	"math"
	"slices"

	"github.com/liveproof/liveproof"
)

// Assess measures how well the face is seen: size, position and pose on img,
// blur and light on crop, which Crop made from it. Reasons lists every limit
// that is broken, what the person should change first in front. An image or a
// crop that cannot be measured forbids scoring as too dark.
func (c *Cropper) Assess(img, crop *liveproof.Image, face liveproof.Face) liveproof.Quality {
	q := liveproof.Quality{Size: float64(longerSide(face.Box))}
	if checkImage(img) != nil || checkImage(crop) != nil || !(q.Size > 0) {
		q.Reasons = []liveproof.Reason{liveproof.ReasonTooDark}
		return q
	}
	q.Outside, q.Confidence = outside(face.Box, img), float64(face.Confidence)
	q.Yaw, q.Pitch = pose(face.Landmarks)
	l := measureLight(crop)
	q.Blur, q.Streak, q.Exposure, q.Contrast, q.Clipped = l.blur, l.streak, l.mean, l.contrast, l.clipped
	q.Black = l.levels.quantile(0.05)
	q.Range = l.levels.quantile(0.95) - q.Black
	q.Backlight = backlight(img, face.Box, l.levels.mean())
	q.Quantiser, q.Bits = coded(img, face.Box)
	q.Reasons = c.quality.Refuses(q)
	if len(q.Reasons) == 0 {
		q.Weight = c.quality.weight(q)
	}
	return q
}

// Refuses lists the reasons why a face that was measured so must not be scored, most useful hint first; none when it
// may. NaN in any measure with a limit is a reason.
func (c QualityConfig) Refuses(q liveproof.Quality) []liveproof.Reason {
	var out []liveproof.Reason
	for _, rule := range [...]struct {
		fine   bool
		reason liveproof.Reason
	}{
		{q.Size >= c.MinSize, liveproof.ReasonFaceTooSmall},
		{q.Outside <= c.MaxOutside, liveproof.ReasonFaceCutOff},
		{math.Abs(q.Yaw) <= c.MaxYaw && math.Abs(q.Pitch) <= c.MaxPitch, liveproof.ReasonFaceTurned},
		{q.Exposure >= c.MinExposure, liveproof.ReasonTooDark},
		{q.Exposure <= c.MaxExposure && q.Clipped <= c.MaxClipped, liveproof.ReasonOverexposed},
		{q.Black <= c.MaxBlack, c.pale(q)},
		{q.Contrast >= c.MinContrast, c.flat(q)},
		{q.Quantiser <= c.quantiserLimit(q.Bits), liveproof.ReasonLowBitrate},
		{q.Blur >= c.MinBlur, c.unsharp(q)},
	} {
		if !rule.fine && !slices.Contains(out, rule.reason) {
			out = append(out, rule.reason)
		}
	}
	return out
}

// What tells too much light from haze where both have raised the black level: light that is cut off, or a bright crop whose face
// still has many tones.
const (
	hazeClipped  = 0.1 // share of clipped pixels
	hazeExposure = 175 // mean luma of the crop, in levels
	hazeRange    = 60  // of the face's middle, in levels
)

// pale is the reason against a face without dark places. A veil of light brightens what is dark and takes off contrast; a
// long exposure brightens everything, and cuts off what is bright.
func (c QualityConfig) pale(q liveproof.Quality) liveproof.Reason {
	bright := q.Exposure > hazeExposure && q.Range >= hazeRange
	if bright || q.Clipped > hazeClipped || q.Exposure > c.MaxExposure {
		return liveproof.ReasonOverexposed
	}
	return liveproof.ReasonHazy
}

// flat is the reason against a crop with too little contrast. Contrast shrinks in proportion to the light: a crop that would
// have enough of it at an ordinary exposure lacks light. Who sits before a window is such a case.
func (c QualityConfig) flat(q liveproof.Quality) liveproof.Reason {
	if q.Exposure < faceExposure && q.Contrast*faceExposure >= c.MinContrast*q.Exposure {
		return liveproof.ReasonTooDark
	}
	return liveproof.ReasonLowContrast
}

const (
	// faceExposure is the mean luma of a crop that is exposed ordinarily, in levels.
	faceExposure = 120
	// faceContrast is the standard deviation of a crop's luma from which contrast is ordinary, in levels.
	faceContrast = 30
	// flatContrast is the one below which sharpness cannot be told from the rounding to whole levels.
	flatContrast = 15
	// roundingBlur is the variance of the Laplacian that rounding alone gives: 1/12 for each pixel, by the sum
	// of the kernel's squares.
	roundingBlur = 20.0 / 12
)

// unsharp is the reason against a crop that varies too little from pixel to pixel. The variance of the
// Laplacian shrinks with the square of the contrast: a crop that would be sharp enough at ordinary
// contrast is flat and not blurred.
func (c QualityConfig) unsharp(q liveproof.Quality) liveproof.Reason {
	scale := max(1, faceContrast/q.Contrast)
	if q.Contrast < flatContrast || scale > 1 && (q.Blur-roundingBlur)*scale*scale >= c.MinBlur {
		return liveproof.ReasonLowContrast
	}
	return liveproof.ReasonBlurred
}

// weight grows from minWeight at a limit to 1 at a comfortable distance from
// it; the measures multiply. Pose does not count: a turned face is a face.
func (c QualityConfig) weight(q liveproof.Quality) float64 {
	w := ramp(q.Size, c.MinSize, 2*c.MinSize) *
		ramp(q.Blur, c.MinBlur, 2*c.MinBlur) *
		ramp(q.Exposure, c.MinExposure, 1.5*c.MinExposure) *
		ramp(-q.Exposure, -c.MaxExposure, -0.9*c.MaxExposure) *
		ramp(-q.Clipped, -c.MaxClipped, -c.MaxClipped/2)
	return max(minWeight, w)
}

// minWeight is the least that a sample counts which may be scored.
const minWeight = 0.25

// ramp is 0.5 at v = limit, 1 from v = good on, linear between; limit ≤ good.
func ramp(v, limit, good float64) float64 {
	if good <= limit || v >= good {
		return 1
	}
	return 0.5 + 0.5*(v-limit)/(good-limit)
}

// outside is the share of the box that lies outside the picture, [0,1].
func outside(b liveproof.Box, img *liveproof.Image) float64 {
	w := max(0, min(b.X2, float32(img.Width))-max(b.X1, 0))
	h := max(0, min(b.Y2, float32(img.Height))-max(b.Y1, 0))
	return 1 - float64(w*h/b.Area())
}

// pose estimates the head's turn from the five landmarks, both in [-1, 1]; 0
// without them. Yaw is the nose's distance from the middle between the eyes,
// in half eye distances, measured along the line of the eyes: positive towards
// the right of the picture. Pitch is the nose's place between eyes and mouth,
// against that of a level face: positive downwards.
func pose(l *liveproof.Landmarks) (yaw, pitch float64) {
	if l == nil {
		return 0, 0
	}
	eye := middle(l[0], l[1])
	mouth := middle(l[3], l[4])
	// Half the eye line, and from it to the mouth, as vectors.
	ex, ey := float64(l[1].X-l[0].X)/2, float64(l[1].Y-l[0].Y)/2
	mx, my := float64(mouth.X-eye.X), float64(mouth.Y-eye.Y)
	nx, ny := float64(l[2].X-eye.X), float64(l[2].Y-eye.Y)
	// The nose in the oblique axes of eye line and midline.
	det := ex*my - ey*mx
	if !(math.Abs(det) > 1e-6*(mx*mx+my*my)) {
		return 1, 0 // the eyes lie on top of each other, or on the midline: a profile
	}
	along := (nx*my - ny*mx) / det
	down := (ex*ny - ey*nx) / det
	return clampUnit(along), clampUnit((down - levelNose) * 2)
}

// levelNose is where the nose's tip lies between eye line and mouth on a level face.
const levelNose = 0.55

func middle(a, b liveproof.Point) liveproof.Point {
	return liveproof.Point{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2}
}

// clampUnit puts v into [-1, 1]; NaN becomes 1, which is never frontal.
func clampUnit(v float64) float64 {
	if math.IsNaN(v) {
		return 1
	}
	return max(-1, min(1, v))
}
