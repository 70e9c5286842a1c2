package webhooks_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ids"
	"github.com/liveproof/liveproof/internal/redistest"
	"github.com/liveproof/liveproof/store"
	"github.com/liveproof/liveproof/webhooks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	oldSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
	wait      = time.Minute // generous: a pass never waits for it
)

// receiver is an integrator's backend that answers with the next of its statuses; the last one stays.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int
	got      []message
	refused  []error // messages whose signature is wrong
}

type message struct {
	id, raw string
	Type    string
	Data    map[string]any
}

func newReceiver(t *testing.T, verifyWith string, statuses ...int) *receiver {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(verifyWith)
	require.NoError(t, err)
	r := &receiver{statuses: statuses}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		if err := verifier.Verify(body, req.Header); err != nil {
			r.refused = append(r.refused, err)
		}
		m := message{id: req.Header.Get("webhook-id"), raw: string(body)}
		_ = json.Unmarshal(body, &m)
		r.got = append(r.got, m)
		w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		w.WriteHeader(r.statuses[0])
		if len(r.statuses) > 1 {
			r.statuses = r.statuses[1:]
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) messages() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]message{}, r.got...)
}

// await waits until n messages came, and checks every signature.
func (r *receiver) await(t *testing.T, n int) []message {
	t.Helper()
	require.Eventually(t, func() bool { return len(r.messages()) >= n }, wait, 5*time.Millisecond, "%d messages of %d", len(r.messages()), n)
	require.Empty(t, r.refused)
	for _, m := range r.messages() {
		requireDescribed(t, m.raw)
	}
	return r.messages()
}

// document is the API's description.
var document = sync.OnceValues(func() (*openapi3.T, error) { return openapi3.NewLoader().LoadFromFile("../ingest/openapi.yaml") })

// requireDescribed holds a body against the API's description, which must name every member.
func requireDescribed(t *testing.T, body string) {
	t.Helper()
	doc, err := document()
	require.NoError(t, err)
	schema := doc.Components.Schemas["Webhook"].Value
	var value map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &value))
	require.NoError(t, doc.ValidateSchemaJSON(schema, value), body)
	for name := range value["data"].(map[string]any) {
		require.Contains(t, schema.Properties["data"].Value.Properties, name)
	}
}

// keeper is a store with sessions and an outbox.
type keeper interface {
	webhooks.Outbox
	WatchChanges(ctx context.Context) error
	Create(ctx context.Context, s liveproof.Session, key, hash string) (liveproof.Session, bool, error)
	Claim(ctx context.Context, id liveproof.SessionID, tokenID string, lease liveproof.Lease) error
	SetStreaming(ctx context.Context, id liveproof.SessionID, model liveproof.ModelInfo, threshold liveproof.Threshold, detector string) error
	AppendSamples(ctx context.Context, id liveproof.SessionID, samples []liveproof.Sample, counts liveproof.FrameCounts, current liveproof.Verdict) error
	Decide(ctx context.Context, id liveproof.SessionID, end liveproof.Ending) (liveproof.Session, error)
	Delete(ctx context.Context, id liveproof.SessionID) error
}

func newRedis(t *testing.T, db *redistest.Server) *store.Redis {
	t.Helper()
	cfg := store.DefaultConfig()
	cfg.Redis, cfg.CallTimeout = db.URL(), 10*time.Second
	r, err := store.NewRedis(cfg, time.Now)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

// onBoth runs a test with the memory store and with a real Redis.
func onBoth(t *testing.T, test func(t *testing.T, k keeper)) {
	t.Run("memory", func(t *testing.T) { test(t, store.NewMemory(store.DefaultConfig(), time.Now)) })
	t.Run("redis", func(t *testing.T) { test(t, newRedis(t, redistest.Start(t))) })
}

func testConfig(url string) webhooks.Config {
	cfg := webhooks.DefaultConfig()
	cfg.URLs, cfg.Secrets = map[string]string{"bank-a": url}, map[string]string{"bank-a": secret}
	cfg.FirstRetry, cfg.MaxRetry, cfg.AllowPrivate = time.Millisecond, 10*time.Millisecond, true
	return cfg
}

// run runs a sender until stop or the test's end.
func run(t *testing.T, cfg webhooks.Config, k keeper) (stop func()) {
	t.Helper()
	require.NoError(t, k.WatchChanges(t.Context()))
	s, err := webhooks.New(cfg, k, slog.New(slog.DiscardHandler), nil, time.Now)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return stop
}

func begin(t *testing.T, k keeper, tenant string, mode liveproof.Mode) liveproof.SessionID {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	s := liveproof.Session{
		ID: liveproof.SessionID(ids.New(now)), Tenant: tenant, Mode: mode, ExternalID: "kunde-ü", Deadline: 15 * time.Second,
		CreatedAt: now, ExpiresAt: now.Add(time.Hour), Lease: liveproof.Lease{Until: now.Add(time.Minute)},
	}
	_, _, err := k.Create(t.Context(), s, "", "")
	require.NoError(t, err)
	require.NoError(t, k.Claim(t.Context(), s.ID, "token", liveproof.Lease{Owner: "a", Until: now.Add(time.Minute)}))
	require.NoError(t, k.SetStreaming(t.Context(), s.ID, liveproof.ModelInfo{}, liveproof.Threshold{}, "haar"))
	return s.ID
}

func end(t *testing.T, k keeper, id liveproof.SessionID, state liveproof.State, v liveproof.Verdict) {
	t.Helper()
	_, err := k.Decide(t.Context(), id, liveproof.Ending{State: state, Verdict: v})
	require.NoError(t, err)
}

func live(final bool) liveproof.Verdict {
	return liveproof.Verdict{Outcome: liveproof.OutcomeLive, Score: 0.987654, Scored: 9, Final: final, Reasons: []liveproof.Reason{liveproof.ReasonScoreAbove}}
}

func TestEveryType(t *testing.T) {
	onBoth(t, func(t *testing.T, k keeper) {
		r := newReceiver(t, secret, 200)
		run(t, testConfig(r.URL), k)
		call, lost := begin(t, k, "bank-a", liveproof.ModeCall), begin(t, k, "bank-a", liveproof.ModeCall)
		once, unused, broken := begin(t, k, "bank-a", liveproof.ModeOnboarding), begin(t, k, "bank-a", liveproof.ModeOnboarding), begin(t, k, "bank-a", liveproof.ModeOnboarding)
		foreign, deleted := begin(t, k, "bank-b", liveproof.ModeOnboarding), begin(t, k, "bank-a", liveproof.ModeOnboarding)
		require.NoError(t, k.Delete(t.Context(), deleted))
		for _, id := range []liveproof.SessionID{call, once} { // of an onboarding session only the end is told
			require.NoError(t, k.AppendSamples(t.Context(), id, nil, liveproof.FrameCounts{}, live(false)))
		}
		end(t, k, call, liveproof.StateDecided, live(true))
		end(t, k, lost, liveproof.StateExpired, liveproof.Inconclusive(liveproof.ReasonServerLost))
		end(t, k, once, liveproof.StateDecided, live(true))
		end(t, k, unused, liveproof.StateExpired, liveproof.Inconclusive(liveproof.ReasonNoMedia))
		end(t, k, broken, liveproof.StateFailed, liveproof.Inconclusive(liveproof.ReasonInternalError))
		end(t, k, foreign, liveproof.StateDecided, live(true))

		type told struct{ kind, id, state, result string }
		var got []told
		for _, m := range r.await(t, 6) {
			got = append(got, told{m.Type, m.Data["id"].(string), m.Data["state"].(string), m.Data["result"].(string)})
			require.Equal(t, "kunde-ü", m.Data["external_id"])
			require.NotContains(t, m.raw, "0.98", "ρ is not told")
		}
		require.ElementsMatch(t, []told{
			{"call.changed", string(call), "streaming", "pass"}, {"session.decided", string(call), "decided", "pass"},
			{"call.lost", string(lost), "expired", "retry"}, {"session.decided", string(once), "decided", "pass"},
			{"session.expired", string(unused), "expired", "retry"}, {"session.failed", string(broken), "failed", "retry"},
		}, got)
	})
}

// TestWhatJudgedIsTold: a receiver can refuse a demo model and a result that is old.
func TestWhatJudgedIsTold(t *testing.T) {
	onBoth(t, func(t *testing.T, k keeper) {
		r := newReceiver(t, secret, 200)
		run(t, testConfig(r.URL), k)
		id := begin(t, k, "bank-a", liveproof.ModeCall)
		judged := liveproof.Threshold{Value: 0.25, Source: liveproof.ThresholdOfTenant, Calibration: "strict", CalibrationSHA256: strings.Repeat("a1", 32)}
		model := liveproof.ModelInfo{Name: "some-model", SHA256: "0f4c", Threshold: 0.5, Demo: true, Provider: "cpu"}
		require.NoError(t, k.SetStreaming(t.Context(), id, model, judged, "haar"))
		require.NoError(t, k.AppendSamples(t.Context(), id, nil, liveproof.FrameCounts{}, live(false)))
		before := time.Now().Add(-time.Second)
		changed := r.await(t, 1)[0]
		require.Nil(t, changed.Data["decided_at"], "it runs")
		final := live(true)
		final.Evidence = []liveproof.Evidence{liveproof.EvidencePassive}
		end(t, k, id, liveproof.StateDecided, final)
		decided := r.await(t, 2)[1]
		require.Equal(t, []any{"passive"}, decided.Data["evidence"])
		at, err := time.Parse(time.RFC3339Nano, decided.Data["decided_at"].(string))
		require.NoError(t, err)
		require.WithinRange(t, at, before, time.Now().Add(time.Second))
		for _, m := range []message{changed, decided} {
			require.Equal(t, map[string]any{"name": "some-model", "sha256": "0f4c", "demo": true}, m.Data["model"])
			require.Equal(t, map[string]any{
				"source": "tenant", "calibration": "strict", "calibration_sha256": judged.CalibrationSHA256,
			}, m.Data["threshold"], "θ is not told")
			require.NotContains(t, m.id, ".", "id.timestamp.body is signed")
		}
		require.Less(t, changed.Data["number"], decided.Data["number"], "the order of the changes")

		unused := begin(t, k, "bank-a", liveproof.ModeOnboarding)
		end(t, k, unused, liveproof.StateExpired, liveproof.Inconclusive(liveproof.ReasonNoMedia))
		require.NotContains(t, r.await(t, 3)[2].raw, `"model"`, "nothing judged it")
	})
}

// TestAChangeToldTwiceHasOneID: the store tells a change again, later and under another name, as it does after a server has died.
func TestAChangeToldTwiceHasOneID(t *testing.T) {
	onBoth(t, func(t *testing.T, k keeper) {
		r := newReceiver(t, secret, 200)
		call := begin(t, k, "bank-a", liveproof.ModeCall)
		cfg := testConfig(r.URL)
		run(t, cfg, &repeating{keeper: k})
		require.NoError(t, k.AppendSamples(t.Context(), call, nil, liveproof.FrameCounts{}, live(false)))
		got := r.await(t, 2)
		require.Equal(t, got[0].id, got[1].id)
		require.Equal(t, got[0].raw, got[1].raw)
		require.NoError(t, k.AppendSamples(t.Context(), call, nil, liveproof.FrameCounts{}, liveproof.Pending()))
		require.NotEqual(t, got[0].id, r.await(t, 3)[2].id, "another change")
	})
}

// repeating tells the first changes a second time, when those of the first time were dealt with.
type repeating struct {
	keeper
	mu    sync.Mutex
	again []liveproof.Change
	done  bool
}

// Changes implements webhooks.Outbox.
func (r *repeating) Changes(ctx context.Context) ([]liveproof.Change, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if again := r.again; len(again) > 0 && !r.done {
		r.done = true
		return again, nil
	}
	changes, err := r.keeper.Changes(ctx)
	for _, c := range changes {
		if c.Event == liveproof.ChangeVerdict && !r.done {
			c.ID = "7" + c.ID
			r.again = append(r.again, c)
		}
	}
	return changes, err
}

// Acknowledge implements webhooks.Outbox. The first message is delivered before its change is told again: a message that waits is
// kept once anyway.
func (r *repeating) Acknowledge(ctx context.Context, changes []liveproof.Change) error {
	time.Sleep(1200 * time.Millisecond)
	return r.keeper.Acknowledge(ctx, changes)
}

// TestRetries: a message comes again, with the same id and a fresh signature, until the receiver takes it.
func TestRetries(t *testing.T) {
	onBoth(t, func(t *testing.T, k keeper) {
		r := newReceiver(t, secret, 500, 302, 404, 204)
		stop := run(t, testConfig(r.URL), k)
		end(t, k, begin(t, k, "bank-a", liveproof.ModeOnboarding), liveproof.StateDecided, live(true))
		got := r.await(t, 4)
		for _, m := range got {
			require.Equal(t, got[0].id, m.id)
			require.Equal(t, got[0].raw, m.raw)
		}
		require.Never(t, func() bool { return len(r.messages()) > 4 }, 1500*time.Millisecond, 50*time.Millisecond, "it was delivered")
		stop()
	})
}

// TestSecretsOverlap: while a secret is replaced, receivers with either one verify.
func TestSecretsOverlap(t *testing.T) {
	for _, verifyWith := range []string{secret, oldSecret} {
		k := store.NewMemory(store.DefaultConfig(), time.Now)
		r := newReceiver(t, verifyWith, 200)
		cfg := testConfig(r.URL)
		cfg.Secrets["bank-a"] = secret + " " + oldSecret
		run(t, cfg, k)
		end(t, k, begin(t, k, "bank-a", liveproof.ModeOnboarding), liveproof.StateDecided, live(true))
		r.await(t, 1)
	}
}

// TestDeadLetters: a message that nobody takes is listed, and sent again on demand with the same id.
func TestDeadLetters(t *testing.T) {
	k := newRedis(t, redistest.Start(t))
	r := newReceiver(t, secret, 503, 503, 503, 200)
	cfg := testConfig(r.URL)
	cfg.Attempts = 3
	run(t, cfg, k)
	id := begin(t, k, "bank-a", liveproof.ModeOnboarding)
	end(t, k, id, liveproof.StateDecided, live(true))
	var letters []webhooks.DeadLetter
	require.Eventually(t, func() bool {
		var err error
		letters, err = webhooks.DeadLetters(t.Context(), k)
		return err == nil && len(letters) == 1
	}, wait, 10*time.Millisecond)
	require.Equal(t, string(id)+"-session-decided", letters[0].ID)
	require.Equal(t, 3, letters[0].Attempts)
	require.Equal(t, "the receiver answered 503", letters[0].Error)
	_, err := webhooks.Replay(t.Context(), k, "other")
	require.ErrorIs(t, err, liveproof.ErrNotFound)
	n, err := webhooks.Replay(t.Context(), k, letters[0].ID)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	got := r.await(t, 4)
	require.Equal(t, letters[0].ID, got[3].id)
	letters, err = webhooks.DeadLetters(t.Context(), k)
	require.NoError(t, err)
	require.Empty(t, letters)
	n, err = webhooks.Replay(t.Context(), k)
	require.NoError(t, err)
	require.Zero(t, n)
}

// TestGoneIsDead: 410 asks for no more attempts.
func TestGoneIsDead(t *testing.T) {
	k := newRedis(t, redistest.Start(t))
	r := newReceiver(t, secret, 410)
	run(t, testConfig(r.URL), k)
	end(t, k, begin(t, k, "bank-a", liveproof.ModeOnboarding), liveproof.StateDecided, live(true))
	require.Eventually(t, func() bool {
		letters, err := webhooks.DeadLetters(t.Context(), k)
		return err == nil && len(letters) == 1 && letters[0].Attempts == 1
	}, wait, 10*time.Millisecond)
}

// TestNoneIsLostBetweenServers: changes and deliveries that a server leaves behind are another one's.
func TestNoneIsLostBetweenServers(t *testing.T) {
	db := redistest.Start(t)
	first, second := newRedis(t, db), newRedis(t, db)
	r := newReceiver(t, secret, 500)
	cfg := testConfig(r.URL)
	cfg.FirstRetry, cfg.MaxRetry = time.Second, time.Second
	stop := run(t, cfg, first)
	tried := begin(t, first, "bank-a", liveproof.ModeOnboarding)
	end(t, first, tried, liveproof.StateDecided, live(true))
	r.await(t, 1)
	stop()
	// While no server runs a sender, another session ends.
	untold := begin(t, first, "bank-a", liveproof.ModeOnboarding)
	end(t, first, untold, liveproof.StateDecided, live(true))
	before := len(r.messages())
	r.mu.Lock()
	r.statuses = []int{200}
	r.mu.Unlock()
	run(t, cfg, second)
	var got []string
	for _, m := range r.await(t, before+2)[before:] {
		got = append(got, m.Data["id"].(string))
	}
	require.ElementsMatch(t, []string{string(tried), string(untold)}, got)
}

// TestRedisLosesItsData: the consumer group is made anew.
func TestRedisLosesItsData(t *testing.T) {
	db := redistest.Start(t)
	k := newRedis(t, db)
	r := newReceiver(t, secret, 200)
	run(t, testConfig(r.URL), k)
	db.Stop()
	db.Start()
	end(t, k, begin(t, k, "bank-a", liveproof.ModeOnboarding), liveproof.StateDecided, live(true))
	r.await(t, 1)
}

// TestPrivateReceiversAreRefused: by the address that a name resolves to when the connection is made.
func TestPrivateReceiversAreRefused(t *testing.T) {
	k := newRedis(t, redistest.Start(t))
	r := newReceiver(t, secret, 200)
	cfg := testConfig("https" + strings.TrimPrefix(strings.Replace(r.URL, "127.0.0.1", "localhost", 1), "http"))
	cfg.AllowPrivate, cfg.Attempts = false, 1
	run(t, cfg, k)
	end(t, k, begin(t, k, "bank-a", liveproof.ModeOnboarding), liveproof.StateDecided, live(true))
	require.Eventually(t, func() bool {
		letters, err := webhooks.DeadLetters(t.Context(), k)
		return err == nil && len(letters) == 1 && strings.Contains(letters[0].Error, "not a public address")
	}, wait, 10*time.Millisecond)
	require.Empty(t, r.messages())
}
