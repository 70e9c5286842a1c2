package challenge_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/challenge"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/transcode"
)

// go test ./challenge -run TestStudy -study DIR -timeout 3h writes the trials that docs/challenge.md plots.
var study = flag.String("study", "", "a folder for the study's results; without it the study is left out")

// recorded is a picture of a clip, with the face in it.
type recorded struct {
	t    time.Duration
	img  *liveproof.Image
	face liveproof.Face
}

// clip is up to longest of a recording.
type clip struct {
	name     string
	pictures []recorded
}

const longest = 5500 * time.Millisecond

// clips reads the people of the shared media.
func clips(t *testing.T) []clip {
	t.Helper()
	return clipsOf(t, []string{"person_[ABC]_*.mjpeg", "people/*.mp4", "asl_*.mkv"}, halved)
}

// taken keeps a decoded picture, in the size of the study.
type taken func(at time.Duration, img *liveproof.Image, face liveproof.Face) recorded

func clipsOf(t *testing.T, patterns []string, take taken) (all []clip) {
	t.Helper()
	folder := os.Getenv("LIVEPROOF_SHARED")
	if folder == "" {
		t.Skip("LIVEPROOF_SHARED names no folder with the clips")
	}
	faces, err := engine.OpenFaces(engine.DefaultConfig(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, faces.Close()) })
	for _, pattern := range patterns {
		paths, err := filepath.Glob(filepath.Join(folder, "media", pattern))
		require.NoError(t, err)
		for _, path := range paths {
			if c := read(t, faces, path, take); len(c.pictures) >= 40 {
				all = append(all, c)
			}
		}
	}
	require.NotEmpty(t, all)
	return all
}

// read decodes a clip up to the first longest, or to where its face is lost.
func read(t *testing.T, faces *engine.Faces, path string, take taken) clip {
	t.Helper()
	file, err := media.OpenFile(media.DefaultConfig(), path)
	require.NoError(t, err)
	defer file.Close()
	follow := faces.Follow()
	c := clip{name: filepath.Base(path)}
	for {
		picture, err := file.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return c
		}
		require.NoError(t, err)
		at := picture.Time()
		img, err := picture.RGB(faces.Pool())
		require.NoError(t, err)
		picture.Release()
		d, err := follow.Detect(t.Context(), img, at, false)
		require.NoError(t, err)
		if d.Primary < 0 || at > longest {
			return c
		}
		c.pictures = append(c.pictures, take(at, img, d.Faces[d.Primary]))
		img.Release()
	}
}

// halved is a picture of half the width and height, which is enough for colours and a quarter of the work.
func halved(at time.Duration, img *liveproof.Image, face liveproof.Face) recorded {
	out := liveproof.NewImage(img.Width/2, img.Height/2)
	for y := range out.Height {
		for i := range 3 * out.Width {
			from := 2*y*img.Stride + 6*(i/3) + i%3
			p := img.Pix[from:]
			sum := int(p[0]) + int(p[3]) + int(p[img.Stride]) + int(p[img.Stride+3])
			out.Pix[y*out.Stride+i] = uint8((sum + 2) / 4)
		}
	}
	b := face.Box
	half := liveproof.Face{Box: liveproof.Box{X1: b.X1 / 2, Y1: b.Y1 / 2, X2: b.X2 / 2, Y2: b.Y2 / 2}, Landmarks: &liveproof.Landmarks{}}
	for i, p := range face.Landmarks {
		half.Landmarks[i] = liveproof.Point{X: p.X / 2, Y: p.Y / 2}
	}
	return recorded{at, out, half}
}

// at is the picture of time t. A clip that is too short goes on backward, and forward again.
func (c clip) at(t time.Duration) recorded {
	last := c.pictures[len(c.pictures)-1].t
	turn := t % (2 * last)
	if turn > last {
		turn = 2*last - turn
	}
	best := c.pictures[0]
	for _, p := range c.pictures {
		if p.t <= turn {
			best = p
		}
	}
	return best
}

// outcome is a line of the study.
type outcome struct {
	Clip       string  `json:"clip"`
	Share      float64 `json:"share"`
	Behind     float64 `json:"behind"`
	Lag        float64 `json:"lag"`
	Codec      string  `json:"codec"`
	Passed     bool    `json:"passed"`
	Likelihood float64 `json:"likelihood"`
	Judged     bool    `json:"judged"`
	T          float64 `json:"t"`
}

// session asks an examiner, shows it the clip in the light of what it asked, and returns the first answer.
func session(t *testing.T, c clip, s scene, seed uint64, codec liveproof.Codec) outcome {
	t.Helper()
	cfg := challenge.DefaultConfig()
	cfg.Attempts = 1
	var secret challenge.Seed
	secret[0], secret[1], secret[2] = byte(seed), byte(seed>>8), byte(seed>>16)
	flash, err := challenge.NewFlash(cfg, secret, challenge.Options{})
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(seed, 2))
	cam := &camera{scene: s, random: random}
	o := outcome{Clip: c.name, Share: s.share, Behind: s.behind, Lag: s.lag.Seconds(), Codec: string(codec)}
	phase := time.Duration(random.Int64N(int64(40 * time.Millisecond)))
	var asked *liveproof.Challenge
	var begins time.Duration
	show := func(at time.Duration, img *liveproof.Image, face liveproof.Face) bool {
		found, err := flash.Examine(context.Background(), liveproof.View{T: at, Image: img, Face: face, Track: 1})
		require.NoError(t, err)
		if found.Ask != nil {
			asked, begins = found.Ask, at+found.Ask.Begin
		}
		if l, judged := found.Signals["flash.likelihood"]; judged {
			o.Likelihood, o.Judged, o.Passed, o.T = l, true, len(found.Given) > 0, at.Seconds()
		}
		return o.Judged
	}
	if codec == "" {
		for at := phase; at < 7*time.Second; at += 200 * time.Millisecond {
			p := c.at(at)
			if show(at, compressed(cam.shoot(at, p.img, p.face, screenAt(asked, at-begins-s.lag)), 80), p.face) {
				break
			}
		}
		return o
	}
	ask(t, show, c, &asked)
	film := encoded(t, c, cam, codec, func(at time.Duration) [3]float64 { return screenAt(asked, at-begins-s.lag) })
	for i := 18; i < len(film); i += 5 {
		at := time.Duration(i) * 40 * time.Millisecond
		if show(at, film[i], c.at(at).face) {
			break
		}
	}
	return o
}

// ask shows pictures without light until the challenge is asked.
func ask(t *testing.T, show func(time.Duration, *liveproof.Image, liveproof.Face) bool, c clip, asked **liveproof.Challenge) {
	t.Helper()
	for at := time.Duration(0); *asked == nil; at += 200 * time.Millisecond {
		p := c.at(at)
		show(at, p.img, p.face)
	}
}

// filmed renders pictures of the clip that are a step apart and encodes them as a publisher does, to a file.
func filmed(t *testing.T, c clip, cam *camera, pictures int, step time.Duration, cfg transcode.Config, screen func(time.Duration) [3]float64) string {
	t.Helper()
	dir := t.TempDir()
	var jpegs []byte
	for i := range pictures {
		at := time.Duration(i) * step
		p := c.at(at)
		jpegs = append(jpegs, jpegOf(cam.shoot(at, p.img, p.face, screen(at)), 95)...)
	}
	source, coded := filepath.Join(dir, "lit.mjpeg"), filepath.Join(dir, "lit.ivf")
	require.NoError(t, os.WriteFile(source, jpegs, 0o600))
	to, err := os.Create(coded)
	require.NoError(t, err)
	_, err = transcode.File(t.Context(), cfg, source, to, nil)
	require.NoError(t, err)
	require.NoError(t, to.Close())
	return coded
}

// encoded is what such a film shows.
func encoded(t *testing.T, c clip, cam *camera, codec liveproof.Codec, screen func(time.Duration) [3]float64) (film []*liveproof.Image) {
	t.Helper()
	cfg := transcode.DefaultConfig()
	cfg.Codec, cfg.Bitrate = codec, 300_000
	file, err := media.OpenFile(media.DefaultConfig(), filmed(t, c, cam, 140, 40*time.Millisecond, cfg, screen))
	require.NoError(t, err)
	defer file.Close()
	var pool liveproof.ImagePool
	for {
		picture, err := file.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return film
		}
		require.NoError(t, err)
		img, err := picture.RGB(&pool)
		require.NoError(t, err)
		picture.Release()
		film = append(film, img)
	}
}

// screenAt is the light of the screen t after the challenge's beginning, 1 for white; grey before it and without one.
func screenAt(c *liveproof.Challenge, t time.Duration) (light [3]float64) {
	grey := fromSRGB[155]
	if c == nil {
		return [3]float64{grey, grey, grey}
	}
	last := c.Colours[0]
	for _, next := range c.Colours {
		if next.At > t {
			part := max(0, float64(t-last.At)) / max(1, float64(next.At-last.At))
			mix := func(a, b uint8) float64 { return fromSRGB[uint8(float64(a)+part*(float64(b)-float64(a)))] }
			return [3]float64{mix(last.R, next.R), mix(last.G, next.G), mix(last.B, next.B)}
		}
		last = next
	}
	return [3]float64{fromSRGB[last.R], fromSRGB[last.G], fromSRGB[last.B]}
}

// TestStudy renders sessions at many levels of the screen's light, with and without a video encoder, and lets recordings guess.
func TestStudy(t *testing.T) {
	if *study == "" {
		t.Skip("the study needs -study DIR")
	}
	all := clips(t)
	for _, c := range all {
		t.Log(c.name, len(c.pictures), c.pictures[len(c.pictures)-1].t)
	}
	t.Run("guesses", func(t *testing.T) { guesses(t, all) })
	t.Run("encoders", func(t *testing.T) {
		sessions(t, all[:6], 1, liveproof.CodecVP8)
		sessions(t, all[:6], 1, liveproof.CodecH264)
	})
	t.Run("light", func(t *testing.T) { sessions(t, all, 4, "") })
}

func sessions(t *testing.T, all []clip, rounds int, codec liveproof.Codec) {
	shares := []float64{0, 0.03, 0.06, 0.12, 0.25, 0.5, 1}
	if codec != "" {
		shares = []float64{0.12, 0.35}
	}
	random := rand.New(rand.NewPCG(11, 3))
	seed := uint64(0)
	for round := range rounds {
		for _, share := range shares {
			for _, c := range all {
				seed++
				s := scene{
					share: share, behind: []float64{0.05, 0.3}[round%2], lag: time.Duration(100+random.IntN(400)) * time.Millisecond,
					exposure: 400 * time.Millisecond, balance: 2 * time.Second, noise: 0.01,
				}
				save(t, "sessions.jsonl", session(t, c, s, seed, codec))
			}
		}
	}
}

// guesses scores the clips as they are against sequences that they never saw.
func guesses(t *testing.T, all []clip) {
	const perWindow = 2000
	cfg := challenge.DefaultConfig()
	random := rand.New(rand.NewPCG(12, 4))
	trials, passed := 0, 0
	for _, c := range all {
		for window := range 12 {
			var r challenge.Readings
			for at := time.Duration(window) * 37 * time.Millisecond; at < 5*time.Second; at += 200 * time.Millisecond {
				p := c.at(at + time.Duration(window)*100*time.Millisecond)
				r.Add(at, p.img, p.face)
			}
			n := r.Guesses(cfg, time.Second, perWindow, random)
			trials, passed = trials+perWindow, passed+n
			save(t, "guesses.jsonl", map[string]any{"clip": c.name, "window": window, "trials": perWindow, "passed": n})
		}
	}
	t.Logf("%d of %d guesses pass", passed, trials)
}

func save(t *testing.T, name string, line any) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(*study, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	b, err := json.Marshal(line)
	require.NoError(t, err)
	_, err = fmt.Fprintln(f, string(b))
	require.NoError(t, err)
	require.NoError(t, f.Close())
}
