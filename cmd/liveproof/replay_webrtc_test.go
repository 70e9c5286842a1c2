package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/publish"
	"github.com/liveproof/liveproof/transcode"
)

// TestReplayOverWebRTC: the whole live system says of a person what the pipeline alone says, over both codecs and both ways of signalling.
func TestReplayOverWebRTC(t *testing.T) {
	t.Parallel()
	clip := shared(t, "media/person_A_640x480.mjpeg")
	direct, code := replay(t, clip)
	require.Equal(t, exitOK, code)
	cache := t.TempDir()
	for _, args := range [][]string{
		{"--codec", "vp8", "--signalling", "whip"},
		{"--codec", "h264", "--signalling", "websocket", "--sessions", "2", "--samples"},
	} {
		lines, code := replay(t, append(args, "--via", "webrtc", "--cache", cache, clip)...)
		require.Equal(t, exitOK, code)
		for _, l := range lines {
			require.Equal(t, clip, l.File)
			require.Empty(t, l.Error)
			require.EqualValues(t, "live", l.Verdict, "%+v", l)
			require.InDelta(t, direct[0].MeanRho, l.MeanRho, .12, "%v", args)
			require.Positive(t, l.Score)
			require.Positive(t, l.DecidedAt)
			w := l.WebRTC
			require.NotEmpty(t, w.Session)
			require.Equal(t, "decided", w.State)
			require.Equal(t, map[string]string{"vp8": "VP8", "h264": "H264"}[args[1]], w.Codec)
			require.Equal(t, args[3], w.Signalling)
			require.Positive(t, w.SecondsToVerdict)
			require.GreaterOrEqual(t, w.Seconds+.1, w.SecondsToVerdict)
			require.GreaterOrEqual(t, w.Sent, l.Frames.Received)
			require.GreaterOrEqual(t, l.Frames.Received, l.Frames.Decoded)
			require.Positive(t, l.Frames.Scored)
			require.Equal(t, len(args) > 4, len(l.Samples) > 0)
		}
		require.Len(t, lines, len(args)/6+1, "a file is sent once for each session")
	}
	kept, err := filepath.Glob(filepath.Join(cache, "*"))
	require.NoError(t, err)
	require.Len(t, kept, 2, "one for each codec, and nothing that was half written")
}

// TestReplayOverWebRTCTellsEveryFile: what cannot be encoded does not stop the others.
func TestReplayOverWebRTCTellsEveryFile(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.mkv")
	require.NoError(t, os.WriteFile(broken, bytes.Repeat([]byte("not a film "), 1000), 0o600))
	nobody := encodeIVF(t, "-f", "lavfi", "-i", "gradients=size=320x240:rate=30:speed=0.02:seed=1,noise=alls=8:allf=t,format=yuv420p", "-t", "1")
	lines, code := replay(t, "--via", "webrtc", "--cache", "", "--sessions", "3", "--mode", "call", broken, nobody)
	require.Equal(t, exitPartial, code)
	require.Len(t, lines, 3, "the file that can be sent is sent twice, the other one is named once")
	require.Equal(t, []string{broken, nobody, nobody}, []string{lines[0].File, lines[1].File, lines[2].File})
	require.Contains(t, lines[0].Error, "unreadable media file")
	for _, l := range lines {
		require.EqualValues(t, "inconclusive", l.Verdict)
	}
	require.EqualValues(t, 30, lines[1].WebRTC.Sent)
	require.EqualValues(t, 30, lines[1].Frames.Decoded)
	require.Zero(t, lines[1].WebRTC.SecondsToVerdict)
}

func TestDamagedFilesAreNamed(t *testing.T) {
	front := filepath.Join(t.TempDir(), "front.mp4") // with its index in front, so that it can be opened once it is cut
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", shared(t, "inputs/hflip.mp4"), "-c", "copy", "-movflags", "+faststart", front).CombinedOutput()
	require.NoError(t, err, "%s", out)
	whole, err := os.ReadFile(front)
	require.NoError(t, err)
	cut := filepath.Join(t.TempDir(), "cut.mp4")
	require.NoError(t, os.WriteFile(cut, whole[:len(whole)*8/10], 0o600))
	lines, code := replay(t, cut)
	require.Equal(t, exitPartial, code)
	require.EqualValues(t, "inconclusive", lines[0].Verdict, "whatever its beginning shows")
	require.Contains(t, lines[0].Error, "cut short")
	require.Positive(t, lines[0].Frames.Decoded)
}

// TestInterruptedReplayJudgesNothingByHalf: a file that SIGTERM cut off is not told as judged.
func TestInterruptedReplayJudgesNothingByHalf(t *testing.T) {
	needRuntime(t)
	clip := shared(t, "media/person_A_640x480.mjpeg")
	whole, _ := replay(t, clip)
	ctx, cancel := context.WithCancel(t.Context())
	root := newRootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&bytes.Buffer{})
	root.SetArgs([]string{"replay", "--json", "--jobs", "1", clip, clip})
	time.AfterFunc(2*time.Second, cancel)
	err := root.ExecuteContext(ctx)
	if ctx.Err() == nil || err == nil {
		t.Skip("this machine is too fast: both files were judged before the interruption")
	}
	require.Equal(t, exitCanceled, exitCode(err))
	for line := range bytes.Lines(out.Bytes()) {
		var l replayLine
		require.NoError(t, json.Unmarshal(line, &l))
		if l.Error == "" {
			require.Equal(t, whole[0].Frames.Decoded, l.Frames.Decoded, "judged to its end")
		} else {
			require.EqualValues(t, "inconclusive", l.Verdict)
		}
	}
}

func TestWrongUsageOfWebRTC(t *testing.T) {
	for _, args := range [][]string{
		{"--via", "pigeon"}, {"--codec", "vp8"}, {"--sessions", "2"}, {"--loss", "0.1"},
		{"--via", "webrtc", "--codec", "av1"}, {"--via", "webrtc", "--bitrate", "fast"}, {"--via", "webrtc", "--bitrate", "1"},
		{"--via", "webrtc", "--sessions", "0"}, {"--via", "webrtc", "--ramp", "-1s"}, {"--via", "webrtc", "--signalling", "smoke"},
		{"--via", "webrtc", "--server", "nowhere"}, {"--via", "webrtc", "--preset", "veryfast"}, {"--via", "webrtc", "--longest-side", "1"},
		{"--via", "webrtc", "--key-frames", "-1s"}, {"--via", "webrtc", "--patience", "-1s"},
	} {
		require.Equal(t, exitUsage, run(t.Context(), append(append([]string{"replay"}, args...), "x.mp4")), "%v", args)
	}
}

func TestBitrateFlag(t *testing.T) {
	for text, want := range map[string]int{"500k": 500_000, "1.5M": 1_500_000, "1500000": 1_500_000, "0": 0, "1M": 1_000_000, "1": 1} {
		var b, again bitrate
		require.NoError(t, b.Set(text))
		require.EqualValues(t, want, b, text)
		require.NoError(t, again.Set(b.String()))
		require.Equal(t, b, again, text)
	}
	for _, text := range []string{"", "k", "-1", "1G", "NaN", "1e30", "Inf"} {
		require.Error(t, new(bitrate).Set(text), text)
	}
}

func TestOrderedWaitsForTheNext(t *testing.T) {
	var got []int
	take := ordered(func(i int) { got = append(got, i) })
	for _, i := range []int{2, 1, 0, 4, 3} {
		take(i, i)
	}
	require.Equal(t, []int{0, 1, 2, 3, 4}, got)
}

func TestRepeatedFiles(t *testing.T) {
	a, b, broken := encodedFile{path: "a"}, encodedFile{path: "b"}, encodedFile{path: "broken", err: errors.New("x")}
	require.Equal(t, []encodedFile{a, broken, b, a, b}, repeated([]encodedFile{a, broken, b}, 5))
	require.Equal(t, []encodedFile{a, b}, repeated([]encodedFile{a, b}, 1))
	require.Equal(t, []encodedFile{broken}, repeated([]encodedFile{broken}, 4))
}

func TestClipStoreEncodesOnce(t *testing.T) {
	source := encodeIVF(t, "-f", "lavfi", "-i", "testsrc=size=160x120:rate=30", "-t", "0.5")
	dir := filepath.Join(t.TempDir(), "new", "folder")
	small := transcode.DefaultConfig()
	small.LongestSide = 80
	paths := map[string]bool{}
	for range 2 {
		for _, cfg := range []transcode.Config{transcode.DefaultConfig(), small} {
			clips, err := openClipStore(dir, cfg)
			require.NoError(t, err)
			path, err := clips.encode(t.Context(), source, func(float64) {})
			require.NoError(t, err)
			paths[path] = true
			one, err := clips.load(path)
			require.NoError(t, err)
			other, err := clips.load(path)
			require.NoError(t, err)
			require.Same(t, one, other, "shared while it is in use")
			require.Equal(t, 15, one.Frames())
			require.NoError(t, clips.close())
		}
	}
	require.Len(t, paths, 2, "one for each setting")
	for path := range paths {
		require.FileExists(t, path)
	}
	temporary, err := openClipStore("", small)
	require.NoError(t, err)
	_, err = temporary.encode(t.Context(), filepath.Join(dir, "absent"), func(float64) {})
	require.ErrorIs(t, err, os.ErrNotExist)
	path, err := temporary.encode(t.Context(), source, func(float64) {})
	require.NoError(t, err)
	require.NoError(t, temporary.close())
	require.NoFileExists(t, path)
}

// TestLoadTakesAnyVideo: load is replay over WebRTC with another output.
func TestLoadTakesAnyVideo(t *testing.T) {
	s := startServer(t)
	source := encodeIVF(t, "-f", "lavfi", "-i", "testsrc=size=160x120:rate=30", "-t", "1")
	summary := filepath.Join(t.TempDir(), "results.jsonl")
	var out bytes.Buffer
	root := newRootCommand()
	root.SetOut(&out)
	root.SetArgs([]string{"load", "--server", s.url, "--api-key", s.key, "--sessions", "2", "--stagger", "50ms", "--codec", "h264",
		"--cache", "", "--append", summary, source})
	require.NoError(t, root.ExecuteContext(t.Context()))
	require.Contains(t, out.String(), `"codec":"H264","sent":30`)
	require.Contains(t, out.String(), "sessions 2, refused 0, scored samples a second: min 0.00 median 0.00\n")
	require.FileExists(t, summary)

	out.Reset()
	root = newRootCommand()
	root.SetOut(&out)
	root.SetArgs([]string{"load", "--server", s.url, "--api-key", s.key, "--chaos", "2", "--sessions", "2", "--leave", "0", "--never-live", "--cache", "", source})
	require.NoError(t, root.ExecuteContext(t.Context()), "%s", &out)
	require.Contains(t, out.String(), "sessions 2: fates map[ended:2], 0 came to another server")
	require.Contains(t, out.String(), "the store has map[inconclusive:2]")
}

// TestLocalServerIsNobodyElses: its addresses and secrets are its own, and what decides about verdicts is the configuration's.
func TestLocalServerIsNobodyElses(t *testing.T) {
	needRuntime(t)
	cfg := DefaultConfig()
	cfg.Ingest.PublicURL, cfg.Store.Redis, cfg.Ops.Listen = "https://example.org", "redis://example.org", "0.0.0.0:9464"
	cfg.WebRTC.PublicIPs = []string{"203.0.113.7"}
	cfg.Verdict.MinSamples = 3
	local := localConfig(cfg)
	require.NoError(t, local.Validate())
	require.Equal(t, cfg.Verdict, local.Verdict)
	require.Empty(t, local.Store.Redis)
	require.Empty(t, local.Ops.Listen)
	failed := errors.New("enough")
	err := withLocalServer(t.Context(), cfg, testWriter{t}, func(ctx context.Context, c publish.Client) error {
		require.Contains(t, c.Server, "http://127.0.0.1:")
		_, err := c.Create(ctx, liveproof.ModeCall)
		require.NoError(t, err)
		c.APIKey = "another-key-of-16"
		_, err = c.Create(ctx, liveproof.ModeCall)
		require.ErrorContains(t, err, "401")
		return failed
	})
	require.ErrorIs(t, err, failed)
}
