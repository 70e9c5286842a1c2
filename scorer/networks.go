package scorer

import (
	"context"
	"errors"

	"github.com/liveproof/liveproof/onnx"
)

// networks are the sessions of one model: one for each batch size where those are apart, else one
// for all.
type networks struct {
	sizes    sizes
	sessions []session
}

// session is what networks need of an *onnx.Session.
type session interface {
	Run(ctx context.Context, inputs, outputs []onnx.Value) error
	Close() error
}

// newNetworks takes over first, which has proved itself, and loads its like for the other sizes.
func newNetworks(first session, s sizes, load func() (session, error)) (*networks, error) {
	n := &networks{sizes: s, sessions: []session{first}}
	for s.apart && len(n.sessions) < len(s.all) {
		another, err := load()
		if err != nil {
			return nil, errors.Join(err, n.close())
		}
		n.sessions = append(n.sessions, another)
	}
	return n, nil
}

// run runs the network with the tensors that a lane has for the size with index at.
func (n *networks) run(ctx context.Context, l *lane, at int) error {
	return n.sessions[min(at, len(n.sessions)-1)].Run(ctx, l.inputs[at], l.outputs[at])
}

func (n *networks) close() error {
	var errs []error
	for _, s := range n.sessions {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
