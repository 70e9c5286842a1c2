package main

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/motion"
)

const (
	// window is the number of samples of a session, and apart that between the beginnings of two sessions of a clip.
	window, apart = 18, 5
	// fine and steps are the limits that are tried: fine · 2^(k/4).
	fine, steps = 0.05, 36
)

// measure writes a row for each session: when the default limits give the evidence, and the highest limit that does.
func measure(ctx context.Context, dir string, to io.Writer) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*.samples"))
	if err != nil {
		return err
	}
	out := csv.NewWriter(to)
	err = out.Write([]string{"subject", "variant", "kind", "shows", "coding", "start", "scored", "given", "limit", "rigid"})
	for _, path := range paths {
		fmt.Fprintln(os.Stderr, filepath.Base(path))
		p, e := read(path)
		err = errors.Join(err, e, ctx.Err())
		for start := 0; err == nil && start+window <= len(p.Samples); start += apart {
			err = out.Write(p.row(p.Samples[start : start+window]))
		}
	}
	out.Flush()
	return errors.Join(err, out.Error())
}

func read(path string) (p presentation, err error) {
	file, err := os.Open(path)
	if err != nil {
		return p, err
	}
	defer file.Close() //nolint:errcheck // it is only read
	zip, err := gzip.NewReader(file)
	if err != nil {
		return p, err
	}
	return p, gob.NewDecoder(zip).Decode(&p) //nolint:gosec // the collector's own files
}

func (p presentation) row(s []sample) []string {
	views := make([]liveproof.View, len(s))
	scored := 0
	for i := range s {
		views[i] = s[i].view(int64(i))
		if len(s[i].Reasons) == 0 {
			scored++
		}
	}
	given, rigid := judged(views, motion.DefaultConfig().MinResidual)
	low, high := -1, steps // evidence at low, none at high
	for high-low > 1 {
		k := (low + high) / 2
		if at, _ := judged(views, fine*math.Exp2(float64(k)/4)); at >= 0 {
			low = k
		} else {
			high = k
		}
	}
	limit := 0.0
	if low >= 0 {
		limit = fine * math.Exp2(float64(low)/4)
	}
	return []string{
		p.Subject, p.Variant, string(p.Kind), string(p.Shows), p.Coding, fmt.Sprintf("%.1f", s[0].T.Seconds()), fmt.Sprint(scored),
		fmt.Sprintf("%.1f", given.Seconds()), fmt.Sprintf("%.3f", limit), fmt.Sprint(rigid),
	}
}

// metrics are counted nowhere.
var metrics = motion.NewMetrics(nil)

// judged is when the evidence is given, from the session's first view on; -1s if it is not.
func judged(views []liveproof.View, limit float64) (given time.Duration, rigid bool) {
	cfg := motion.DefaultConfig()
	cfg.MinResidual = limit
	e := motion.New(cfg, metrics)
	for _, v := range views {
		f, _ := e.Examine(context.Background(), v) // it returns no error
		rigid = rigid || len(f.Reasons) > 0
		if len(f.Given) > 0 {
			return v.T - views[0].T, rigid
		}
	}
	return -time.Second, rigid
}

// view makes a grey picture of the part of the picture that was kept.
func (s sample) view(seq int64) liveproof.View {
	img := liveproof.NewImage(s.W, s.H)
	for i, g := range s.Grey {
		img.Pix[3*i], img.Pix[3*i+1], img.Pix[3*i+2] = g, g, g
	}
	if s.Step > 0 {
		img.Coding = new(liveproof.Coding)
		for i := range img.Coding.Quantisers {
			img.Coding.Quantisers[i] = float32(s.Step)
		}
	}
	f, dx, dy := s.Face, float32(s.X), float32(s.Y)
	f.Box = liveproof.Box{X1: f.Box.X1 - dx, Y1: f.Box.Y1 - dy, X2: f.Box.X2 - dx, Y2: f.Box.Y2 - dy}
	if f.Landmarks != nil {
		l := *f.Landmarks
		for i := range l {
			l[i].X, l[i].Y = l[i].X-dx, l[i].Y-dy
		}
		f.Landmarks = &l
	}
	return liveproof.View{Seq: seq, T: s.T, Image: img, Face: f, Track: s.Track, Reasons: s.Reasons}
}
