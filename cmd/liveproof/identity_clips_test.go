package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/transcode"
)

// actor is a filmed person. Thresholds were chosen on the people with chosen set; what is reported is measured on the others.
type actor struct {
	who, clip string
	chosen    bool
	first     int // first picture to use
	last      int // last one; 0: that of the clip
}

var actors = []actor{
	{who: "A", clip: "person_A_640x480.mjpeg", first: 145, last: 266}, // pictures 143 to 266 are one shot
	{who: "B", clip: "person_B_640x480.mjpeg"},
	{who: "C", clip: "person_C_640x480.mjpeg", chosen: true, last: 241},
	{who: "H", clip: "headpose_640x480.mjpeg", chosen: true, first: 40},
	{who: "d13", clip: "people/person_d13.mp4"},
	{who: "d19", clip: "people/person_d19.mp4"},
	{who: "d6", clip: "people/person_d6.mp4", chosen: true},
	{who: "d9", clip: "people/person_d9.mp4", chosen: true},
	{who: "s18", clip: "people/person_s18.mp4"},
}

// seen is where the face lies in every tenth picture of an actor's clip.
type seen struct {
	actor
	path  string
	boxes []liveproof.Box
	width int
}

func castOf(t *testing.T, faces *engine.Faces) (cast []seen) {
	t.Helper()
	for _, a := range actors {
		s := seen{actor: a, path: shared(t, "media/"+a.clip)}
		file, err := media.OpenFile(media.DefaultConfig(), s.path)
		require.NoError(t, err)
		stream := faces.Follow()
		for n := 0; ; n++ {
			p, err := file.Next(t.Context())
			if err != nil {
				break
			}
			if n%10 == 0 {
				img, err := p.RGB(faces.Pool())
				require.NoError(t, err)
				d, err := stream.Detect(t.Context(), img, p.Time(), true)
				require.NoError(t, err)
				var box liveproof.Box
				if d.Primary >= 0 {
					box = d.Faces[d.Primary].Box
				}
				s.boxes, s.width = append(s.boxes, box), img.Width
				img.Release()
			}
			p.Release()
		}
		require.NoError(t, file.Close())
		cast = append(cast, s)
	}
	return cast
}

// splice says how one person takes another's place.
type splice struct {
	from, to seen
	at       float64 // seconds into the clip
	fade     float64 // seconds; 0 is a hard cut
	aligned  bool    // both faces at one place and of one size
	still    bool    // the other person is a photograph
	codec    liveproof.Codec
}

func (s splice) kind() string {
	kind := "cut"
	if s.fade > 0 {
		kind = fmt.Sprintf("fade %.1f s", s.fade)
	}
	if s.still {
		kind += " to a still"
	}
	if s.aligned {
		kind += ", aligned"
	}
	return kind
}

// place is where a face is put in a picture of 640×480: its centre and its longer side.
type place struct{ x, y, size float64 }

func somewhere(r *rand.Rand) place {
	return place{x: 320 + 160*(r.Float64()-.5), y: 235 + 60*(r.Float64()-.5), size: 130 + 70*r.Float64()}
}

// input is ffmpeg's input and filters for seconds of an actor from a picture on, with the face at a place.
func (s seen) input(from int, seconds float64, at place, still bool) (args []string, filter string) {
	b := s.boxes[min(from/10, len(s.boxes)-1)]
	k := at.size / math.Max(float64(b.Width()), float64(b.Height()))
	cx, cy := float64(b.X1+b.X2)/2*k, float64(b.Y1+b.Y2)/2*k
	last := from + int(math.Ceil(seconds*30)) + 1
	freeze := ""
	if still {
		last, freeze = from+1, fmt.Sprintf("loop=loop=-1:size=1:start=0,trim=end_frame=%d,", int(seconds*30))
	}
	if strings.HasSuffix(s.path, ".mjpeg") {
		args = []string{"-f", "mjpeg", "-r", "30"}
	}
	return append(args, "-i", s.path), fmt.Sprintf("fps=30,trim=start_frame=%d:end_frame=%d,%ssetpts=N/30/TB,scale=%d:-2,pad=iw+1280:ih+960:640:480,"+
		"crop=640:480:%d:%d,setsar=1,format=yuv420p", from, last, freeze, int(float64(s.width)*k/2)*2, 640+int(cx-at.x), 480+int(cy-at.y))
}

// film makes the clip of a splice and encodes it as a publisher would.
func (s splice) film(t *testing.T, r *rand.Rand) string {
	t.Helper()
	at := place{320, 235, 170}
	to := at
	if !s.aligned {
		at, to = somewhere(r), somewhere(r)
	}
	one, two := s.at+s.fade, 2.2+s.fade
	room := func(a seen, seconds float64) int {
		end := len(a.boxes)*10 - 20
		if a.last > 0 {
			end = a.last
		}
		return a.first + r.IntN(max(1, end-a.first-int(seconds*30)))
	}
	args, first := s.from.input(room(s.from, one), one, at, false)
	more, second := s.to.input(room(s.to, two), two, to, s.still)
	join := "concat=n=2"
	if s.fade > 0 {
		join = fmt.Sprintf("xfade=transition=fade:duration=%.3f:offset=%.3f", s.fade, s.at)
	}
	args = append(append(args, more...), "-filter_complex", "[0]"+first+"[a];[1]"+second+"[b];[a][b]"+join)
	return sentClip(t, s.codec, 1_500_000, args...)
}

// sentClip runs ffmpeg with its arguments for input and filters, and encodes the result with package transcode.
func sentClip(t *testing.T, codec liveproof.Codec, bitrate int, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	raw, path := filepath.Join(dir, "raw.mkv"), filepath.Join(dir, "clip.ivf")
	args = append(append([]string{"-v", "error", "-y", "-threads", "1"}, args...), "-fps_mode", "passthrough", "-frames:v", "300", "-an", "-c:v", "ffv1", raw)
	out, err := exec.CommandContext(t.Context(), "ffmpeg", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	cfg := transcode.DefaultConfig()
	cfg.Codec, cfg.Bitrate = codec, bitrate
	to, err := os.Create(path)
	require.NoError(t, err)
	_, err = transcode.File(context.Background(), cfg, raw, to, nil)
	require.NoError(t, err)
	require.NoError(t, to.Close())
	require.NoError(t, os.Remove(raw))
	return path
}

// restartsOf are the times at which the evidence of a judged file began again because the person may be another.
func restartsOf(r engine.Report) (at []time.Duration) {
	track := 0
	for _, s := range r.Samples {
		changed := s.Track != 0 && track != 0 && s.Track != track
		for _, why := range s.Reasons {
			changed = changed || why == liveproof.ReasonFaceChanged || why == liveproof.ReasonSceneCut
		}
		if changed {
			at = append(at, s.T)
		}
		if s.Track != 0 {
			track = s.Track
		}
	}
	return at
}
