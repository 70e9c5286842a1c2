package liveproof

// Point is a position in pixels of the image, from its top left corner.
type Point struct{ X, Y float32 }

// Box is an axis-parallel rectangle in pixels; it may leave the image.
type Box struct{ X1, Y1, X2, Y2 float32 }

// Width of the box in pixels.
func (b Box) Width() float32 { return b.X2 - b.X1 }

// Height of the box in pixels.
func (b Box) Height() float32 { return b.Y2 - b.Y1 }

// Area of the box in square pixels; 0 for an inverted box.
func (b Box) Area() float32 { return max(0, b.Width()) * max(0, b.Height()) }

// IoU is the intersection over union of two boxes, in [0,1].
func (b Box) IoU(o Box) float32 {
	w := min(b.X2, o.X2) - max(b.X1, o.X1)
	h := min(b.Y2, o.Y2) - max(b.Y1, o.Y1)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / (b.Area() + o.Area() - w*h)
}

// Landmarks are the left eye, right eye, nose, left and right mouth corner, as
// seen in the image (left is the image's left).
type Landmarks [5]Point

// Face is one detected face.
type Face struct {
	Box        Box
	Confidence float32 // [0,1]
	// Landmarks is nil when the detector gives none (Haar).
	Landmarks *Landmarks
}

// Detection is what a session's detector saw in one image.
type Detection struct {
	Faces []Face
	// Primary is the index in Faces of the followed face, -1 without one.
	Primary int
	// Track numbers the followed identity from 1; it changes when overlap
	// with the last position is lost. 0 without a face.
	Track int
}
