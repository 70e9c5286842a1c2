package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/configs"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/evaluation/metrics"
)

// watching are two engines that differ only in the face embedder.
func watching(t *testing.T) map[string]*engine.Engine {
	t.Helper()
	needRuntime(t)
	shared(t, "models/retinaface_mobilenet025.onnx")
	shared(t, "models/face_embedding_112.onnx")
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed (make setup)")
	}
	without := filepath.Join(t.TempDir(), "models.yaml")
	require.NoError(t, os.WriteFile(without, bytes.Replace(configs.Models(), []byte("file: face_embedding_112.onnx"), []byte("file: absent.onnx"), 1), 0o600))
	model, err := filepath.Abs("../../scorer/testdata/tiny.onnx")
	require.NoError(t, err)
	engines := map[string]*engine.Engine{}
	for name, catalogue := range map[string]string{"embedder": "", "none": without} {
		cfg := engine.DefaultConfig()
		cfg.ONNX.Provider = "cpu"
		cfg.Scorer.Model, cfg.Models.Catalog = model, catalogue
		e, err := engine.Open(t.Context(), cfg, engine.Deps{Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		done := make(chan struct{})
		go func() { defer close(done); _ = e.Run(t.Context()) }()
		<-e.Started()
		t.Cleanup(func() { <-done; require.NoError(t, e.Close()) })
		engines[name] = e
	}
	return engines
}

// measured is where a thorough run writes what it measured; see docs/adr/0014-identity.md.
func measured(t *testing.T, name string, header ...string) func(row ...any) {
	t.Helper()
	dir := os.Getenv("IDENTITY_OUT")
	if dir == "" {
		return func(...any) {}
	}
	file, err := os.Create(filepath.Join(dir, name))
	require.NoError(t, err)
	w := csv.NewWriter(file)
	require.NoError(t, w.Write(header))
	t.Cleanup(func() { require.NoError(t, file.Close()) })
	return func(row ...any) {
		var fields []string
		for _, v := range row {
			fields = append(fields, fmt.Sprint(v))
		}
		require.NoError(t, w.Write(fields))
		w.Flush()
	}
}

// partOf is the share of the rows that IDENTITY_PART names, "2/3" for every third one from the second; all without it.
func partOf[T any](t *testing.T, rows []T) (part []T) {
	t.Helper()
	var nth, of int
	named := os.Getenv("IDENTITY_PART")
	if named == "" {
		return rows
	}
	_, err := fmt.Sscanf(named, "%d/%d", &nth, &of)
	require.NoError(t, err, "IDENTITY_PART")
	require.True(t, 1 <= nth && nth <= of, "IDENTITY_PART")
	for i := nth - 1; i < len(rows); i += of {
		part = append(part, rows[i])
	}
	return part
}

// splicesOf pairs all people, those on whom thresholds were chosen among themselves and the others among themselves, in a random order.
func splicesOf(cast []seen, r *rand.Rand) (all []splice) {
	for _, from := range cast {
		for _, to := range cast {
			if from.who == to.who || from.chosen != to.chosen {
				continue
			}
			for _, fade := range []float64{0, 0, 0.2, 0.5, 1} {
				for _, aligned := range []bool{true, false} {
					all = append(all, splice{from: from, to: to, fade: fade, aligned: aligned})
				}
			}
			all = append(all, splice{from: from, to: to, aligned: true, still: true})
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i := range all {
		all[i].at = 0.9 + 0.9*r.Float64()
		all[i].codec = []liveproof.Codec{liveproof.CodecVP8, liveproof.CodecH264}[i%2]
	}
	return all
}

// TestAnotherPersonRestarts: one filmed person takes another's place, through an encoder and the whole pipeline. The evidence must start
// again within 0.4 s of a cut, and within 1 s of the end of a fade.
func TestAnotherPersonRestarts(t *testing.T) {
	t.Parallel()
	engines := watching(t)
	r := rand.New(rand.NewPCG(14, 1))
	splices := partOf(t, fewOf(splicesOf(castOf(t, engines["none"].Faces), r), 6))
	row := measured(t, "swaps.csv", "embedder", "half", "kind", "codec", "from", "to", "at", "fade", "delay")
	tallies := map[string]*metrics.Proportion{}
	for i, s := range splices {
		path := s.film(t, r)
		for name, e := range engines {
			report, err := e.JudgeFile(t.Context(), path, engine.As(liveproof.ModeCall))
			require.NoError(t, err)
			delay := noticed(report, s)
			seen := delay <= limitOf(s)
			row(name, map[bool]string{true: "chosen", false: "report"}[s.from.chosen], s.kind(), s.codec, s.from.who, s.to.who, s.at, s.fade, delay.Seconds())
			for _, key := range []string{name, name + " " + s.kind()} {
				if tallies[key] == nil {
					tallies[key] = &metrics.Proportion{}
				}
				tallies[key].Of++
				if seen {
					tallies[key].Count++
				}
			}
			if !seen {
				t.Logf("%d with %s: %s, %s, %s → %s at %.2f s: %v", i, name, s.kind(), s.codec, s.from.who, s.to.who, s.at, delay)
			}
		}
		require.NoError(t, os.Remove(path))
	}
	for key, p := range tallies {
		t.Logf("%-40s %s", key, shareOf(t, *p))
	}
	require.GreaterOrEqual(t, tallies["embedder"].Rate(), 0.99)
	require.GreaterOrEqual(t, tallies["none"].Rate(), 0.98)
}

// limitOf is within which time after the other person is alone in the picture the evidence must have begun again.
func limitOf(s splice) time.Duration {
	if s.fade > 0 {
		return time.Second
	}
	return 400 * time.Millisecond
}

// noticed is the time from when the other person is alone in the picture to the first restart after half of the change; an hour if there is none.
func noticed(r engine.Report, s splice) time.Duration {
	begin, end := time.Duration((s.at+s.fade/2)*float64(time.Second)), time.Duration((s.at+s.fade)*float64(time.Second))
	for _, at := range restartsOf(r) {
		if at >= begin-20*time.Millisecond {
			return at - end
		}
	}
	return time.Hour
}

func shareOf(t *testing.T, p metrics.Proportion) string {
	t.Helper()
	i, err := p.ClopperPearson(0.95)
	require.NoError(t, err)
	return fmt.Sprintf("%d/%d = %.1f %% [%.1f, %.1f]", p.Count, p.Of, 100*p.Rate(), 100*i.Low, 100*i.High)
}

// disturbance is a filter of ffmpeg, a bitrate, and a codec.
type disturbance struct {
	name, filter string
	bitrate      int
	codec        liveproof.Codec
}

// disturbances change how one person looks without changing the person.
var disturbances = []disturbance{
	{"gain steps", "eq=contrast='1-0.45*gt(mod(t,2),1)':eval=frame", 1_500_000, liveproof.CodecVP8},
	{"colour of a screen in steps", "eq=gamma_r='1+0.35*eq(mod(floor(t/0.7),3),0)':gamma_g='1+0.35*eq(mod(floor(t/0.7),3),1)':gamma_b='1+0.35*eq(mod(floor(t/0.7),3),2)':eval=frame", 1_500_000, liveproof.CodecH264},
	{"H.264, 300 kbit/s", "null", 300_000, liveproof.CodecH264},
	{"losses", "select='not(between(mod(t,2),1.2,1.6))'", 1_500_000, liveproof.CodecVP8},
	{"gain ramp", "eq=contrast='1-0.4*sin(PI*t/2)*sin(PI*t/2)':eval=frame", 1_500_000, liveproof.CodecH264},
	{"gamma steps", "eq=gamma='1+0.6*gt(mod(t,2),1)':eval=frame", 1_500_000, liveproof.CodecVP8},
	{"gamma ramp", "eq=gamma='1+0.7*sin(PI*t/3)*sin(PI*t/3)':eval=frame", 1_500_000, liveproof.CodecVP8},
	{"colour ramp", "eq=gamma_r='1+0.4*sin(PI*t/3)':gamma_b='1-0.4*sin(PI*t/3)':eval=frame", 1_500_000, liveproof.CodecH264},
	{"camera's flash", "eq=brightness='0.35*lt(mod(t,1.7),0.07)':eval=frame", 1_500_000, liveproof.CodecVP8},
	{"VP8, 200 kbit/s", "null", 200_000, liveproof.CodecVP8},
	{"as it is", "null", 1_500_000, liveproof.CodecH264},
}

// edits are the cuts that the published clips have, in pictures; a restart within half a second of one is no mistake.
var edits = map[string][]int{"person_A_640x480.mjpeg": {77, 143, 267}, "person_C_640x480.mjpeg": {242}}

// TestOnePersonKeepsEvidence: no change of light and no encoder starts the evidence again.
func TestOnePersonKeepsEvidence(t *testing.T) {
	t.Parallel()
	engines := watching(t)
	row := measured(t, "people.csv", "embedder", "disturbance", "clip", "seconds", "restarts", "edits", "lost")
	clips := []string{"person_B_640x480.mjpeg", "people/person_d19.mp4", "person_C_640x480.mjpeg", "person_A_640x480.mjpeg", "headpose_640x480.mjpeg",
		"people/person_d13.mp4", "people/person_d6.mp4", "people/person_d9.mp4", "people/person_s18.mp4", "asl_again.mkv", "asl_please.mkv", "asl_walk.mkv",
		"asl_brother.mkv", "asl_bird.mkv", "asl_book.mkv"}
	minutes, falsely, lost := map[string]float64{}, map[string]int{}, map[string]int{}
	for _, s := range partOf(t, fewOf(scenesOf(clips), 3)) {
		path := s.film(t)
		for name, e := range engines {
			report, err := e.JudgeFile(t.Context(), path, engine.As(liveproof.ModeCall))
			require.NoError(t, err)
			wrong, edited := splitEdits(restartsOf(report), edits[s.clip])
			wrong, gone := splitLost(report, wrong)
			took := report.Samples[len(report.Samples)-1].T
			row(name, s.name, s.clip, took.Seconds(), len(wrong), len(edited), len(gone))
			minutes[name] += took.Minutes()
			falsely[name] += len(wrong)
			lost[name] += len(gone)
			if len(wrong)+len(gone) > 0 {
				t.Logf("with %s: %s, %s: restarts at %v; after no face was found at %v", name, s.name, s.clip, wrong, gone)
			}
		}
		require.NoError(t, os.Remove(path))
	}
	for name, n := range falsely {
		t.Logf("%-10s %d false restarts in %s minutes, and %d after no face was found", name, n, strconv.FormatFloat(minutes[name], 'f', 1, 64), lost[name])
	}
	// What was measured is in docs/adr/0014-identity.md: without an embedder, hands before the face cost evidence.
	require.LessOrEqual(t, float64(falsely["embedder"]), 1+minutes["embedder"]/10)
	require.LessOrEqual(t, float64(falsely["none"]), 3+3*minutes["none"])
}

// disturbedClip is one person's clip with one disturbance.
type disturbedClip struct {
	disturbance
	clip string
}

// scenesOf joins each clip with each disturbance, in a random order.
func scenesOf(clips []string) (all []disturbedClip) {
	for _, d := range disturbances {
		for _, clip := range clips {
			all = append(all, disturbedClip{d, clip})
		}
	}
	r := rand.New(rand.NewPCG(14, 2))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func (d disturbedClip) film(t *testing.T) string {
	args := []string{"-i", shared(t, "media/"+d.clip)}
	if filepath.Ext(d.clip) == ".mjpeg" {
		args = append([]string{"-f", "mjpeg", "-r", "25"}, args...)
	}
	return sentClip(t, d.codec, d.bitrate, append(args, "-vf", "scale='min(640,iw)':-2,"+d.filter+",format=yuv420p")...)
}

// splitLost tells the restarts before which no face was found in a sample, as when a head is turned away, from the others.
func splitLost(r engine.Report, at []time.Duration) (wrong, lost []time.Duration) {
	for _, a := range at {
		i := slices.IndexFunc(r.Samples, func(s liveproof.Sample) bool { return s.T == a })
		if i > 0 && r.Samples[i-1].Track == 0 {
			lost = append(lost, a)
		} else {
			wrong = append(wrong, a)
		}
	}
	return wrong, lost
}

// splitEdits tells the restarts at a clip's own cuts from the others.
func splitEdits(at []time.Duration, cuts []int) (wrong, edited []time.Duration) {
next:
	for _, a := range at {
		for _, cut := range cuts {
			if d := a - time.Duration(cut)*time.Second/25; d > -100*time.Millisecond && d < time.Second {
				edited = append(edited, a)
				continue next
			}
		}
		wrong = append(wrong, a)
	}
	return wrong, edited
}
