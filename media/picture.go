package media

import (
	"time"

	"github.com/asticode/go-astiav"

	"github.com/liveproof/liveproof"
)

// #cgo pkg-config: libavcodec libavutil libswscale
// #cgo CFLAGS: -O3
// #cgo LDFLAGS: -lm
// #include "fingerprint.h"
// #include "frame.h"
import "C"

// picture is one decoded frame, a reference into FFmpeg's buffer pool.
type picture struct {
	frame       *astiav.Frame
	conv        *converter
	at          time.Duration
	orientation Orientation
	seq         int64
	stream      int // of the sender's streams, see liveproof.AccessUnit
}

var _ liveproof.StreamedPicture = (*picture)(nil)

// newPicture takes frame over, which orientation makes upright, and holds conv until Release.
func newPicture(frame *astiav.Frame, conv *converter, at time.Duration, orientation Orientation) *picture {
	conv.retain()
	return &picture{frame: frame, conv: conv, at: at, orientation: orientation}
}

func (p *picture) Time() time.Duration { return p.at }

func (p *picture) Stream() int { return p.stream }

func (p *picture) Size() (width, height int) {
	if p.frame == nil {
		return 0, 0
	}
	return p.orientation.size(p.conv.shownSize(raw(p.frame)))
}

// Fingerprint computes both in one pass over the luma: the thumbnail from at most 100 samples a
// cell, the digest of the picture before rotation.
func (p *picture) Fingerprint(to *liveproof.Thumbnail) (digest uint64) {
	*to = liveproof.Thumbnail{}
	if p.frame == nil {
		return 0
	}
	digest = uint64(C.lp_fingerprint(raw(p.frame), pixels(to[:]), liveproof.ThumbnailSide))
	p.conv.gradeThumbnail(p.frame, to)
	if p.orientation != (Orientation{}) {
		p.orientation.turnThumbnail(to)
	}
	return digest
}

func (p *picture) RGB(pool *liveproof.ImagePool) (*liveproof.Image, error) {
	if p.frame == nil {
		return nil, ErrClosed
	}
	return p.conv.rgb(p.frame, p.orientation, pool)
}

func (p *picture) Release() {
	if p.frame == nil {
		return
	}
	p.frame.Free()
	p.frame = nil
	p.conv.release()
}

func (p *picture) damaged() bool { return C.lp_damaged(raw(p.frame)) != 0 }

// bestEffort is the frame's presentation time in the stream's time base, or astiav.NoPtsValue.
func bestEffort(f *astiav.Frame) int64 { return int64(raw(f).best_effort_timestamp) }

func raw(f *astiav.Frame) *C.AVFrame { return (*C.AVFrame)(f.UnsafePointer()) }
