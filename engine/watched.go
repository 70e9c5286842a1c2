package engine

import (
	"context"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/injection"
	"github.com/liveproof/liveproof/media"
)

// watchedStream shows the thumbnail of each picture to a watch.
type watchedStream struct {
	*media.Stream
	watch *injection.Watch
}

// Next implements pipeline.Source.
func (s watchedStream) Next(ctx context.Context) (liveproof.Picture, error) {
	p, err := s.Stream.Next(ctx)
	streamed, ok := p.(liveproof.StreamedPicture)
	if err != nil || !ok {
		return p, err
	}
	return watchedPicture{streamed, s.watch}, nil
}

type watchedPicture struct {
	liveproof.StreamedPicture
	watch *injection.Watch
}

// Fingerprint implements liveproof.Picture.
func (p watchedPicture) Fingerprint(to *liveproof.Thumbnail) (digest uint64) {
	digest = p.StreamedPicture.Fingerprint(to)
	p.watch.Picture(p.Time(), to)
	return digest
}
