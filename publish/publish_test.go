package publish

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ivfFile builds an IVF file whose frames last scale/rate seconds.
func ivfFile(fourCC string, frames int, rate, scale uint32) []byte {
	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	b.WriteString("DKIF")
	put([]uint16{0, 32})
	b.WriteString(fourCC)
	put([]uint16{16, 16})
	put([]uint32{rate, scale, uint32(frames), 0})
	for i := range frames {
		put(uint32(5))
		put(uint64(i))
		b.Write([]byte{0x10, 0, 0, byte(i), 0xff}) // bit 0 of a VP8 frame's first byte is 0 for a key frame
	}
	return b.Bytes()
}

func TestClipTakesItsPaceFromTheTimestamps(t *testing.T) {
	for _, c := range []struct{ rate, scale uint32 }{{15, 1}, {25, 1}, {1000, 40}, {30000, 1001}} {
		clip, err := readIVF(bytes.NewReader(ivfFile("VP80", 60, c.rate, c.scale)))
		require.NoError(t, err)
		require.Equal(t, 60, clip.Frames())
		require.Equal(t, liveproof.CodecVP8, clip.Codec())
		for i, u := range clip.units {
			require.EqualValues(t, i, u.Data[3])
			require.InDelta(t, float64(i)*float64(c.scale)/float64(c.rate), u.PTS.Seconds(), 1e-8, "%d/%d", c.rate, c.scale)
		}
		require.InDelta(t, 59*float64(c.scale)/float64(c.rate)+lastLength.Seconds(), clip.Duration().Seconds(), 1e-8)
	}
}

func TestReadIVFRefuses(t *testing.T) {
	whole := ivfFile("VP80", 2, 25, 1)
	for says, data := range map[string][]byte{
		"signature":         []byte(strings.Repeat("not a film ", 10)),
		"VP80":              ivfFile("AV01", 1, 25, 1),
		"picture 1":         whole[:len(whole)-1],
		"without a picture": ivfFile("VP80", 0, 25, 1),
	} {
		path := filepath.Join(t.TempDir(), "clip.ivf")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_, err := ReadIVF(path)
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, path)
	}
}

// receiver is a server of the sessions API and WHIP that counts the requests
// and packets that it gets.
type receiver struct {
	*httptest.Server
	t       *testing.T
	refuse  bool  // refuses every offer
	decides int64 // after this many packets; 0: when the client ends the session
	decided atomic.Bool
	asked   atomic.Int64 // how often the metrics were read
	places  atomic.Int64 // free places; offers beyond them are refused
	packets atomic.Int64
	deleted atomic.Int64
	// trickled counts the candidates that came by WebSocket.
	trickled atomic.Int64
	mu       sync.Mutex
	modes    []string
	peers    []*webrtc.PeerConnection
	reading  sync.WaitGroup
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{t: t}
	r.places.Store(1000)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/sessions", r.create)
	mux.HandleFunc("POST /v1/sessions/{id}/whip", r.offer)
	mux.HandleFunc("DELETE /v1/sessions/{id}/whip/{peer}", func(http.ResponseWriter, *http.Request) {
		r.deleted.Add(1)
		r.decided.Store(true)
	})
	mux.HandleFunc("GET /v1/sessions/{id}", r.status)
	mux.HandleFunc("GET /v1/sessions/{id}/signal", r.signals)
	mux.HandleFunc("GET /v1/sessions/{id}/timeline", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"samples":[{"seq":1,"t":0.1,"scored":true,"rho":0.9,"weight":1},
			{"seq":2,"t":0.3,"reasons":["no_face"]},{"seq":3,"t":0.5,"scored":true,"rho":0.6,"weight":0.5}]}`)
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, metricsText, r.asked.Add(1)) })
	r.Server = httptest.NewServer(mux)
	t.Cleanup(r.stop)
	return r
}

func (r *receiver) stop() {
	for _, pc := range r.peers {
		_ = pc.GracefulClose()
	}
	r.reading.Wait()
	http.DefaultClient.CloseIdleConnections()
	r.Close()
}

// metricsText changes with every reading: one CPU second, one scored sample, and ten latencies of 0.1 to 0.2 s more.
const metricsText = `# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total %[1]d.5
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes %[1]d00e6
# TYPE liveproof_pipeline_samples_total counter
liveproof_pipeline_samples_total{result="no_face"} 1%[1]d
liveproof_pipeline_samples_total{result="scored"} %[1]d
# TYPE liveproof_pipeline_latency_seconds histogram
liveproof_pipeline_latency_seconds_bucket{le="0.1"} 7
liveproof_pipeline_latency_seconds_bucket{le="0.2"} %[1]d7
liveproof_pipeline_latency_seconds_bucket{le="+Inf"} %[1]d7
liveproof_pipeline_latency_seconds_sum 1
liveproof_pipeline_latency_seconds_count %[1]d7
`

func (r *receiver) status(w http.ResponseWriter, _ *http.Request) {
	state := liveproof.StateStreaming
	if r.decided.Load() {
		state = liveproof.StateDecided
	}
	_, _ = fmt.Fprintf(w, `{"state":%q,"verdict":"live","score":0.75,"reasons":[],"detector":"haar",
		"frames":{"received":30,"decoded":29,"sampled":7,"scored":6}}`, state)
}

func (r *receiver) create(w http.ResponseWriter, req *http.Request) {
	if req.Header.Get("Authorization") != "Bearer key" {
		http.Error(w, "no such key", http.StatusUnauthorized)
		return
	}
	if r.places.Load() <= 0 {
		full(w)
		return
	}
	var body struct{ Mode string }
	_ = json.NewDecoder(req.Body).Decode(&body)
	r.mu.Lock()
	r.modes = append(r.modes, body.Mode)
	id := fmt.Sprintf("01%c", '@'+len(r.modes)) // 01A, 01B, …
	r.mu.Unlock()
	_, _ = fmt.Fprintf(w, `{"id":%q,"client_token":"token","whip_url":"/v1/sessions/%[1]s/whip","signal_url":"/v1/sessions/%[1]s/signal"}`, id)
}

// full answers like a server without capacity.
func full(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, `{"status":503,"code":"overloaded","detail":"no capacity"}`)
}

func (r *receiver) offer(w http.ResponseWriter, req *http.Request) {
	if r.refuse || req.Header.Get("Authorization") != "Bearer token" {
		http.Error(w, "not wanted", http.StatusForbidden)
		return
	}
	if r.places.Add(-1) < 0 {
		full(w)
		return
	}
	sdp, _ := io.ReadAll(req.Body)
	answer, err := r.accept(string(sdp))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Location", "whip/peer")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer)
}

func (r *receiver) accept(sdp string) (answer string, err error) {
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	r.peers = append(r.peers, pc)
	r.mu.Unlock()
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		r.reading.Go(func() {
			for {
				if _, _, err := track.ReadRTP(); err != nil {
					return
				}
				if r.packets.Add(1) == r.decides {
					r.decided.Store(true)
					go func() { _ = pc.Close() }() // it waits for this goroutine
				}
			}
		})
	})
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}); err != nil {
		return "", err
	}
	local, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(local); err != nil {
		return "", err
	}
	<-gathered
	return pc.LocalDescription().SDP, nil
}

func (r *receiver) client() Client { return Client{Server: r.URL + "/", APIKey: "key"} }

func TestFileIsSentOnceAndEndsItsSession(t *testing.T) {
	r := newReceiver(t)
	path := filepath.Join(t.TempDir(), "clip.ivf")
	require.NoError(t, os.WriteFile(path, ivfFile("VP80", 30, 50, 1), 0o600))
	clip, err := ReadIVF(path)
	require.NoError(t, err)
	got, err := Judge(t.Context(), Options{Client: r.client(), Mode: liveproof.ModeOnboarding}, clip)
	require.NoError(t, err)
	require.GreaterOrEqual(t, got.Seconds, .58, "29 frames of 20 ms in real time")
	require.Equal(t, Result{
		Session: "01A", Seconds: got.Seconds, Sampled: 7, Scored: 6, PerSecond: 6 / got.Seconds, Outcome: liveproof.OutcomeLive,
		State: liveproof.StateDecided, Score: .75, Reasons: []liveproof.Reason{}, Codec: liveproof.CodecVP8, Sent: 30,
		Frames: liveproof.FrameCounts{Received: 30, Decoded: 29, Sampled: 7, Scored: 6}, Detector: "haar",
	}, got)
	require.Positive(t, r.packets.Load())
	require.LessOrEqual(t, r.packets.Load(), int64(30))
	require.EqualValues(t, 1, r.deleted.Load())
	require.Equal(t, []string{"onboarding"}, r.modes)
}

func TestRunPublishesToManySessions(t *testing.T) {
	r := newReceiver(t)
	clip, err := readIVF(bytes.NewReader(ivfFile("VP80", 10, 50, 1)))
	require.NoError(t, err)
	results, err := Load(t.Context(), Options{Client: r.client(), Mode: liveproof.ModeCall, Sessions: 3, Stagger: time.Millisecond}, clip)
	require.NoError(t, err)
	require.Len(t, results, 3)
	for _, got := range results {
		require.EqualValues(t, 6, got.Scored)
	}
	require.EqualValues(t, 3, r.deleted.Load())
	require.Equal(t, []string{"call", "call", "call"}, r.modes)
}

func TestOnboardingEndsWithItsVerdict(t *testing.T) {
	r := newReceiver(t)
	r.decides = 5
	clip, err := readIVF(bytes.NewReader(ivfFile("VP80", 3000, 50, 1)))
	require.NoError(t, err)
	results, err := Load(t.Context(), Options{Client: r.client(), Mode: liveproof.ModeOnboarding, Sessions: 1}, clip)
	require.NoError(t, err)
	require.Positive(t, results[0].SecondsToVerdict)
	require.LessOrEqual(t, results[0].SecondsToVerdict, results[0].Seconds)
	require.Less(t, results[0].Seconds, 60., "the clip's length")
}

func TestMeasureComparesTwoReadings(t *testing.T) {
	r := newReceiver(t)
	clip, err := readIVF(bytes.NewReader(ivfFile("VP80", 3000, 50, 1)))
	require.NoError(t, err)
	load := Options{Client: r.client(), Mode: liveproof.ModeCall, Sessions: 2}
	results, got, err := Measure(t.Context(), load, Window{Settle: time.Second, Length: time.Second}, clip)
	require.NoError(t, err)
	require.Len(t, results, 2)
	require.EqualValues(t, 2, r.deleted.Load(), "the sessions end with the window")
	require.Equal(t, 2, got.SessionsSent)
	require.Equal(t, 2, got.Sessions)
	require.InDelta(t, 1, got.Seconds*got.Server, 1e-6)
	require.InDelta(t, got.Server/2, got.ServerEach, 1e-6)
	require.InDelta(t, 1, got.Seconds*got.Total, 1e-6)
	require.InDelta(t, 195, got.LatencyP95, 1e-6)
	require.InDelta(t, 100, got.MemoryIdle, 1e-6)
	require.InDelta(t, 300, got.Memory, 1e-6)
	require.InDelta(t, 100, got.MemoryEach, 1e-6)
	require.Zero(t, got.Least, "no session got another sample")
}

func TestMeasureNamesWhatWentWrong(t *testing.T) {
	r := newReceiver(t)
	clip, err := readIVF(bytes.NewReader(ivfFile("VP80", 1, 25, 1)))
	require.NoError(t, err)
	load := Options{Client: r.client(), Sessions: 1}
	_, _, err = Measure(t.Context(), load, Window{Settle: -1}, clip)
	require.ErrorContains(t, err, "settle: ")
	require.ErrorContains(t, err, "window: ")
	r.refuse = true
	_, _, err = Measure(t.Context(), load, Window{Settle: time.Minute, Length: time.Minute}, clip)
	require.ErrorContains(t, err, "WHIP: 403 Forbidden: not wanted")
}

func TestQuantileInterpolates(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		h    histogram
		want float64
	}{
		{nil, 0},
		{histogram{{1, 0}, {inf, 0}}, 0},
		{histogram{{1, 50}, {2, 100}, {inf, 100}}, 1.9},
		{histogram{{1, 100}, {2, 100}, {inf, 100}}, .95},
		{histogram{{1, 90}, {2, 90}, {4, 100}, {inf, 100}}, 3},
		{histogram{{1, 90}, {2, 90}, {inf, 100}}, 2}, // above the last bound nothing is known
	} {
		require.InDelta(t, c.want, c.h.quantile(.95), 1e-9, "%v", c.h)
	}
}

func TestSummarizeVerdicts(t *testing.T) {
	results := []Result{{Session: "01A"}, {Refused: true}}
	for i := range 20 {
		results = append(results, Result{Session: "01A", SecondsToVerdict: float64(20 - i)})
	}
	require.Equal(t, VerdictTimes{Sessions: 20, Undecided: 1, Refused: 1, Median: 10, P95: 19, Worst: 20}, SummarizeVerdicts(results))
	require.Equal(t, VerdictTimes{Undecided: 1}, SummarizeVerdicts(results[:1]))
}

// TestRunSurvivesRefusals, at the creation and at the connection.
func TestRunSurvivesRefusals(t *testing.T) {
	clip, err := readIVF(bytes.NewReader(ivfFile("VP80", 10, 50, 1)))
	require.NoError(t, err)
	for places := range int64(3) {
		r := newReceiver(t)
		r.places.Store(places)
		results, err := Load(t.Context(), Options{Client: r.client(), Mode: liveproof.ModeCall, Sessions: 4}, clip)
		require.NoError(t, err)
		refused := 0
		for _, got := range results {
			if got.Refused {
				refused++
				require.Equal(t, Result{Refused: true, Refusals: 1}, got)
			}
		}
		require.EqualValues(t, 4-places, refused)
		require.Equal(t, places, r.deleted.Load())
		_, err = r.client().Create(t.Context(), liveproof.ModeCall)
		require.ErrorIs(t, err, liveproof.ErrOverloaded)
	}
}

func TestRunNamesWhatWentWrong(t *testing.T) {
	clip, err := readIVF(bytes.NewReader(ivfFile("VP80", 1, 25, 1)))
	require.NoError(t, err)
	r := newReceiver(t)
	_, err = Load(t.Context(), Options{Client: Client{Server: r.URL, APIKey: "other"}, Sessions: 2}, clip)
	require.ErrorContains(t, err, "POST /v1/sessions: 401 Unauthorized: no such key")
	r.refuse = true
	_, err = Load(t.Context(), Options{Client: r.client(), Sessions: 2}, clip)
	require.ErrorContains(t, err, "WHIP: 403 Forbidden: not wanted")
	require.Zero(t, r.deleted.Load(), "there is no resource to delete")
	err = Options{Client: Client{Server: "nowhere"}, Stagger: -1}.Validate()
	for _, says := range []string{"server: ", "sessions: 0", "stagger: "} {
		require.ErrorContains(t, err, says)
	}
}

func TestInterruptedSendStillEndsTheSession(t *testing.T) {
	r := newReceiver(t)
	clip, err := readIVF(bytes.NewReader(ivfFile("VP80", 60, 1, 1)))
	require.NoError(t, err)
	s, err := r.client().Create(t.Context(), liveproof.ModeCall)
	require.NoError(t, err)
	p, err := Connect(t.Context(), Options{}, s, clip)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	sent := make(chan error)
	go func() { sent <- p.Send(ctx, clip) }()
	require.Eventually(t, func() bool { return r.packets.Load() > 0 }, time.Minute, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-sent, context.Canceled)
	require.NoError(t, p.Close(t.Context()))
	require.EqualValues(t, 1, r.deleted.Load())
}
