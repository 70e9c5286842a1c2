package engine_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/onnx"
	"github.com/liveproof/liveproof/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func needRuntime(t *testing.T, cfg engine.Config) {
	t.Helper()
	runtime, err := onnx.Open(cfg.ONNX)
	if err != nil {
		t.Skipf("ONNX Runtime is missing: %v", err)
	}
	require.NoError(t, runtime.Close())
}

// open returns an engine that runs until the test ends.
func open(t *testing.T, cfg engine.Config) *engine.Engine {
	t.Helper()
	needRuntime(t, cfg)
	e, err := engine.Open(t.Context(), cfg, engine.Deps{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- e.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ran)
		require.NoError(t, e.Close())
		require.NoError(t, e.Close(), "again")
	})
	return e
}

func tiny() engine.Config {
	cfg := engine.DefaultConfig()
	cfg.Scorer.Model = "../scorer/testdata/tiny.onnx"
	return cfg
}

// ended is a stream without a picture.
type ended struct{}

func (ended) Next(context.Context) (liveproof.AccessUnit, error) {
	return liveproof.AccessUnit{}, io.EOF
}
func (ended) RequestKeyFrame() {}

// claimed is a session that a client has connected to.
func claimed(t *testing.T, db *store.Memory) liveproof.Session {
	t.Helper()
	now := time.Now()
	made, _, err := db.Create(t.Context(), liveproof.Session{
		ID: "01TEST", Mode: liveproof.ModeOnboarding, CreatedAt: now, ExpiresAt: now.Add(time.Hour), Deadline: 3 * time.Second,
	}, "", "")
	require.NoError(t, err)
	require.NoError(t, db.Claim(t.Context(), made.ID, "t", liveproof.Lease{Owner: "me", Until: now.Add(time.Minute)}))
	return made
}

// analyze returns the endings that the observer received.
func analyze(t *testing.T, l *engine.Live, s liveproof.Session, units liveproof.UnitSource) (endings []liveproof.Ending) {
	t.Helper()
	_ = l.Analyze(t.Context(), s, units, func(e liveproof.Event) {
		require.Empty(t, endings, "the ending is the last event")
		if e.Ended != nil {
			endings = append(endings, *e.Ended)
		}
	})
	return endings
}

// TestRecordNamesWhatJudges: the record holds the pinned model before the first sample.
func TestRecordNamesWhatJudges(t *testing.T) {
	e := open(t, tiny())
	db := store.NewMemory(store.DefaultConfig(), time.Now)
	made := claimed(t, db)
	endings := analyze(t, e.Live(db), made, ended{})
	require.Len(t, endings, 1)
	require.True(t, endings[0].Valid())
	require.Equal(t, liveproof.OutcomeInconclusive, endings[0].Verdict.Outcome)
	got, err := db.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, e.Model(), got.Model)
	require.Equal(t, liveproof.Threshold{Value: e.Model().Threshold, Source: liveproof.ThresholdOfModel}, got.Threshold)
	require.Equal(t, e.Detector(), got.Detector)
	require.Equal(t, liveproof.StateStreaming, got.State, "the ending is the caller's to write")
}

// TestEveryAnalysisHasOneEnding: even one that failed before it read its
// stream.
func TestEveryAnalysisHasOneEnding(t *testing.T) {
	e := open(t, tiny())
	db := store.NewMemory(store.DefaultConfig(), time.Now)
	unknown := liveproof.Session{ID: "nobody", Mode: liveproof.ModeOnboarding}
	endings := analyze(t, e.Live(db), unknown, ended{})
	require.Equal(t, []liveproof.Ending{liveproof.Unjudged(liveproof.ReasonInternalError)}, endings)
}

// away is a recorder that does not answer.
type away struct{ *store.Memory }

func (away) SetStreaming(context.Context, liveproof.SessionID, liveproof.ModelInfo, liveproof.Threshold, string) error {
	return liveproof.ErrUnavailable
}

// TestCauseBeforeTheStream: the client leaves while the store is away, before
// anything could be judged. The reason is the cause of the context.
func TestCauseBeforeTheStream(t *testing.T) {
	e := open(t, tiny())
	ctx, leave := context.WithCancelCause(t.Context())
	leave(&liveproof.EndError{Reason: liveproof.ReasonDisconnected})
	var ends []liveproof.Ending
	_ = e.Live(away{}).Analyze(ctx, liveproof.Session{ID: "01TEST"}, ended{}, func(e liveproof.Event) {
		ends = append(ends, *e.Ended)
	})
	require.Equal(t, []liveproof.Ending{liveproof.Unjudged(liveproof.ReasonDisconnected)}, ends)
}

func TestJudgeFileThatIsNone(t *testing.T) {
	e := open(t, tiny())
	path := filepath.Join(t.TempDir(), "broken.mp4")
	require.NoError(t, os.WriteFile(path, []byte("no video"), 0o600))
	for _, p := range []string{path, path + ".missing"} {
		r, err := e.JudgeFile(t.Context(), p)
		require.ErrorContains(t, err, filepath.Base(p))
		require.Equal(t, liveproof.Inconclusive(liveproof.ReasonUnsupportedMedia), r.Verdict)
		require.Equal(t, e.Model(), r.Model)
	}
}

func TestConfigNamesSectionAndKey(t *testing.T) {
	cfg := engine.DefaultConfig()
	require.NoError(t, cfg.Validate())
	require.Equal(t, 3*time.Second, cfg.MinDeadline())
	cfg.Pipeline.QueueSize, cfg.Verdict.Tau = 0, 0
	_, err := engine.Open(t.Context(), cfg, engine.Deps{})
	require.ErrorIs(t, err, engine.ErrConfig)
	require.ErrorContains(t, err, "pipeline.queue_size: ")
	require.ErrorContains(t, err, "verdict.tau: ")

	cfg = engine.DefaultConfig()
	cfg.Verdict.RestartGap = time.Second
	require.ErrorContains(t, cfg.Validate(), "pipeline.relaxed_rate: a sample every 1s is too rare for the verdict's restart_gap 1s")
	cfg.Verdict.MaxGap = 100 * time.Millisecond
	require.ErrorContains(t, cfg.Validate(), "pipeline.sample_rate: a sample every 200ms cannot keep within the verdict's max_gap 100ms")
}

func TestModelThatIsMissing(t *testing.T) {
	cfg := engine.DefaultConfig()
	cfg.Scorer.Model = "no/such/model.onnx"
	needRuntime(t, cfg)
	_, err := engine.Open(t.Context(), cfg, engine.Deps{})
	require.ErrorContains(t, err, "no/such/model.onnx")
}
