package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// storer is all that the service asks of a store.
type storer interface {
	Create(ctx context.Context, s liveproof.Session, key, hash string) (liveproof.Session, bool, error)
	Get(ctx context.Context, id liveproof.SessionID) (liveproof.Session, error)
	Timeline(ctx context.Context, id liveproof.SessionID) ([]liveproof.Sample, error)
	List(ctx context.Context, q liveproof.SessionQuery) (liveproof.SessionPage, error)
	Delete(ctx context.Context, id liveproof.SessionID) error
	Claim(ctx context.Context, id liveproof.SessionID, tokenID string, lease liveproof.Lease) error
	Renew(ctx context.Context, lease liveproof.Lease, ids []liveproof.SessionID) (lost []liveproof.SessionID, err error)
	Lapsed(ctx context.Context, limit int) ([]liveproof.Session, error)
	Lapse(ctx context.Context, found liveproof.Session, end liveproof.Ending) (liveproof.Session, error)
	SetStreaming(ctx context.Context, id liveproof.SessionID, model liveproof.ModelInfo, threshold liveproof.Threshold, detector string) error
	AppendSamples(ctx context.Context, id liveproof.SessionID, samples []liveproof.Sample, counts liveproof.FrameCounts, current liveproof.Verdict) error
	Decide(ctx context.Context, id liveproof.SessionID, end liveproof.Ending) (liveproof.Session, error)
	Watch(ctx context.Context, tell func(liveproof.SessionID)) error
	WatchChanges(ctx context.Context) error
	Changes(ctx context.Context) ([]liveproof.Change, error)
	Acknowledge(ctx context.Context, changes []liveproof.Change) error
	Enqueue(ctx context.Context, d liveproof.Delivery) error
	Due(ctx context.Context, tenant string, lease time.Duration, most int) ([]liveproof.Delivery, error)
	Postpone(ctx context.Context, d liveproof.Delivery, pause time.Duration) error
	Delivered(ctx context.Context, d liveproof.Delivery) error
	Bury(ctx context.Context, d liveproof.Delivery) error
	Ping(ctx context.Context) error
	Close() error
}

var (
	_ storer = (*Memory)(nil)
	_ storer = (*Redis)(nil)
)

// testConfig is patient: CI machines are slow.
func testConfig(url string) Config {
	cfg := DefaultConfig()
	cfg.Redis, cfg.CallTimeout = url, 5*time.Second
	return cfg
}

func TestContractMemory(t *testing.T) {
	runContract(t, NewMemory(testConfig(""), time.Now))
}

func TestContractRedis(t *testing.T) {
	for name, start := range engines {
		t.Run(name, func(t *testing.T) {
			cfg, _ := start(t)
			r, err := NewRedis(cfg, time.Now)
			require.NoError(t, err)
			runContract(t, r)
		})
	}
}

func runContract(t *testing.T, s storer) {
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	for name, check := range map[string]func(*testing.T, storer){
		"create and get":                  checkCreateGet,
		"idempotency key":                 checkIdempotency,
		"missing session":                 checkMissing,
		"claim once":                      checkClaimOnce,
		"watch":                           checkWatch,
		"two peers race":                  checkClaimRace,
		"states in order":                 checkStates,
		"model fixed by the first sample": checkModelFixed,
		"threshold of each source":        checkThresholds,
		"threshold that judged nothing":   checkBadThresholds,
		"timeline":                        checkTimeline,
		"timeline repeated call":          checkTimelineRepeated,
		"timeline bounded":                checkTimelineBounded,
		"verdict once":                    checkVerdictOnce,
		"verdicts race":                   checkVerdictRace,
		"late samples leave the verdict":  checkLateSamples,
		"ending without counts":           checkEndingKeepsCounts,
		"ending carries samples":          checkEndingSamples,
		"ending says what stands":         checkEndingAnswer,
		"forgotten in time":               checkForgotten,
		"idempotency key raced for":       checkIdempotencyRace,
		"lease renewed by its owner":      checkRenew,
		"lease lapsed":                    checkLapsed,
		"lease renewed in between":        checkLapseRace,
		"lapsed session ends once":        checkLapseOnce,
		"deleted session is not revived":  checkDelete,
		"list with every filter":          checkList,
		"list of one millisecond":         checkListSameMoment,
		"list reads a bounded number":     checkListBounded,
		"list forgets":                    checkListForgets,
		"changes are told and handled":    checkChanges,
		"deliveries":                      checkDeliveries,
	} {
		t.Run(name, func(t *testing.T) { check(t, s) })
	}
}

var numbered struct {
	sync.Mutex
	n int
}

func newSession(ttl time.Duration) liveproof.Session {
	numbered.Lock()
	defer numbered.Unlock()
	numbered.n++
	now := time.Now().UTC().Truncate(time.Millisecond)
	return liveproof.Session{
		ID: liveproof.SessionID(fmt.Sprintf("01TEST%020d", numbered.n)), Tenant: "bank-ü", Mode: liveproof.ModeOnboarding,
		ExternalID: "kunde-ä\n1", Deadline: 15*time.Second + 250*time.Millisecond, CreatedAt: now, ExpiresAt: now.Add(ttl),
		Node:    "https://node-1.example.org:8443",
		Lease:   liveproof.Lease{Until: now.Add(time.Minute)},
		Require: []liveproof.Evidence{liveproof.EvidencePassive, liveproof.EvidenceFlash},
		Trace:   "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

// held is the lease of a server that runs a session.
func held() liveproof.Lease {
	return liveproof.Lease{Owner: "server A", Until: time.Now().Add(time.Minute).UTC().Truncate(time.Millisecond)}
}

func decided(v liveproof.Verdict) liveproof.Ending {
	return liveproof.Ending{State: liveproof.StateDecided, Verdict: v, Frames: counts}
}

func decide(s storer, id liveproof.SessionID, end liveproof.Ending) error {
	_, err := s.Decide(context.Background(), id, end)
	return err
}

func create(t *testing.T, s storer) liveproof.Session {
	t.Helper()
	made, replayed, err := s.Create(t.Context(), newSession(time.Hour), "", "")
	require.NoError(t, err)
	require.False(t, replayed)
	return made
}

var live = liveproof.Verdict{
	Outcome: liveproof.OutcomeLive, Score: 0.875, Reasons: []liveproof.Reason{liveproof.ReasonScoreAbove},
	Scored: 12, Final: true, At: 2400 * time.Millisecond,
}

func spoof() liveproof.Verdict {
	v := live
	v.Outcome, v.Score, v.Reasons = liveproof.OutcomeSpoof, 0.125, []liveproof.Reason{liveproof.ReasonScoreBelow}
	return v
}

var counts = liveproof.FrameCounts{Received: 90, Decoded: 88, Sampled: 15, Scored: 12, Dropped: 2}

func checkCreateGet(t *testing.T, s storer) {
	want := create(t, s)
	require.Equal(t, liveproof.StateCreated, want.State)
	require.Equal(t, liveproof.OutcomePending, want.Verdict.Outcome)
	got, err := s.Get(t.Context(), want.ID)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoError(t, s.Ping(t.Context()))
}

func checkIdempotency(t *testing.T, s storer) {
	key := "key " + string(newSession(0).ID)
	first, replayed, err := s.Create(t.Context(), newSession(time.Hour), key, "hash A")
	require.NoError(t, err)
	require.False(t, replayed)
	again, replayed, err := s.Create(t.Context(), newSession(time.Hour), key, "hash A")
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, first.ID, again.ID)
	_, _, err = s.Create(t.Context(), newSession(time.Hour), key, "hash B")
	require.ErrorIs(t, err, liveproof.ErrIdempotencyMismatch)

	require.NoError(t, s.Delete(t.Context(), first.ID))
	fresh, replayed, err := s.Create(t.Context(), newSession(time.Hour), key, "hash B")
	require.NoError(t, err, "the key is forgotten with its session")
	require.False(t, replayed)
	require.NotEqual(t, first.ID, fresh.ID)
}

func checkMissing(t *testing.T, s storer) {
	ctx := t.Context()
	for _, id := range []liveproof.SessionID{"nobody", ""} {
		_, err := s.Get(ctx, id)
		require.ErrorIs(t, err, liveproof.ErrNotFound)
		_, err = s.Timeline(ctx, id)
		require.ErrorIs(t, err, liveproof.ErrNotFound)
		require.ErrorIs(t, s.Delete(ctx, id), liveproof.ErrNotFound)
		require.ErrorIs(t, s.Claim(ctx, id, "t", held()), liveproof.ErrNotFound)
		require.ErrorIs(t, s.SetStreaming(ctx, id, liveproof.ModelInfo{}, liveproof.Threshold{}, ""), liveproof.ErrNotFound)
		require.ErrorIs(t, s.AppendSamples(ctx, id, nil, counts, liveproof.Pending()), liveproof.ErrNotFound)
		require.ErrorIs(t, decide(s, id, decided(live)), liveproof.ErrNotFound)
	}
}

func checkClaimOnce(t *testing.T, s storer) {
	made := create(t, s)
	require.NoError(t, s.Claim(t.Context(), made.ID, "token 1", held()))
	require.ErrorIs(t, s.Claim(t.Context(), made.ID, "token 1", held()), liveproof.ErrTokenUsed)
	require.ErrorIs(t, s.Claim(t.Context(), made.ID, "token 2", held()), liveproof.ErrConflict)
	got, err := s.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, liveproof.StateConnecting, got.State)
}

func checkClaimRace(t *testing.T, s storer) {
	made := create(t, s)
	require.Equal(t, 1, race(16, func(i int) error {
		return s.Claim(t.Context(), made.ID, fmt.Sprintf("token %d", i/2), held())
	}))
}

// race runs n calls at once and counts those that succeed.
func race(n int, call func(i int) error) (won int) {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = call(i) })
	}
	wg.Wait()
	for _, err := range errs {
		if err == nil {
			won++
		}
	}
	return won
}

func checkStates(t *testing.T, s storer) {
	made, model := create(t, s), liveproof.ModelInfo{Name: "m", SHA256: "ab", Threshold: 0.5, Demo: true, Provider: "openvino", Precision: "bf16"}
	require.ErrorIs(t, s.SetStreaming(t.Context(), made.ID, model, ofModel, "haar"), liveproof.ErrConflict)
	require.NoError(t, s.Claim(t.Context(), made.ID, "t", held()))
	require.NoError(t, s.SetStreaming(t.Context(), made.ID, model, ofModel, "haar"))
	require.NoError(t, decide(s, made.ID, decided(live)))
	require.ErrorIs(t, s.SetStreaming(t.Context(), made.ID, model, ofModel, "haar"), liveproof.ErrConflict)
	require.ErrorIs(t, s.Claim(t.Context(), made.ID, "u", held()), liveproof.ErrConflict)
	got, err := s.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, model, got.Model)
	require.Equal(t, ofModel, got.Threshold)
	require.Equal(t, "haar", got.Detector)
	require.Equal(t, live, got.Verdict)
	require.Equal(t, counts, got.Frames)
	require.WithinDuration(t, time.Now(), got.DecidedAt, time.Minute)
}

func checkModelFixed(t *testing.T, s storer) {
	made := create(t, s)
	first, second := liveproof.ModelInfo{Name: "m", SHA256: "ab", Threshold: 0.5}, liveproof.ModelInfo{Name: "m", SHA256: "cd", Threshold: 0.7}
	require.NoError(t, s.Claim(t.Context(), made.ID, "t", held()))
	require.NoError(t, s.SetStreaming(t.Context(), made.ID, first, ofModel, "haar"))
	require.NoError(t, s.AppendSamples(t.Context(), made.ID, nil, counts, liveproof.Pending()), "counts alone fix nothing")
	require.NoError(t, s.SetStreaming(t.Context(), made.ID, second, ofTenant, "retinaface"))
	require.NoError(t, s.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(1)}, counts, liveproof.Pending()))
	require.NoError(t, s.SetStreaming(t.Context(), made.ID, second, ofTenant, "retinaface"), "the same again is no error")
	require.ErrorIs(t, s.SetStreaming(t.Context(), made.ID, first, ofTenant, "retinaface"), liveproof.ErrConflict)
	require.ErrorIs(t, s.SetStreaming(t.Context(), made.ID, second, ofTenant, "haar"), liveproof.ErrConflict)
	got, err := s.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.ErrorIs(t, s.SetStreaming(t.Context(), made.ID, second, ofModel, "retinaface"), liveproof.ErrConflict, "another threshold")
	require.Equal(t, second, got.Model)
	require.Equal(t, ofTenant, got.Threshold)
	require.Equal(t, "retinaface", got.Detector)
	require.Equal(t, liveproof.StateStreaming, got.State)
}

// thresholds are one of each source.
var (
	digest   = strings.Repeat("a1", 32)
	ofModel  = liveproof.Threshold{Value: 0.5, Source: liveproof.ThresholdOfModel}
	ofServer = liveproof.Threshold{Value: 0.1 + 0.2, Source: liveproof.ThresholdOfConfiguration}
	ofFile   = liveproof.Threshold{Value: 0.6180339887498949, Source: liveproof.ThresholdOfConfiguration, Calibration: "all-2026", CalibrationSHA256: digest}
	ofTenant = liveproof.Threshold{Value: 0.25, Source: liveproof.ThresholdOfTenant, Calibration: "bank_a", CalibrationSHA256: digest}
	ofAsked  = liveproof.Threshold{Value: 5e-324, Source: liveproof.ThresholdOfRequest, Calibration: "high-value", CalibrationSHA256: digest}
)

// checkThresholds: what judges a session is read as it was written, to the last bit.
func checkThresholds(t *testing.T, s storer) {
	for _, want := range []liveproof.Threshold{ofModel, ofServer, ofFile, ofTenant, ofAsked} {
		session := newSession(time.Hour)
		if want.Source == liveproof.ThresholdOfRequest {
			session.Calibration = "high_value"
		}
		made, _, err := s.Create(t.Context(), session, "", "")
		require.NoError(t, err)
		require.Zero(t, made.Threshold, "nothing judges it yet")
		require.NoError(t, s.Claim(t.Context(), made.ID, "t", held()))
		require.NoError(t, s.SetStreaming(t.Context(), made.ID, liveproof.ModelInfo{}, want, "haar"))
		got, err := s.Get(t.Context(), made.ID)
		require.NoError(t, err)
		require.Equal(t, want, got.Threshold)
		ended, err := s.Decide(t.Context(), made.ID, decided(live))
		require.NoError(t, err)
		require.Equal(t, want, ended.Threshold)
		require.Equal(t, session.Calibration, ended.Calibration)
	}
}

func checkBadThresholds(t *testing.T, s storer) {
	made := create(t, s)
	require.NoError(t, s.Claim(t.Context(), made.ID, "t", held()))
	for _, bad := range []liveproof.Threshold{
		{Value: 0.5},
		{Value: math.NaN(), Source: liveproof.ThresholdOfModel},
		{Value: 1, Source: liveproof.ThresholdOfModel},
		{Source: liveproof.ThresholdOfConfiguration},
		{Value: 0.5, Source: "client"},
		{Value: 0.5, Source: liveproof.ThresholdOfTenant},
		{Value: 0.5, Source: liveproof.ThresholdOfModel, Calibration: "x", CalibrationSHA256: digest},
		{Value: 0.5, Source: liveproof.ThresholdOfTenant, Calibration: "a b:c", CalibrationSHA256: digest},
	} {
		require.Error(t, s.SetStreaming(t.Context(), made.ID, liveproof.ModelInfo{}, bad, "haar"), "%+v", bad)
	}
	got, err := s.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, liveproof.StateConnecting, got.State)
	require.Zero(t, got.Threshold)
}

func sample(seq int64) liveproof.Sample {
	return liveproof.Sample{
		Seq: seq, T: time.Duration(seq) * 200 * time.Millisecond, Scored: true, Rho: 0.1 + 0.2, Weight: 1, Track: 1,
		Evidence: []liveproof.Evidence{liveproof.EvidenceMotion}, Signals: map[string]float64{"motion.residual": 0.1 + 0.2},
	}
}

func checkTimeline(t *testing.T, s storer) {
	made := create(t, s)
	unscored := liveproof.Sample{Seq: 2, T: time.Second, Reasons: []liveproof.Reason{liveproof.ReasonNoFace}}
	current := liveproof.Pending()
	current.Score = 0.3
	require.NoError(t, s.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(1), unscored}, counts, current))
	got, err := s.Timeline(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, []liveproof.Sample{sample(1), unscored}, got)
	record, err := s.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, counts, record.Frames)
	require.Equal(t, current, record.Verdict)
}

func checkTimelineRepeated(t *testing.T, s storer) {
	made := create(t, s)
	require.NoError(t, s.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(1), sample(2)}, counts, liveproof.Pending()))
	require.NoError(t, s.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(1), sample(2), sample(3)}, counts, liveproof.Pending()))
	got, err := s.Timeline(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, []liveproof.Sample{sample(1), sample(2), sample(3)}, got)
}

func checkTimelineBounded(t *testing.T, s storer) {
	made := create(t, s)
	const step = 1000
	for at := int64(0); at < MaxTimeline+step; at += step {
		rows := make([]liveproof.Sample, step)
		for i := range rows {
			rows[i] = sample(at + int64(i) + 1)
		}
		require.NoError(t, s.AppendSamples(t.Context(), made.ID, rows, counts, liveproof.Pending()))
	}
	got, err := s.Timeline(t.Context(), made.ID)
	require.NoError(t, err)
	require.Len(t, got, MaxTimeline)
	require.EqualValues(t, MaxTimeline+step, got[len(got)-1].Seq)
}

func checkVerdictOnce(t *testing.T, s storer) {
	made := create(t, s)
	require.NoError(t, decide(s, made.ID, decided(spoof())))
	require.NoError(t, decide(s, made.ID, decided(spoof())), "the same again is no error")
	require.ErrorIs(t, decide(s, made.ID, decided(live)), liveproof.ErrDecided)
	require.ErrorIs(t, decide(s, made.ID, liveproof.Ending{State: liveproof.StateFailed, Verdict: spoof(), Frames: counts}), liveproof.ErrDecided)
	got, err := s.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, spoof(), got.Verdict)
}

func checkVerdictRace(t *testing.T, s storer) {
	made := create(t, s)
	require.Equal(t, 1, race(16, func(i int) error {
		v := live
		v.Scored = 100 + i
		return decide(s, made.ID, decided(v))
	}))
}

func checkLateSamples(t *testing.T, s storer) {
	made := create(t, s)
	require.NoError(t, decide(s, made.ID, decided(spoof())))
	err := s.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(9)}, liveproof.FrameCounts{}, live)
	require.ErrorIs(t, err, liveproof.ErrDecided, "its live must not be told as recorded")
	got, err := s.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, spoof(), got.Verdict)
	require.Equal(t, counts, got.Frames)
	require.Equal(t, liveproof.StateDecided, got.State)
}

func checkForgotten(t *testing.T, s storer) {
	made, _, err := s.Create(t.Context(), newSession(50*time.Millisecond), "", "")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := s.Get(t.Context(), made.ID)
		return err != nil
	}, 10*time.Second, 10*time.Millisecond)
	require.ErrorIs(t, s.Claim(t.Context(), made.ID, "t", held()), liveproof.ErrNotFound)
}

func checkDelete(t *testing.T, s storer) {
	made := create(t, s)
	require.NoError(t, s.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(1)}, counts, liveproof.Pending()))
	require.NoError(t, s.Delete(t.Context(), made.ID))
	require.ErrorIs(t, s.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(2)}, counts, live), liveproof.ErrNotFound)
	require.ErrorIs(t, decide(s, made.ID, decided(live)), liveproof.ErrNotFound)
	_, err := s.Get(t.Context(), made.ID)
	require.ErrorIs(t, err, liveproof.ErrNotFound)
	_, err = s.Timeline(t.Context(), made.ID)
	require.ErrorIs(t, err, liveproof.ErrNotFound)
}

// checkEndingKeepsCounts: an ending without counts keeps those of the record.
func checkEndingKeepsCounts(t *testing.T, s storer) {
	made := create(t, s)
	require.NoError(t, s.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(1)}, counts, liveproof.Pending()))
	stored, err := s.Decide(t.Context(), made.ID, liveproof.Unjudged(liveproof.ReasonInternalError))
	require.NoError(t, err)
	require.Equal(t, counts, stored.Frames)
	require.Equal(t, liveproof.StateFailed, stored.State)
}

// checkEndingSamples: the samples that the timeline lacks are written with the end,
// none of them twice.
func checkEndingSamples(t *testing.T, s storer) {
	made := create(t, s)
	require.NoError(t, s.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(1)}, counts, liveproof.Pending()))
	end := decided(live)
	end.Samples = []liveproof.Sample{sample(1), sample(2), sample(3)}
	for range 2 {
		require.NoError(t, decide(s, made.ID, end))
	}
	got, err := s.Timeline(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, end.Samples, got)
}

// checkEndingAnswer: Decide returns how the session ended, also when it refuses
// another ending.
func checkEndingAnswer(t *testing.T, s storer) {
	made := create(t, s)
	stored, err := s.Decide(t.Context(), made.ID, decided(spoof()))
	require.NoError(t, err)
	require.Equal(t, spoof(), stored.Verdict)
	stored, err = s.Decide(t.Context(), made.ID, decided(live))
	require.ErrorIs(t, err, liveproof.ErrDecided)
	require.Equal(t, spoof(), stored.Verdict, "the record that stands")
}

func checkIdempotencyRace(t *testing.T, s storer) {
	key := "key " + string(newSession(0).ID)
	var made sync.Map
	require.Equal(t, 16, race(16, func(int) error {
		stored, _, err := s.Create(context.Background(), newSession(time.Hour), key, "hash")
		made.Store(stored.ID, true)
		return err
	}))
	n := 0
	made.Range(func(id, _ any) bool {
		n++
		_, err := s.Get(t.Context(), id.(liveproof.SessionID))
		return assert.NoError(t, err)
	})
	require.Equal(t, 1, n, "one key makes one session")
}

func checkRenew(t *testing.T, s storer) {
	made := create(t, s)
	require.NoError(t, s.Claim(t.Context(), made.ID, "t", held()))
	longer := liveproof.Lease{Owner: "server A", Until: held().Until.Add(time.Hour)}
	lost, err := s.Renew(t.Context(), longer, []liveproof.SessionID{made.ID})
	require.NoError(t, err)
	require.Empty(t, lost)
	got, err := s.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, longer, got.Lease)

	ended, gone := create(t, s), liveproof.SessionID("nobody")
	require.NoError(t, s.Claim(t.Context(), ended.ID, "t", held()))
	require.NoError(t, decide(s, ended.ID, decided(live)))
	all := []liveproof.SessionID{made.ID, ended.ID, gone}
	lost, err = s.Renew(t.Context(), longer, all)
	require.NoError(t, err)
	require.ElementsMatch(t, []liveproof.SessionID{ended.ID, gone}, lost)
	_, err = s.Get(t.Context(), gone)
	require.ErrorIs(t, err, liveproof.ErrNotFound, "a renewal makes no session")
	lost, err = s.Renew(t.Context(), liveproof.Lease{Owner: "server B", Until: longer.Until}, all)
	require.NoError(t, err)
	require.ElementsMatch(t, all, lost)
	got, err = s.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, longer, got.Lease, "another server's renewal changes nothing")
}

// lapsed finds the ids among ours whose lease has run out.
func lapsed(t *testing.T, s storer, ours ...liveproof.SessionID) (found []liveproof.SessionID) {
	t.Helper()
	sessions, err := s.Lapsed(t.Context(), 1600)
	require.NoError(t, err)
	for _, x := range sessions {
		if slices.Contains(ours, x.ID) {
			require.True(t, x.Lapsed(time.Now()))
			found = append(found, x.ID)
		}
	}
	return found
}

func checkLapsed(t *testing.T, s storer) {
	past := time.Now().Add(-time.Second).UTC().Truncate(time.Millisecond)
	old := newSession(time.Hour)
	old.Lease.Until = past
	unconnected, _, err := s.Create(t.Context(), old, "", "")
	require.NoError(t, err)
	running, healthy, ended := create(t, s), create(t, s), create(t, s)
	for _, made := range []liveproof.Session{running, healthy, ended} {
		require.NoError(t, s.Claim(t.Context(), made.ID, "t", held()))
	}
	_, err = s.Renew(t.Context(), liveproof.Lease{Owner: "server A", Until: past}, []liveproof.SessionID{running.ID, ended.ID})
	require.NoError(t, err)
	require.NoError(t, decide(s, ended.ID, decided(live)))
	ours := []liveproof.SessionID{unconnected.ID, running.ID, healthy.ID, ended.ID}
	for range 2 { // found until somebody ends them
		require.ElementsMatch(t, []liveproof.SessionID{unconnected.ID, running.ID}, lapsed(t, s, ours...))
	}
	for _, id := range []liveproof.SessionID{unconnected.ID, running.ID} {
		found, err := s.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, liveproof.OutcomePending, found.Current(time.Now()).Outcome)
		stored, err := s.Lapse(t.Context(), found, liveproof.Unjudged(liveproof.ReasonServerLost))
		require.NoError(t, err)
		require.Equal(t, liveproof.StateExpired, stored.State)
		require.Equal(t, liveproof.Inconclusive(liveproof.ReasonServerLost), stored.Verdict)
	}
	require.Empty(t, lapsed(t, s, ours...))
}

// checkLapseOnce: when many servers find a lapsed session, one of them ends it, and only
// that one counts the end.
func checkLapseOnce(t *testing.T, s storer) {
	old := newSession(time.Hour)
	old.Lease.Until = time.Now().Add(-time.Second).UTC().Truncate(time.Millisecond)
	found, _, err := s.Create(t.Context(), old, "", "")
	require.NoError(t, err)
	_, err = s.Lapse(t.Context(), found, liveproof.Unjudged(liveproof.ReasonNoMedia))
	require.NoError(t, err)
	time.Sleep(2 * time.Millisecond) // Redis tells the servers apart by the time in milliseconds
	stored, err := s.Lapse(t.Context(), found, liveproof.Unjudged(liveproof.ReasonNoMedia))
	require.ErrorIs(t, err, liveproof.ErrDecided)
	require.Equal(t, liveproof.StateExpired, stored.State)
}

// checkLapseRace: a server that comes back in time keeps its session.
func checkLapseRace(t *testing.T, s storer) {
	made := create(t, s)
	require.NoError(t, s.Claim(t.Context(), made.ID, "t", held()))
	past := liveproof.Lease{Owner: "server A", Until: time.Now().Add(-time.Second).UTC().Truncate(time.Millisecond)}
	_, err := s.Renew(t.Context(), past, []liveproof.SessionID{made.ID})
	require.NoError(t, err)
	found, err := s.Get(t.Context(), made.ID)
	require.NoError(t, err)
	_, err = s.Renew(t.Context(), held(), []liveproof.SessionID{made.ID})
	require.NoError(t, err)
	_, err = s.Lapse(t.Context(), found, liveproof.Unjudged(liveproof.ReasonServerLost))
	require.ErrorIs(t, err, liveproof.ErrConflict)
	got, err := s.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, liveproof.StateConnecting, got.State)
	require.Empty(t, lapsed(t, s, made.ID))

	require.NoError(t, decide(s, made.ID, decided(live)))
	stored, err := s.Lapse(t.Context(), got, liveproof.Unjudged(liveproof.ReasonServerLost))
	require.ErrorIs(t, err, liveproof.ErrDecided, "a verdict is never overwritten")
	require.Equal(t, live, stored.Verdict)
}
