package main

import (
	"compress/gzip"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/internal/variants"
	"github.com/liveproof/liveproof/internal/variants/load"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/transcode"
)

// presentation is the samples of one video, with what is known of it.
type presentation struct {
	Subject string // whose pictures it is made from
	Variant string
	Kind    variants.Kind
	Shows   variants.Shows
	Coding  string // codec and bitrate, raw without encoding
	Samples []sample
}

// sample is a view whose picture is cut to the face's surroundings, in grey.
type sample struct {
	T             time.Duration
	Width, Height int // of the picture
	X, Y, W, H    int // of the part that is kept
	Grey          []byte
	Face          liveproof.Face
	Track         int
	Step, Bits    float64 // of the encoding around the face, 0 without
	Reasons       []liveproof.Reason
}

// encodings are those of the measurement; the first is none.
var encodings = []transcode.Config{
	{},
	{Codec: liveproof.CodecVP8, Bitrate: 300_000},
	{Codec: liveproof.CodecVP8, Bitrate: 1_500_000},
	{Codec: liveproof.CodecH264, Bitrate: 300_000},
	{Codec: liveproof.CodecH264, Bitrate: 1_500_000},
}

func named(c transcode.Config) string {
	if c.Codec == "" {
		return "raw"
	}
	return fmt.Sprintf("%s-%dk", c.Codec, c.Bitrate/1000)
}

// collector turns videos into presentations.
type collector struct {
	faces *engine.Faces
	out   string
}

func openCollector(out string) (*collector, error) {
	faces, err := engine.OpenFaces(engine.DefaultConfig(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return &collector{faces, out}, os.MkdirAll(out, 0o755)
}

const (
	length  = 3600 * time.Millisecond // of a variant
	period  = 200 * time.Millisecond
	slowest = 15 // pictures a second of variants of stills: half of the work
)

// people collects the clips themselves, in every encoding.
func (c *collector) people(ctx context.Context, paths []string) error {
	for _, path := range paths {
		format := load.Camera()
		clip, err := load.Clip(ctx, path, format)
		if err != nil {
			return err
		}
		v, _ := variants.Find("person")
		whole := time.Duration(float64(len(clip.Pictures)) / clip.Rate * float64(time.Second))
		for _, e := range encodings {
			m := variants.Material{Person: clip, Other: clip, Face: liveproof.Face{Box: liveproof.Box{X2: 1, Y2: 1}}}
			if err := c.one(ctx, subject(path), v, m, whole, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// files collects videos as they are.
func (c *collector) files(ctx context.Context, paths []string) error {
	for _, path := range paths {
		p := presentation{Subject: subject(path), Variant: subject(path), Kind: "file", Shows: variants.ShowsStill, Coding: "file"}
		file, err := media.OpenFile(media.DefaultConfig(), path)
		if err != nil {
			return err
		}
		p.Samples, err = c.samples(ctx, file)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
		if err := c.keep(p); err != nil {
			return err
		}
	}
	return nil
}

// stills collects the variants of stills of each clip or portrait, each in one of the encodings.
func (c *collector) stills(ctx context.Context, paths []string) error {
	for _, path := range paths {
		format := load.Camera()
		format.Rate, format.Longest = slowest, 3*time.Second
		clip, err := load.Clip(ctx, path, format)
		if err != nil {
			return err
		}
		m, err := load.Material(ctx, c.faces, clip, clip, min(time.Second, time.Duration(len(clip.Pictures)-1)*time.Second/slowest))
		if err != nil {
			fmt.Fprintln(os.Stderr, path, err)
			continue
		}
		for _, v := range variants.All() {
			if v.Shows != variants.ShowsStill || v.Kind == variants.KindStill {
				continue
			}
			e := encodings[hash(path+v.Name)%uint64(len(encodings))]
			if err := c.one(ctx, subject(path), v, m, length, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func subject(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

func (c *collector) one(ctx context.Context, who string, v variants.Variant, m variants.Material, n time.Duration, e transcode.Config) error {
	p := presentation{Subject: who, Variant: v.Name, Kind: v.Kind, Shows: v.Shows, Coding: named(e)}
	if _, err := os.Stat(c.path(p)); err == nil {
		return nil
	}
	fmt.Fprintln(os.Stderr, who, v.Name, p.Coding)
	s, err := v.Make(m, n, hash(who+v.Name))
	if err != nil {
		return err
	}
	if p.Samples, err = c.encoded(ctx, s, e); err != nil {
		return fmt.Errorf("%s %s %s: %w", who, v.Name, p.Coding, err)
	}
	return c.keep(p)
}

// encoded gives the samples of a sequence after an encoding.
func (c *collector) encoded(ctx context.Context, s *variants.Sequence, e transcode.Config) (_ []sample, err error) {
	if e.Codec == "" {
		return c.samples(ctx, s)
	}
	cfg := transcode.DefaultConfig()
	cfg.Codec, cfg.Bitrate = e.Codec, e.Bitrate
	path := filepath.Join(c.out, fmt.Sprintf("clip%d.ivf", os.Getpid()))
	defer os.Remove(path) //nolint:errcheck // a leftover harms nothing
	out, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	_, err = transcode.Pictures(ctx, cfg, s, s.Rate(), out)
	if err := errors.Join(err, out.Close()); err != nil {
		return nil, err
	}
	file, err := media.OpenFile(media.DefaultConfig(), path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return c.samples(ctx, file)
}

// samples takes five pictures a second in which one face is found.
func (c *collector) samples(ctx context.Context, from transcode.Source) (list []sample, err error) {
	stream, next := c.faces.Follow(), time.Duration(0)
	var pool liveproof.ImagePool
	for {
		picture, err := from.Next(ctx)
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		at := picture.Time()
		if at+5*time.Millisecond < next {
			picture.Release()
			continue
		}
		next += period
		img, err := picture.RGB(&pool)
		picture.Release()
		if err != nil {
			return nil, err
		}
		d, err := stream.Detect(ctx, img, at, true)
		if err != nil {
			return nil, err
		}
		if d.Primary >= 0 && len(d.Faces) == 1 {
			list = append(list, c.sample(img, d, at, &pool))
		}
		img.Release()
	}
}

func (c *collector) sample(img *liveproof.Image, d liveproof.Detection, at time.Duration, pool *liveproof.ImagePool) sample {
	face := d.Faces[d.Primary]
	s := sample{T: at, Width: img.Width, Height: img.Height, Face: face, Track: d.Track}
	if crop, err := c.faces.Cropper().Crop(img, face, pool); err == nil {
		s.Reasons = c.faces.Cropper().Assess(img, crop, face).Reasons
		crop.Release()
	}
	if img.Coding != nil {
		s.Step, s.Bits = img.Coding.Quantisers.Around(face.Box, img), img.Coding.Bits
	}
	b := face.Box
	mx, my := 0.6*b.Width(), 0.6*b.Height()
	s.X, s.Y = max(0, int(b.X1-mx)), max(0, int(b.Y1-my))
	s.W, s.H = min(img.Width, int(b.X2+mx))-s.X, min(img.Height, int(b.Y2+my))-s.Y
	for y := range max(0, s.H) {
		row := img.Pix[(s.Y+y)*img.Stride+3*s.X:]
		for x := range max(0, s.W) {
			s.Grey = append(s.Grey, byte((299*int(row[3*x])+587*int(row[3*x+1])+114*int(row[3*x+2])+500)/1000))
		}
	}
	return s
}

func (c *collector) path(p presentation) string {
	return filepath.Join(c.out, fmt.Sprintf("%s_%s_%s.samples", p.Subject, p.Variant, p.Coding))
}

func (c *collector) keep(p presentation) (err error) {
	part := c.path(p) + ".part"
	file, err := os.Create(part)
	if err != nil {
		return err
	}
	zip, _ := gzip.NewWriterLevel(file, gzip.BestSpeed)
	if err := errors.Join(gob.NewEncoder(zip).Encode(p), zip.Close(), file.Close()); err != nil {
		return err
	}
	return os.Rename(part, c.path(p))
}
