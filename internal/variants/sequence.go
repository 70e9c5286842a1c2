package variants

import (
	"context"
	"hash/maphash"
	"io"
	"time"

	"github.com/liveproof/liveproof"
)

// Sequence gives a variant's pictures in order, as a source of the pipeline and of package transcode does.
type Sequence struct {
	rate  float64
	n, i  int
	scene scene
}

// Rate is the number of pictures a second.
func (s *Sequence) Rate() float64 { return s.rate }

// Len is the number of pictures.
func (s *Sequence) Len() int { return s.n }

// Image makes the picture at an index in [0, Len). It is only to be read: it may be one of the material.
func (s *Sequence) Image(i int) *liveproof.Image { return s.scene(i) }

// Next returns the next picture; io.EOF after the last one, and ctx's error when ctx has ended.
func (s *Sequence) Next(ctx context.Context) (liveproof.Picture, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.i >= s.n {
		return nil, io.EOF
	}
	p := &picture{img: s.scene(s.i), at: time.Duration(float64(s.i) / s.rate * float64(time.Second))}
	s.i++
	return p, nil
}

// picture is a picture that needs no decoder.
type picture struct {
	img *liveproof.Image
	at  time.Duration
}

func (p *picture) Time() time.Duration { return p.at }

func (p *picture) Size() (width, height int) { return p.img.Width, p.img.Height }

func (p *picture) Release() {}

// digests is the seed of the digests, which are compared within this process only.
var digests = maphash.MakeSeed()

// Fingerprint takes one pixel of each cell in place of the mean.
func (p *picture) Fingerprint(to *liveproof.Thumbnail) uint64 {
	const side = liveproof.ThumbnailSide
	for y := range side {
		row := (2*y + 1) * p.img.Height / (2 * side) * p.img.Stride
		for x := range side {
			v := p.img.Pix[row+3*((2*x+1)*p.img.Width/(2*side)):][:3]
			to[y*side+x] = uint8((299*int(v[0]) + 587*int(v[1]) + 114*int(v[2])) / 1000)
		}
	}
	return maphash.Bytes(digests, p.img.Pix)
}

// RGB returns a copy.
func (p *picture) RGB(pool *liveproof.ImagePool) (*liveproof.Image, error) {
	out, err := pool.Get(p.img.Width, p.img.Height)
	if err != nil {
		return nil, err
	}
	copy(out.Pix, p.img.Pix)
	return out, nil
}
