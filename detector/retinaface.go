package detector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// retinaFaceNetwork is RetinaFace with a MobileNet-0.25 trunk (Deng et al., CVPR 2020).
var retinaFaceNetwork = network{name: "retinaface", model: "retinaface-mobilenet025", open: openRetinaFace}

// What the RetinaFace file must look like; -1 is a free dimension.
func retinaFaceContract() (inputs, outputs []onnx.TensorInfo) {
	inputs = []onnx.TensorInfo{{Name: "input0", Type: "float32", Shape: []int64{1, 3, -1, -1}}}
	outputs = []onnx.TensorInfo{
		{Name: "output0", Type: "float32", Shape: []int64{1, -1, 4}}, // boxes
		{Name: "593", Type: "float32", Shape: []int64{1, -1, 2}},     // background, face
		{Name: "592", Type: "float32", Shape: []int64{1, -1, 10}},    // landmarks
	}
	return inputs, outputs
}

// retinaFace runs the network in one input size. It serves all streams; each picture in
// flight has a worker of its own with its tensors.
type retinaFace struct {
	workers *pool[*worker]
	free    func() error // ends the use of the workers' session
}

// worker holds what one inference needs. It is used by one goroutine at a time.
type worker struct {
	session *onnx.Session
	box     letterbox
	dec     *decoder
	in      *onnx.Tensor[float32]
	loc     *onnx.Tensor[float32]
	conf    *onnx.Tensor[float32]
	lm      *onnx.Tensor[float32]
	inputs  []onnx.Value
	outputs []onnx.Value
}

// openRetinaFace loads the file, checks it against the contract and runs it
// once in each size, so that a file that differs is refused at start and no picture
// is slower than the others. The execution provider that wins the trial on whole pictures runs the
// regions too.
func openRetinaFace(cfg Config, rt *onnx.Runtime, file []byte, regions []Size, log *slog.Logger) (all []finder, on onnx.Execution, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(all))
			all = nil
		}
	}()
	session, err := loadRetinaFace(cfg, rt, file, log)
	if err != nil {
		return nil, on, err
	}
	on = session.Execution()
	whole, err := newRetinaFace(cfg, rt, session, session.Close)
	if err != nil {
		return nil, on, err
	}
	all = append(all, whole)
	for _, size := range regions {
		region, err := openRegions(cfg.at(size), rt, file, session)
		if err != nil {
			return all, on, fmt.Errorf("region of %v: %w", size, err)
		}
		all = append(all, region)
	}
	return all, on, nil
}

// openRegions opens the network for regions of one size. On the CPU it shares the session of whole
// pictures, because another one costs 20 MB and saves no time. On a GPU each size has a session
// of its own, because a session prepares its kernels anew whenever the size changes.
func openRegions(cfg Config, rt *onnx.Runtime, file []byte, whole *onnx.Session) (finder, error) {
	by := whole.Execution().Provider
	if by.OnCPU() {
		return newRetinaFace(cfg, rt, whole, func() error { return nil })
	}
	options := retinaFaceOptions(cfg)
	options.Provider = by
	session, err := rt.Load(file, options)
	if err != nil {
		return nil, err
	}
	return newRetinaFace(cfg, rt, session, session.Close)
}

// closeAll closes finders, the last one first: later ones may use an earlier one's session.
func closeAll(finders []finder) error {
	var errs []error
	for _, f := range slices.Backward(finders) {
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}

// newRetinaFace runs the session in the input size of cfg. free ends its use of the session; newRetinaFace calls it on error.
func newRetinaFace(cfg Config, rt *onnx.Runtime, session *onnx.Session, free func() error) (finder, error) {
	workers, err := newPool(cfg.parallel(), func() (*worker, error) { return newWorker(cfg, rt, session) })
	if err != nil {
		return nil, errors.Join(err, free())
	}
	r := &retinaFace{workers: workers, free: free}
	if err := r.warmUp(cfg); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// retinaFaceOptions names inputs and outputs: use it only for a file that was checked to have them.
func retinaFaceOptions(cfg Config) onnx.SessionOptions {
	inputs, outputs := retinaFaceContract()
	return onnx.SessionOptions{Provider: cfg.Provider, Inputs: names(inputs), Outputs: names(outputs), Parallel: cfg.parallel()}
}

func loadRetinaFace(cfg Config, rt *onnx.Runtime, file []byte, log *slog.Logger) (_ *onnx.Session, err error) {
	inputs, outputs := retinaFaceContract()
	// On the CPU: a GPU need not prepare a network that is only looked at.
	session, err := rt.Load(file, onnx.SessionOptions{Provider: onnx.ProviderCPU})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	err = errors.Join(sameTensors("input", inputs, session.Inputs()), sameTensors("output", outputs, session.Outputs()))
	if closeErr := session.Close(); err != nil || closeErr != nil {
		return nil, errors.Join(err, closeErr)
	}
	trial, err := newRetinaFaceTrial(cfg, rt)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, trial.worker.Close()) }()
	return rt.LoadTried(context.Background(), file, retinaFaceOptions(cfg), trial.onnx(log))
}

func names(infos []onnx.TensorInfo) []string {
	var out []string
	for _, i := range infos {
		out = append(out, i.Name)
	}
	return out
}

// sameTensors reports the first difference between what a file must have and what it has.
func sameTensors(kind string, want, have []onnx.TensorInfo) error {
	for _, w := range want {
		at := slices.IndexFunc(have, func(h onnx.TensorInfo) bool { return h.Name == w.Name })
		if at < 0 {
			return fmt.Errorf("%w: %s %s is missing, the file has %v", ErrModel, kind, w, have)
		}
		if h := have[at]; h.Type != w.Type || !sameShape(w.Shape, h.Shape) {
			return fmt.Errorf("%w: %s is %s, want %s", ErrModel, kind, h, w)
		}
	}
	if len(have) != len(want) {
		return fmt.Errorf("%w: %d %ss, want %d: %v", ErrModel, len(have), kind, len(want), want)
	}
	return nil
}

// sameShape compares shapes; a free dimension in the contract must be free in
// the file too, otherwise the input size could not be configured.
func sameShape(want, have []int64) bool {
	return slices.EqualFunc(want, have, func(w, h int64) bool { return w == h || w < 0 && h < 0 })
}

func newWorker(cfg Config, rt *onnx.Runtime, session *onnx.Session) (*worker, error) {
	w := &worker{session: session, box: letterbox{width: cfg.Width, height: cfg.Height}, dec: newDecoder(cfg)}
	n := int64(len(w.dec.priors))
	for _, t := range []struct {
		at    **onnx.Tensor[float32]
		shape []int64
	}{
		{&w.in, []int64{1, 3, int64(cfg.Height), int64(cfg.Width)}},
		{&w.loc, []int64{1, n, 4}},
		{&w.conf, []int64{1, n, 2}},
		{&w.lm, []int64{1, n, 10}},
	} {
		var err error
		if *t.at, err = onnx.NewTensor[float32](rt, t.shape...); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	w.inputs, w.outputs = []onnx.Value{w.in}, []onnx.Value{w.loc, w.conf, w.lm}
	return w, nil
}

// find searches one picture.
func (w *worker) find(ctx context.Context, img *liveproof.Image) ([]liveproof.Face, error) {
	w.box.fill(w.in.Data(), img)
	// One inference takes milliseconds: it is let finish rather than interrupted.
	if err := w.session.Run(context.WithoutCancel(ctx), w.inputs, w.outputs); err != nil {
		return nil, fmt.Errorf("RetinaFace: %w", err)
	}
	sx, sy := w.box.scale()
	return w.dec.decode(outputs{w.loc.Data(), w.conf.Data(), w.lm.Data()}, sx, sy), nil
}

// Close frees the tensors.
func (w *worker) Close() error {
	var errs []error
	for _, t := range []*onnx.Tensor[float32]{w.in, w.loc, w.conf, w.lm} {
		if t != nil {
			errs = append(errs, t.Close())
		}
	}
	return errors.Join(errs...)
}

func (r *retinaFace) warmUp(cfg Config) error {
	if _, err := r.find(context.Background(), liveproof.NewImage(cfg.Width, cfg.Height)); err != nil {
		return firstRunFailed(letterbox{width: cfg.Width, height: cfg.Height}, err)
	}
	return nil
}

func firstRunFailed(input letterbox, err error) error {
	return fmt.Errorf("%w: the first run at %d×%d failed: %w", ErrModel, input.width, input.height, err)
}

func (r *retinaFace) find(ctx context.Context, img *liveproof.Image) ([]liveproof.Face, error) {
	w, err := r.workers.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer r.workers.release(w)
	return w.find(ctx, img)
}

func (r *retinaFace) close() error { return errors.Join(r.workers.Close(), r.free()) }
