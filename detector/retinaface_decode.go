package detector

import (
	"math"
	"slices"

	"github.com/liveproof/liveproof"
)

// The anchor boxes ("priors") of the RetinaFace file.
var (
	priorStrides = [...]int{8, 16, 32}
	priorSizes   = [...][2]float32{{16, 32}, {64, 128}, {256, 512}}
)

// The variances by which the regression is scaled (centre and size).
const (
	varianceCentre = 0.1
	varianceSize   = 0.2
)

// prior is an anchor box in pixels of the network's input: a centre and a side.
type prior struct{ cx, cy, size float32 }

// makePriors lists the anchors of a width×height input (multiples of 32) in the
// network's order: stride, row, column, size. There are 2·(W·H)/64·(1+1/4+1/16).
func makePriors(width, height int) []prior {
	var out []prior
	for level, stride := range priorStrides {
		s := float32(stride)
		for row := range height / stride {
			for col := range width / stride {
				for _, size := range priorSizes[level] {
					out = append(out, prior{(float32(col) + 0.5) * s, (float32(row) + 0.5) * s, size})
				}
			}
		}
	}
	return out
}

// outputs are the network's results for one picture, with N priors.
type outputs struct {
	loc  []float32 // [N,4]: centre x, y and log size, against the prior
	conf []float32 // [N,2]: background, face; after softmax
	lm   []float32 // [N,10]: five points, against the prior
}

// decoder turns outputs into faces. It is for one goroutine at a time and
// reuses its memory; the faces that it returns are fresh.
type decoder struct {
	priors     []prior
	confidence float32
	nms        float32
	maxSide    float32 // input pixels; a larger box is an error of the network

	candidates []candidate
}

type candidate struct {
	box  liveproof.Box
	conf float32
	at   int // index of the prior
}

// maxCandidates bounds the quadratic cost of NMS on hostile output. A real
// picture has about 20 candidates for each face.
const maxCandidates = 512

func newDecoder(cfg Config) *decoder {
	return &decoder{
		priors:     makePriors(cfg.Width, cfg.Height),
		confidence: float32(cfg.Confidence),
		nms:        float32(cfg.NMS),
		maxSide:    4 * float32(max(cfg.Width, cfg.Height)),
	}
}

// decode returns the faces of o, most confident first, in pixels of the
// picture: input pixels times sx and sy. A face with a value that is not
// finite, a confidence above 1, or a box without area is dropped. Missing outputs give no face.
func (d *decoder) decode(o outputs, sx, sy float32) (faces []liveproof.Face) {
	n := len(d.priors)
	if len(o.loc) < 4*n || len(o.conf) < 2*n || len(o.lm) < 10*n {
		return nil
	}
	d.collect(o)
	d.suppress()
	for _, c := range d.candidates {
		lm, ok := d.landmarks(o.lm[10*c.at:10*c.at+10], d.priors[c.at], sx, sy)
		if !ok {
			continue
		}
		b := liveproof.Box{X1: c.box.X1 * sx, Y1: c.box.Y1 * sy, X2: c.box.X2 * sx, Y2: c.box.Y2 * sy}
		if !(b.X1 < b.X2 && b.Y1 < b.Y2) { // narrower than float32 can tell at this place
			continue
		}
		faces = append(faces, liveproof.Face{Box: b, Confidence: c.conf, Landmarks: lm})
	}
	return faces
}

// collect finds the priors above the threshold and decodes only those.
func (d *decoder) collect(o outputs) {
	d.candidates = d.candidates[:0]
	conf := o.conf[:2*len(d.priors)]
	for i := 1; i < len(conf); i += 2 {
		c := conf[i]
		if !(c >= d.confidence) || c > 1 { // NaN fails the first
			continue
		}
		at := i / 2
		if box, ok := d.box(o.loc[4*at:4*at+4], d.priors[at]); ok {
			d.candidates = append(d.candidates, candidate{box, c, at})
		}
	}
}

// box decodes one regression; false for what cannot be a face.
func (d *decoder) box(loc []float32, p prior) (liveproof.Box, bool) {
	cx := p.cx + loc[0]*varianceCentre*p.size
	cy := p.cy + loc[1]*varianceCentre*p.size
	w := p.size * float32(math.Exp(float64(loc[2]*varianceSize)))
	h := p.size * float32(math.Exp(float64(loc[3]*varianceSize)))
	if !(w > 0 && w <= d.maxSide && h > 0 && h <= d.maxSide) || !d.near(cx) || !d.near(cy) {
		return liveproof.Box{}, false
	}
	return liveproof.Box{X1: cx - w/2, Y1: cy - h/2, X2: cx + w/2, Y2: cy + h/2}, true
}

// near reports whether a coordinate may belong to this picture; a NaN may not.
func (d *decoder) near(v float32) bool { return v >= -d.maxSide && v <= d.maxSide }

// suppress keeps of overlapping candidates the most confident one
// (greedy non-maximum suppression). Ties are resolved by the prior's order.
func (d *decoder) suppress() {
	slices.SortFunc(d.candidates, func(a, b candidate) int {
		switch {
		case a.conf > b.conf:
			return -1
		case a.conf < b.conf:
			return 1
		}
		return a.at - b.at
	})
	if len(d.candidates) > maxCandidates {
		d.candidates = d.candidates[:maxCandidates]
	}
	kept := d.candidates[:0]
	for _, c := range d.candidates {
		if !overlapsAny(c.box, kept, d.nms) {
			kept = append(kept, c)
		}
	}
	d.candidates = kept
}

func overlapsAny(b liveproof.Box, kept []candidate, limit float32) bool {
	for _, k := range kept {
		if b.IoU(k.box) > limit {
			return true
		}
	}
	return false
}

func (d *decoder) landmarks(v []float32, p prior, sx, sy float32) (*liveproof.Landmarks, bool) {
	lm := new(liveproof.Landmarks)
	for i := range lm {
		x := p.cx + v[2*i]*varianceCentre*p.size
		y := p.cy + v[2*i+1]*varianceCentre*p.size
		if !d.near(x) || !d.near(y) {
			return nil, false
		}
		lm[i] = liveproof.Point{X: x * sx, Y: y * sy}
	}
	return lm, true
}
