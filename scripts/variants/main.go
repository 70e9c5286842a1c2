// Command variants makes presentations from a clip of a person: stills that are moved, bent or given noise, loops, altered
// recordings, swaps, and the look of prints and screens (package internal/variants). Each becomes an IVF file that is encoded as a live
// publisher would have encoded it; variants.csv lists them as `liveproof evaluate --csv` reads it.
//
//	go run ./scripts/variants --clip A.mjpeg --other B.mjpeg --out variants --codec H264 --bitrate 1000000
//	go run ./scripts/variants --clip A.mjpeg --other B.mjpeg --out variants --sheet    # a PNG picture of each in place of videos
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/internal/variants"
	"github.com/liveproof/liveproof/internal/variants/load"
	"github.com/liveproof/liveproof/transcode"
)

type settings struct {
	clip, other, out, names, codec string
	bitrate                        int
	rate                           float64
	length, at                     time.Duration
	seed                           uint64
	sheet, list                    bool
}

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, flags())
	stop()
	if err != nil {
		log.Fatal("variants: ", err)
	}
}

func flags() (s settings) {
	flag.StringVar(&s.clip, "clip", "", "video or portrait of the person")
	flag.StringVar(&s.other, "other", "", "video or portrait of another person, to whom swaps change (default: the clip)")
	flag.StringVar(&s.out, "out", "", "folder to write to")
	flag.StringVar(&s.names, "names", "", "variants to make, separated by commas (default: all; --list names them)")
	flag.StringVar(&s.codec, "codec", string(liveproof.CodecVP8), "VP8 or H264")
	flag.IntVar(&s.bitrate, "bitrate", 1_500_000, "bit/s")
	flag.Float64Var(&s.rate, "rate", 30, "pictures a second at most")
	flag.DurationVar(&s.length, "length", 6*time.Second, "length of each variant")
	flag.DurationVar(&s.at, "at", time.Second, "time in the clip of the picture that stills show")
	flag.Uint64Var(&s.seed, "seed", 1, "of random numbers: the same seed gives the same pictures")
	flag.BoolVar(&s.sheet, "sheet", false, "write a PNG picture with six moments of each variant in place of videos")
	flag.BoolVar(&s.list, "list", false, "print the variants and end")
	flag.Parse()
	return s
}

func run(ctx context.Context, s settings) error {
	list, err := chosen(s.names)
	if err != nil {
		return err
	}
	if s.list {
		for _, v := range list {
			fmt.Printf("%-20s %-12s shows %s\n", v.Name, v.Kind, v.Shows)
		}
		return nil
	}
	if s.clip == "" || s.out == "" {
		return errors.New("--clip and --out are needed; --help explains them")
	}
	material, err := gather(ctx, s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	return makeAll(ctx, s, material, list)
}

func chosen(names string) ([]variants.Variant, error) {
	if names == "" {
		return variants.All(), nil
	}
	var list []variants.Variant
	for name := range strings.SplitSeq(names, ",") {
		v, err := variants.Find(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func gather(ctx context.Context, s settings) (m variants.Material, err error) {
	format := load.Camera()
	format.Rate = s.rate
	person, err := load.Clip(ctx, s.clip, format)
	if err != nil {
		return m, err
	}
	other := person
	if s.other != "" {
		if other, err = load.Clip(ctx, s.other, format); err != nil {
			return m, err
		}
	}
	faces, err := engine.OpenFaces(engine.DefaultConfig(), slog.New(slog.DiscardHandler))
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, faces.Close()) }()
	if len(person.Pictures) == 1 {
		s.at = 0
	}
	return load.Material(ctx, faces, person, other, s.at)
}

func makeAll(ctx context.Context, s settings, m variants.Material, list []variants.Variant) error {
	subject := strings.TrimSuffix(filepath.Base(s.clip), filepath.Ext(s.clip))
	rows := [][]string{{"filename", "subject", "attack_type", "instrument", "shows", "codec", "bitrate"}}
	for i, v := range list {
		fmt.Fprintf(os.Stderr, "\r%d of %d: %-24s", i+1, len(list), v.Name)
		sequence, err := v.Make(m, s.length, s.seed)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%s_%s_%s_%dk.ivf", subject, v.Name, s.codec, s.bitrate/1000)
		if s.sheet {
			err = writeSheet(filepath.Join(s.out, fmt.Sprintf("%s_%s.png", subject, v.Name)), sequence)
		} else {
			err = writeVideo(ctx, s, filepath.Join(s.out, name), sequence)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
		rows = append(rows, []string{name, subject, attack(v), v.Name, string(v.Shows), s.codec, fmt.Sprint(s.bitrate)})
	}
	fmt.Fprintln(os.Stderr)
	if s.sheet {
		return nil
	}
	return writeTable(filepath.Join(s.out, "variants.csv"), rows)
}

// attack is the species of a variant, empty for a person before a camera.
func attack(v variants.Variant) string {
	if v.Shows == variants.ShowsPerson {
		return ""
	}
	return string(v.Kind)
}

func writeVideo(ctx context.Context, s settings, path string, from *variants.Sequence) (err error) {
	cfg := transcode.DefaultConfig()
	cfg.Codec, cfg.Bitrate = liveproof.Codec(s.codec), s.bitrate
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = transcode.Pictures(ctx, cfg, from, from.Rate(), file)
	return err
}

// writeTable adds to the rows of earlier runs those of this one, which take the place of rows with the same file.
func writeTable(path string, rows [][]string) (err error) {
	if earlier, err := os.Open(path); err == nil {
		old, err := csv.NewReader(earlier).ReadAll()
		earlier.Close() //nolint:errcheck // it was only read
		if err != nil {
			return err
		}
		for _, row := range old[min(1, len(old)):] {
			if !slices.ContainsFunc(rows, func(r []string) bool { return r[0] == row[0] }) {
				rows = append(rows, row)
			}
		}
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return csv.NewWriter(file).WriteAll(rows)
}

// writeSheet shows six moments, evenly spread, at half the size.
func writeSheet(path string, from *variants.Sequence) (err error) {
	const columns, rows = 3, 2
	first := from.Image(0)
	w, h := first.Width/2, first.Height/2
	sheet := image.NewRGBA(image.Rect(0, 0, columns*w, rows*h))
	for k := range columns * rows {
		img := from.Image(k * (from.Len() - 1) / (columns*rows - 1))
		at := image.Pt(k%columns*w, k/columns*h)
		draw.Draw(sheet, image.Rectangle{at, at.Add(image.Pt(w, h))}, half{img}, image.Point{}, draw.Src)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return png.Encode(file, sheet)
}

// half shows every second pixel of a picture.
type half struct{ *liveproof.Image }

func (h half) ColorModel() color.Model { return color.RGBAModel }

func (h half) Bounds() image.Rectangle { return image.Rect(0, 0, h.Width/2, h.Height/2) }

func (h half) At(x, y int) color.Color {
	p := h.Pix[2*y*h.Stride+6*x:][:3]
	return color.RGBA{p[0], p[1], p[2], 255}
}
