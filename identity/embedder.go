package identity

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// Model is the name, in the model catalogue, of the file that Open takes.
const Model = "face-embedding-112"

// ErrModel says that the file is not the network that this package runs.
var ErrModel = errors.New("not the expected face embedder")

// ErrClosed says that the identity was closed.
var ErrClosed = errors.New("identity closed")

// dimensions of an embedding.
const dimensions = 512

// face is an aligned picture of a face in the embedder's input: [3][112][112], red first, (level - 127.5)/128.
type face [3 * side * side]float32

// faceOf is the face as the embedder sees it.
func faceOf(img *liveproof.Image, s similarity) *face {
	f := cutOut(img, s)
	f.stretch()
	return f
}

// cutOut cuts the face out. Each pixel is the mean of as many points as the picture has pixels there, each interpolated.
func cutOut(img *liveproof.Image, s similarity) *face {
	f := new(face)
	points := min(max(int(math.Round(math.Hypot(float64(s.a), float64(s.b)))), 1), 6)
	step, scale := 1/float32(points), 1/float32(points*points)
	for y := range side {
		for x := range side {
			var sum [3]float32
			for i := range points * points {
				u, v := float32(x)+(float32(i%points)+0.5)*step, float32(y)+(float32(i/points)+0.5)*step
				interpolate(img, s.a*u-s.b*v+s.tx-0.5, s.b*u+s.a*v+s.ty-0.5, &sum)
			}
			for c, v := range sum {
				f[(c*side+y)*side+x] = (v*scale - 127.5) / 128
			}
		}
	}
	return f
}

const (
	leastContrast = 0.3 // standard deviation of a face's luma below which it is stretched: 38 levels
	mostStretch   = 4   // so that noise does not become a face
)

// stretch gives a face in flat light the contrast of others around its mean luma. Without it a face of half the contrast may be as far from
// its own person as another face is (docs/adr/0014-identity.md).
func (f *face) stretch() {
	const n = side * side
	var sum, squares float64
	for i := range n {
		luma := 0.299*float64(f[i]) + 0.587*float64(f[n+i]) + 0.114*float64(f[2*n+i])
		sum, squares = sum+luma, squares+luma*luma
	}
	mean := sum / n
	contrast := math.Sqrt(max(0, squares/n-mean*mean))
	if contrast >= leastContrast {
		return
	}
	gain := float32(min(leastContrast/max(contrast, 1e-6), mostStretch))
	for i, v := range f {
		f[i] = max(-1, min(1, (v-float32(mean))*gain+float32(mean)))
	}
}

// interpolate adds the colour at (x, y), bilinearly. Outside the picture the border is repeated.
func interpolate(img *liveproof.Image, x, y float32, sum *[3]float32) {
	x, y = max(0, min(x, float32(img.Width-1))), max(0, min(y, float32(img.Height-1)))
	x0, y0 := int(x), int(y)
	wx, wy := x-float32(x0), y-float32(y0)
	right, down := 3*(min(x0+1, img.Width-1)-x0), (min(y0+1, img.Height-1)-y0)*img.Stride
	p := img.Pix[y0*img.Stride+3*x0:]
	for c := range sum {
		top := float32(p[c])*(1-wx) + float32(p[right+c])*wx
		bottom := float32(p[down+c])*(1-wx) + float32(p[down+right+c])*wx
		sum[c] += top*(1-wy) + bottom*wy
	}
}

// embedding has norm 1.
type embedding [dimensions]float32

// cosine of two embeddings, in [-1, 1].
func (e *embedding) cosine(o *embedding) float64 {
	var sum float64
	for i := range e {
		sum += float64(e[i]) * float64(o[i])
	}
	return sum
}

// embedder runs the network for all sessions. It has as many workers as faces may be embedded at once.
type embedder struct {
	*pool
	session *onnx.Session
	once    sync.Once
	err     error // of closing; written inside once
}

// worker holds the tensors of one run.
type worker struct{ in, out *onnx.Tensor[float32] }

// openEmbedder loads the file, checks that it has the expected tensors and runs it once.
func openEmbedder(cfg Config, rt *onnx.Runtime, file []byte) (*embedder, error) {
	options := onnx.SessionOptions{Provider: cfg.Provider, IntraOpThreads: 1, Parallel: cfg.parallel()}
	if options.Provider == "" && rt.Provider() == onnx.ProviderAuto {
		options.Provider = onnx.ProviderCPU
	}
	session, err := rt.Load(file, options)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	e := &embedder{session: session, pool: newPool()}
	if err := errors.Join(checkTensors("input", session.Inputs(), 1, 3, side, side), checkTensors("output", session.Outputs(), 1, dimensions)); err != nil {
		return nil, errors.Join(err, e.close())
	}
	for range cfg.parallel() {
		w, err := newWorker(rt)
		if err != nil {
			return nil, errors.Join(err, e.close())
		}
		e.start(func(ctx context.Context, f *face) (*embedding, error) { return e.run(ctx, w, f) }, w.close)
	}
	if _, err := e.embed(context.Background(), new(face)); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// checkTensors reports how the tensors differ from a single one of float32 and this shape, whose first dimension may be free.
func checkTensors(kind string, have []onnx.TensorInfo, want ...int64) error {
	if len(have) == 1 && have[0].Type == "float32" && len(have[0].Shape) == len(want) &&
		slices.Equal(have[0].Shape[1:], want[1:]) && (have[0].Shape[0] == want[0] || have[0].Shape[0] < 0) {
		return nil
	}
	return fmt.Errorf("%w: its %ss are %v, want one float32%v", ErrModel, kind, have, want)
}

func newWorker(rt *onnx.Runtime) (*worker, error) {
	in, err := onnx.NewTensor[float32](rt, 1, 3, side, side)
	if err != nil {
		return nil, err
	}
	out, err := onnx.NewTensor[float32](rt, 1, dimensions)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return &worker{in: in, out: out}, nil
}

func (w *worker) close() error { return errors.Join(w.in.Close(), w.out.Close()) }

func (e *embedder) run(ctx context.Context, w *worker, f *face) (*embedding, error) {
	copy(w.in.Data(), f[:])
	if err := e.session.Run(ctx, []onnx.Value{w.in}, []onnx.Value{w.out}); err != nil {
		return nil, fmt.Errorf("face embedder: %w", err)
	}
	return unit(w.out.Data())
}

// unit scales the network's output to norm 1, and refuses what has none.
func unit(v []float32) (*embedding, error) {
	var norm float64
	for _, x := range v {
		norm += float64(x) * float64(x)
	}
	norm = math.Sqrt(norm)
	if !(norm > 1e-6) || math.IsInf(norm, 0) {
		return nil, fmt.Errorf("face embedder: the embedding has the norm %v", norm)
	}
	e := new(embedding)
	for i, x := range v {
		e[i] = float32(float64(x) / norm)
	}
	return e, nil
}

// close waits for the runs in flight and frees the network. It is idempotent.
func (e *embedder) close() error {
	e.once.Do(func() {
		e.err = errors.Join(e.pool.close(), e.session.Close())
	})
	return e.err
}
