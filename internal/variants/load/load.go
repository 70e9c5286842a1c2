// Package load reads the material of variants from files: clips and portraits.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/internal/variants"
	"github.com/liveproof/liveproof/media"
)

// Format is what every clip is brought to.
type Format struct {
	Width, Height int
	Rate          float64       // pictures a second at most: others are left out
	Longest       time.Duration // what comes later is not read
}

// Camera is the format of a laptop's camera.
func Camera() Format { return Format{640, 480, 30, 12 * time.Second} }

// Clip reads a video or a single picture.
func Clip(ctx context.Context, path string, f Format) (clip variants.Clip, err error) {
	file, err := media.OpenFile(media.DefaultConfig(), path)
	if err != nil {
		return clip, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	taken := 0 // pictures of the format's rate
	var pool liveproof.ImagePool
	for {
		picture, err := file.Next(ctx)
		if errors.Is(err, io.EOF) || err == nil && picture.Time() >= f.Longest {
			break
		}
		if err != nil {
			return clip, err
		}
		if picture.Time().Seconds()*f.Rate < float64(taken)-0.5 {
			picture.Release()
			continue
		}
		taken++
		img, err := picture.RGB(&pool)
		picture.Release()
		if err != nil {
			return clip, err
		}
		clip.Pictures = append(clip.Pictures, sized(img, f))
	}
	clip.Rate = min(f.Rate, max(1, file.Info().FrameRate))
	if len(clip.Pictures) == 1 {
		clip.Rate = f.Rate
	}
	return clip, nil
}

func sized(img *liveproof.Image, f Format) *liveproof.Image {
	if img.Width == f.Width && img.Height == f.Height {
		return img
	}
	return variants.Fit(img, f.Width, f.Height)
}

// Face finds the largest face.
func Face(ctx context.Context, faces *engine.Faces, img *liveproof.Image) (liveproof.Face, error) {
	d, err := faces.Follow().Detect(ctx, img, 0, true)
	if err != nil {
		return liveproof.Face{}, err
	}
	if d.Primary < 0 {
		return liveproof.Face{}, fmt.Errorf("%w: no face in the picture that stills show", variants.ErrMaterial)
	}
	return d.Faces[d.Primary], nil
}

// Material joins two clips. Stills show the picture of the first that is at a time, or the first after it with a face.
func Material(ctx context.Context, faces *engine.Faces, person, other variants.Clip, at time.Duration) (variants.Material, error) {
	m := variants.Material{Person: person, Other: other}
	err := fmt.Errorf("%w: no picture at %v", variants.ErrMaterial, at)
	for m.Still = int(at.Seconds() * person.Rate); m.Still < len(person.Pictures); m.Still++ {
		if m.Face, err = Face(ctx, faces, person.Pictures[m.Still]); err == nil || ctx.Err() != nil {
			return m, err
		}
	}
	return m, err
}
