package extract

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/media"
)

// The orientation is decided once for each video. The decoder always follows the
// container's rotate tag. A clip that its dataset stores upside down is turned
// in addition, unless the tag has turned it already. Then the detector searches
// a few frames both ways up; if it clearly disagrees, it decides.

// orientFrames are the indices of the frames that the detector searches both ways up.
var orientFrames = []int{0, 5, 10}

// clearMargin is how much higher the mean score must be for the detector to
// decide.
const clearMargin = 0.3

// Turn decides by how many degrees, 0 or 180, the decoded pictures of a clip must be turned that its dataset
// stores turned by stored degrees (benchmark.Video.Turned). The note says what decided; it is empty for stored = 0.
func Turn(ctx context.Context, faces *engine.Faces, path string, stored int) (turn int, note string, err error) {
	var r benchmark.Record
	note, err = extractor{faces: faces}.orient(ctx, path, stored, &r)
	return r.Turn, note, err
}

// orient sets r.Turn for a clip that is stored upside down; all others keep the container's
// orientation.
func (x extractor) orient(ctx context.Context, path string, stored int, r *benchmark.Record) (note string, err error) {
	if stored == 0 {
		return "", nil
	}
	if _, err := describe(x.media(), path, r); err != nil {
		return "", err
	}
	by := "the dataset's list: turned"
	if r.Rotation == 0 {
		r.Turn = stored
	} else {
		by = "the container's tag: turned by the decoder"
	}
	asIs, over, err := x.scoreBothWays(ctx, path)
	if err != nil {
		return "", err
	}
	scores := fmt.Sprintf("detector %.2f as decoded, %.2f turned over", asIs, over)
	if r.Turn == 0 && over > asIs+clearMargin || r.Turn != 0 && asIs > over+clearMargin {
		r.Turn = 180 - r.Turn
		by = fmt.Sprintf("the detector, against the list: turned by %d", r.Turn)
	}
	return fmt.Sprintf("orientation by %s (%s)", by, scores), nil
}

// scoreBothWays is the mean score of an upright face in the first frames, as decoded and turned over.
func (x extractor) scoreBothWays(ctx context.Context, path string) (asIs, over float64, err error) {
	file, err := media.OpenFile(x.media(), path)
	if err != nil {
		return 0, 0, &videoError{err}
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for i, n := 0, 0; n < len(orientFrames); i++ {
		p, err := file.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return 0, 0, ctx.Err()
			}
			if !errors.Is(err, io.EOF) && i == 0 {
				return 0, 0, &videoError{err}
			}
			break
		}
		if i == orientFrames[n] {
			n++
			a, o, e := x.scores(ctx, p)
			asIs, over, err = asIs+a/float64(len(orientFrames)), over+o/float64(len(orientFrames)), e
		}
		p.Release()
		if err != nil {
			return 0, 0, err
		}
	}
	return asIs, over, nil
}

func (x extractor) scores(ctx context.Context, p liveproof.Picture) (asIs, over float64, err error) {
	img, err := p.RGB(x.faces.Pool())
	if err != nil {
		return 0, 0, &videoError{err}
	}
	defer img.Release()
	if asIs, err = x.score(ctx, img); err != nil {
		return 0, 0, err
	}
	img.TurnOver()
	over, err = x.score(ctx, img)
	return asIs, over, err
}

// score is the detector's confidence for a face that is the right way up, else
// 0. Without landmarks (Haar) every face counts as the right way up.
func (x extractor) score(ctx context.Context, img *liveproof.Image) (float64, error) {
	found, err := x.faces.Follow().Detect(ctx, img, 0, true)
	if err != nil || found.Primary < 0 {
		return 0, err
	}
	face := found.Faces[found.Primary]
	if l := face.Landmarks; l != nil && l[0].Y+l[1].Y > l[3].Y+l[4].Y { // eyes below the mouth
		return 0, nil
	}
	return float64(face.Confidence), nil
}
